"""Actions are whole, kept when they return, and several of them only when somebody says so."""

from __future__ import annotations

import pytest
from django.db import transaction

from registries.models import Registry
from registries.transactions import durable, together
from tests import catalog

pytestmark = pytest.mark.django_db(transaction=True)


class Refused(Exception):  # noqa: N818  named for what happened
    pass


@durable
def connect(name: str, *, refused: bool = False) -> Registry:
    registry = catalog.registry(name)
    if refused:
        raise Refused
    return registry


def connect_both() -> None:
    with together():
        connect("yard")
        connect("dock", refused=True)


def names() -> set[str]:
    return set(Registry.objects.values_list("name", flat=True))


def test_an_action_that_raises_leaves_nothing() -> None:
    with pytest.raises(Refused):
        connect("yard", refused=True)

    assert names() == set()


def test_an_action_refuses_to_be_taken_back_by_a_transaction_around_it() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        connect("yard")


def test_several_actions_together_are_kept_together() -> None:
    with together():
        connect("yard")
        connect("dock")

    assert names() == {"yard", "dock"}


def test_several_actions_together_are_taken_back_together() -> None:
    with pytest.raises(Refused):
        connect_both()

    assert names() == set()


def test_after_it_actions_stand_alone_again() -> None:
    with pytest.raises(Refused):
        connect_both()

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        connect("yard")


def test_what_is_done_together_must_not_lie_in_another_transaction() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), together():
        pass
