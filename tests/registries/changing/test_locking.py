"""Locks are set at the registry, and kept here when it confirmed them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from access.models import AuditEntry
from registries.actor import Actor
from registries.changing.locking import look, set_locks, words
from registries.models import Repository
from registries.oci.outlines import Lock
from tests.fakes.acr import FakeAcr
from tests.fakes.misbehaviour import answers, path_has
from tests.registries.changing.ground import PATH, artifact, synced

ANNA = Actor(kind="user", id="7", label="anna")
BOTH = Lock.DELETE | Lock.WRITE


@pytest.fixture
def acr(db: None) -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        yield fake


@pytest.fixture
def repository(acr: FakeAcr) -> Repository:
    return synced(acr, "acr")


def test_a_tag_an_image_and_a_repository_are_locked_each_by_itself(
    repository: Repository, acr: FakeAcr
) -> None:
    tag = repository.tags.get(name="1.0")
    tag.repository = repository
    image = artifact(repository, "2.0")
    for what in (tag, image, repository):
        assert set_locks(what=what, locks=BOTH, actor=ANNA).is_new
        what.refresh_from_db()
        assert what.locks == BOTH
    digest = image.manifest.digest
    assert [
        entry.target
        for entry in AuditEntry.objects.filter(event="locks changed").order_by("number")
    ] == [
        f"{PATH}:1.0",
        f"{PATH}@{digest}",
        PATH,
    ]
    assert len(acr.locks) == 3


def test_the_log_says_what_was_locked_before_and_after(repository: Repository) -> None:
    set_locks(what=repository, locks=BOTH, actor=ANNA)
    set_locks(what=repository, locks=Lock.WRITE, actor=ANNA)
    set_locks(what=repository, locks=Lock.WRITE, actor=ANNA)
    first, second = AuditEntry.objects.filter(event="locks changed").order_by("number")
    both = ["delete", "write"]
    where = {"repository": PATH}
    assert (first.old, first.new) == ({"locks": []}, {"locks": both, **where})
    assert (second.old, second.new) == ({"locks": both}, {"locks": ["write"], **where})
    assert second.actor_label == "anna"


def test_what_the_registry_refused_is_not_kept(repository: Repository, acr: FakeAcr) -> None:
    acr.misbehave(path_has("/acr/v1/", method="PATCH"), answers(403))
    outcome = set_locks(what=repository, locks=BOTH, actor=ANNA)
    assert outcome.problem
    assert outcome.advice
    repository.refresh_from_db()
    assert repository.locks == 0
    assert AuditEntry.objects.filter(event="change refused", target=PATH).exists()


def test_locks_have_words() -> None:
    assert words(BOTH) == ["deleting", "pushing and moving"]
    assert words(0) == []


def test_a_repositorys_locks_are_looked_at_where_listings_do_not_tell_them(
    repository: Repository, acr: FakeAcr
) -> None:
    acr.lock(PATH, writeEnabled=False)
    look(repository)
    repository.refresh_from_db()
    assert repository.locks == Lock.WRITE
    acr.misbehave(path_has("/acr/v1/"), answers(503))
    look(repository)
    repository.refresh_from_db()
    assert repository.locks == Lock.WRITE
