"""Whatever is set up: exported, applied on an empty installation, exported again, it is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dashboard.governance.document import build, dump, parse
from tests.dashboard.governance import house
from tests.dashboard.governance.applying import applied, empty, exported, people, planned, told
from tests.dashboard.governance.made import PEOPLE, governance

pytestmark = pytest.mark.django_db

# Each example makes an installation twice, a tenth of a second and more.
# To make a failing one smaller would take minutes: its values are told as they are.
FEW = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def everybody(db: None) -> None:
    people(*PEOPLE)


@FEW
@given(data=governance())
def test_an_export_applied_on_an_empty_installation_exports_the_same_bytes(
    everybody: None, data: Any
) -> None:
    empty()
    applied(build(data))
    text = exported()
    assert text == dump(build(data))
    assert told(planned(parse(text), prune=True)) == []
    empty()
    applied(parse(text))
    assert exported() == text
    assert applied(parse(text), prune=True).changes == ()
    assert exported() == text


@FEW
@given(before=governance(), after=governance())
def test_pruning_makes_one_installation_into_any_other(
    everybody: None, before: Any, after: Any
) -> None:
    empty()
    for webhook in (*before["webhooks"], *after["webhooks"]):
        webhook["host"] = "hooks.example.com"  # another is another's address, which is a secret
    applied(build(before))
    document = build(after)
    shown = planned(document, prune=True)
    assert not shown.problems
    applied(document, prune=True)
    assert told(planned(document, prune=True)) == []
    assert exported() == dump(document)


def test_what_was_set_up_by_hand_comes_back_the_same(db: None) -> None:
    house.furnish()
    text = exported()
    empty()
    applied(parse(text))
    assert exported() == text
    assert planned(parse(text), prune=True).changes == ()
