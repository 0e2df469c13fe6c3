"""manage.py refresh: one repository or one tag, from a shell."""

import json

import pytest
from django.core.management import CommandError, call_command

from registries.models import Registry, Tag
from tests.fakes.content import image
from tests.fakes.registry import FakeRegistry

pytestmark = pytest.mark.django_db


def refreshed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, int]:
    call_command("refresh", "harbour", *arguments, "--json")
    said: dict[str, int] = json.loads(capsys.readouterr().out)
    return said


def test_a_repository_is_read_with_all_its_tags(
    fake: FakeRegistry, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.push("team/app", image("1.0"), "1.0")
    fake.push("team/app", image("2.0"), "2.0")

    said = refreshed(capsys, "team/app")

    assert said == {"added": 2, "moved": 0, "removed": 0, "errors": 0}
    assert set(Tag.objects.values_list("name", flat=True)) == {"1.0", "2.0"}


def test_one_tag_is_read_without_the_others(
    fake: FakeRegistry, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.push("team/app", image("1.0"), "1.0")
    fake.push("team/app", image("2.0"), "2.0")

    assert refreshed(capsys, "team/app", "--tag", "2.0")["added"] == 1
    assert list(Tag.objects.values_list("name", flat=True)) == ["2.0"]


@pytest.mark.parametrize("arguments", [["Team/App"], ["team/app", "--tag", "no such"]])
def test_a_name_that_cannot_be_is_said_plainly(registry: Registry, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="No registry can have"):
        call_command("refresh", "harbour", *arguments)


def test_an_unknown_registry_is_said_plainly() -> None:
    with pytest.raises(CommandError, match="no registry named 'harbour'"):
        call_command("refresh", "harbour", "team/app")
