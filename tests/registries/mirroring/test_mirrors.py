"""Mirrors are made, changed and removed with a trace, and never of what makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Max

from access.models import AuditEntry
from registries.actor import Actor
from registries.mirroring.mirrors import MirrorSettings, change_mirror, create_mirror, remove_mirror
from registries.models import Mirror, Registry
from tests import catalog

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = Actor("user", "7", "anna")


@pytest.fixture
def hub() -> Registry:
    return catalog.registry("hub")


@pytest.fixture
def harbour() -> Registry:
    return catalog.registry("harbour")


def settings(hub: Registry, harbour: Registry, **other: Any) -> MirrorSettings:
    usual = {"source_path": "library/*", "target_path": "mirror/hub/*"}
    return MirrorSettings(source=hub, target=harbour, **(usual | other))


Entries = Callable[[], list[tuple[Any, ...]]]


@pytest.fixture
def entries(db: None) -> Entries:
    """Reads what the audit log was told since now."""
    last = AuditEntry.objects.aggregate(Max("number"))["number__max"] or 0
    columns = ("event", "registry", "target", "old", "new")
    told = AuditEntry.objects.filter(number__gt=last).order_by("number").values_list(*columns)
    return lambda: list(told.all())


def test_what_happens_to_a_mirror_is_in_the_audit_log(
    hub: Registry, harbour: Registry, entries: Entries
) -> None:
    mirror = create_mirror(settings(hub, harbour), actor=ANNA)
    assert (mirror.actor_kind, mirror.actor_id, mirror.actor_label) == ("user", "7", "anna")
    change_mirror(mirror, settings(hub, harbour, tags="v1.*"), actor=ANNA)
    change_mirror(mirror, settings(hub, harbour, tags="v1.*"), actor=ANNA)
    remove_mirror(mirror, actor=ANNA)
    assert not Mirror.objects.exists()
    name = "hub/library/* → harbour/mirror/hub/*"
    told = {"source": "hub/library/*", "target": "harbour/mirror/hub/*"}
    assert entries() == [
        ("mirror created", "", name, None, {"mirror": name, **told, "tags": ""}),
        ("mirror changed", "", name, {"tags": ""}, {"mirror": name, "tags": "v1.*"}),
        ("mirror removed", "", name, {**told, "tags": "v1.*"}, {"mirror": name}),
    ]


def test_one_within_a_registry_is_told_to_who_audits_that_one(
    harbour: Registry, entries: Entries
) -> None:
    create_mirror(
        settings(harbour, harbour, source_path="staging/app", target_path="prod/app"), actor=ANNA
    )
    assert [entry[1] for entry in entries()] == ["harbour"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"source_path": "library/nginx"}, "target"),
        ({"target_path": "mirror/nginx"}, "target"),
        ({"tags": "v1.*,v2.*"}, "tags"),
        ({"tags": "a b"}, "tags"),
        ({"tags": "%"}, "tags"),
        ({"tags": "x" * 129}, "tags"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    hub: Registry, harbour: Registry, entries: Entries, wrong: dict[str, str], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        create_mirror(settings(hub, harbour, **wrong), actor=ANNA)
    assert list(refused.value.message_dict) == [field]
    assert not entries()


def test_nothing_mirrors_itself(hub: Registry) -> None:
    for path in ("", "library/*", "library/nginx"):
        with pytest.raises(ValidationError, match="the same place"):
            create_mirror(settings(hub, hub, source_path=path, target_path=path), actor=ANNA)


def test_the_same_pair_is_kept_once_for_each_pattern_of_tags(
    hub: Registry, harbour: Registry, entries: Entries
) -> None:
    create_mirror(settings(hub, harbour), actor=ANNA)
    other = create_mirror(settings(hub, harbour, tags="v*"), actor=ANNA)
    with pytest.raises(ValidationError, match="compared already"):
        create_mirror(settings(hub, harbour, tags=" * "), actor=ANNA)
    with pytest.raises(ValidationError, match="compared already"):
        change_mirror(other, settings(hub, harbour), actor=ANNA)
    assert Mirror.objects.count() == 2
    assert len(entries()) == 2


def test_a_registry_takes_its_mirrors_with_it(hub: Registry, harbour: Registry) -> None:
    create_mirror(settings(hub, harbour), actor=ANNA)
    hub.delete()
    assert not Mirror.objects.exists()
