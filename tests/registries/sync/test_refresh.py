"""One repository or one tag, read now because somebody said that it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

import pytest
from django.utils import timezone

from registries import tasks
from registries.actor import Actor
from registries.events import (
    Event,
    RepositoryAppeared,
    SyncEnded,
    TagCreated,
    TagDeleted,
    TagMoved,
)
from registries.models import Registry, Repository, Tag, TagMove
from registries.oci.documents import parse_manifest
from registries.oci.reference import Digest
from registries.sync.apply import apply_readings
from registries.sync.readings import TagReading, TagSlice
from registries.sync.refresh import refresh_repository
from registries.sync.tally import Tally
from tests.fakes import content
from tests.fakes.content import Pushed
from tests.fakes.misbehaviour import answers, answers_bare_404, hangs_up, path_has, says
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, present, succeed, theirs

CI = Actor(kind="registry", id="1", label="harbour")


@pytest.fixture(autouse=True)
def imported(fake: FakeRegistry, registry: Registry, heard: list[Event]) -> None:
    for path in ("team/api", "team/web"):
        fake.push(path, content.image(path), "1", "latest")
    succeed(registry)
    heard.clear()
    fake.requests.clear()


def refresh(registry: Registry, path: str, tag: str | None = None) -> Tally:
    return refresh_repository(registry, path, tag=tag, source=TagMove.Source.NOTIFICATION, actor=CI)


def kinds(heard: list[Event]) -> list[type[Event]]:
    return [type(event) for event in heard if not isinstance(event, SyncEnded)]


def test_a_refresh_reads_one_repository_and_no_other(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fake.push("team/api", content.image("new"), "latest")
    fake.push("team/web", content.image("new"), "latest")
    fake.delete_tag("team/api", "1")

    tally = refresh(registry, "team/api")

    assert ours(registry)["team/api"] == theirs(fake)["team/api"]
    assert ours(registry)["team/web"] != theirs(fake)["team/web"]
    assert not fake.seen(part="team/web")
    assert not fake.seen(part="_catalog")
    assert (tally.counts["moved"], tally.counts["removed"]) == (1, 1)
    assert sorted(kinds(heard), key=str) == [TagDeleted, TagMoved]
    moves = TagMove.objects.values_list("source", "actor_kind", "actor_label").distinct()
    assert list(moves) == [("notification", "registry", "harbour")]
    succeed(registry)
    assert_counters_are_true(registry)


def test_a_refresh_of_a_tag_reads_that_tag_and_no_other(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    new = fake.push("team/api", content.image("new"), "latest", "1")

    refresh(registry, "team/api", "latest")

    held = ours(registry)["team/api"]
    assert held["latest"] == new
    assert held["1"] != new
    assert kinds(heard) == [TagMoved]
    assert not fake.seen(part="tags/list")


def test_a_refresh_finds_a_new_repository_with_all_that_belongs_to_it(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    index = fake.push_index("team/new", [(content.image("amd"), "linux", "amd64")], "1")

    refresh(registry, "team/new", "1")

    assert ours(registry)["team/new"] == {"1": index}
    assert present(registry, "team/new") == set(fake.repositories["team/new"].manifests)
    assert kinds(heard) == [RepositoryAppeared, TagCreated]
    repository = Repository.objects.get(path="team/new")
    assert (repository.tag_count, repository.artifact_count) == (1, 2)
    assert repository.unique_bytes > 0
    assert not repository.count_due


def test_a_tag_is_gone_when_the_registry_itself_says_so(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fake.delete_tag("team/api", "1")

    refresh(registry, "team/api", "1")

    assert ours(registry)["team/api"].keys() == {"latest"}
    assert kinds(heard) == [TagDeleted]


def test_a_proxy_that_answers_404_for_all_removes_nothing(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    before = ours(registry)
    fake.misbehave(path_has("/v2/"), answers_bare_404())

    of_tag = refresh(registry, "team/api", "1")
    for _ in range(3):
        refresh(registry, "team/api")

    assert ours(registry) == before
    assert [problem.code for problem in of_tag.problems] == ["not-found"]
    assert not kinds(heard)


def test_a_repository_that_answers_404_needs_a_sync_to_be_gone(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.delete_repository("team/api")

    for _ in range(5):  # a notification comes as often as it likes
        refresh(registry, "team/api")
    assert "team/api" in ours(registry)

    succeed(registry)
    assert "team/api" not in ours(registry)


@pytest.mark.parametrize("tag", [None, "1"], ids=["repository", "tag"])
def test_a_name_that_nobody_knows_leaves_no_trace(
    registry: Registry, heard: list[Event], tag: str | None
) -> None:
    refresh(registry, "not/there", tag)

    assert not Repository.objects.filter(path="not/there").exists()
    assert not kinds(heard)


def test_a_repository_that_cannot_be_read_is_not_taken_for_an_empty_one(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("team/new", content.image(), "1")
    fake.misbehave(path_has("team/new"), answers(500))

    tally = refresh(registry, "team/new")

    assert not Repository.objects.filter(path="team/new").exists()
    assert [problem.code for problem in tally.problems] == ["server-failed"]


def test_a_repository_that_the_settings_leave_out_is_not_read(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("other/app", content.image(), "1")
    registry.repository_names = ["team/*"]
    registry.save()

    refresh(registry, "other/app")
    assert not Repository.objects.filter(path="other/app").exists()

    registry.repository_names = ["team/*", "other/app"]
    refresh(registry, "other/app")
    assert Repository.objects.filter(path="other/app").exists()


def test_a_refresh_that_finds_nothing_new_writes_nothing(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    rows = list(Tag.objects.order_by("pk").values())

    refresh(registry, "team/api")
    refresh(registry, "team/api", "1")

    assert list(Tag.objects.order_by("pk").values()) == rows
    assert not TagMove.objects.exists()
    assert not kinds(heard)


@pytest.mark.parametrize(
    "bad", [answers(500), says("{"), hangs_up()], ids=["500", "cut", "hangs up"]
)
@pytest.mark.parametrize("tag", [None, "1"], ids=["repository", "tag"])
def test_what_could_not_be_read_stays_as_it_was(
    fake: FakeRegistry, registry: Registry, tag: str | None, bad: object
) -> None:
    before = ours(registry)
    fake.misbehave(path_has("team/api"), bad)  # type: ignore[arg-type]

    tally = refresh(registry, "team/api", tag)

    assert ours(registry) == before
    assert len(tally.problems) >= 1


def test_the_task_refreshes_in_the_name_of_the_registry(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("team/api", content.image("new"), "latest")

    tasks.refresh(registry.pk, "team/api", "latest")
    tasks.refresh(registry.pk + 1000, "team/api")  # removed meanwhile

    assert TagMove.objects.get().actor_label == "harbour"


# Readings out of order: a sync lists, a refresh reads later and writes first


def old_reading(registry: Registry, *pushed: tuple[str, Pushed], gone: str = "") -> TagReading:
    """What a sync read of team/api a while ago and only now gets to writing."""
    part = TagSlice(
        "team/api",
        timezone.now() - timedelta(hours=1),
        {tag: Digest(digest) for tag, digest in ours(registry)["team/api"].items()},
        removed=(gone,) if gone else (),
    )
    reading = TagReading(part)
    for tag, one in pushed:
        manifest = parse_manifest(one.raw, one.media_type)
        reading.tags[tag] = manifest.digest
        reading.manifests[manifest.digest] = manifest
    assert reading.is_news
    return reading


def apply(registry: Registry, reading: TagReading) -> None:
    apply_readings(registry, [reading], source=TagMove.Source.SYNC, actor=CI)


def test_an_older_reading_does_not_move_a_tag_back(fake: FakeRegistry, registry: Registry) -> None:
    old = old_reading(registry, ("latest", content.image("between")))
    new = fake.push("team/api", content.image("new"), "latest")
    refresh(registry, "team/api", "latest")

    apply(registry, old)

    assert ours(registry)["team/api"]["latest"] == new


def test_an_older_listing_does_not_remove_a_newer_tag(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("team/api", content.image("new"), "2")
    refresh(registry, "team/api")

    apply(registry, old_reading(registry, gone="2"))

    assert "2" in ours(registry)["team/api"]


@pytest.mark.parametrize("tag", [None, "1"], ids=["repository", "tag"])
def test_an_older_reading_does_not_bring_a_tag_back(
    fake: FakeRegistry, registry: Registry, heard: list[Event], tag: str | None
) -> None:
    old = old_reading(registry, ("1", content.image("between")))
    fake.delete_tag("team/api", "1")
    refresh(registry, "team/api", tag)
    heard.clear()

    apply(registry, old)

    assert "1" not in ours(registry)["team/api"]
    assert not kinds(heard)


# Clocks that are wrong --------------------------------------------------------------------------


@pytest.fixture
def wrong_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets this worker's own clock be ahead (or behind)."""

    def put(ahead: timedelta) -> None:
        class Wrong(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # no Self
                return datetime.now(tz) + ahead

        monkeypatch.setattr("registries.sync.clock.datetime", Wrong)

    return put


@pytest.mark.parametrize("ahead", [timedelta(days=300), timedelta(hours=-2)])
def test_a_worker_whose_clock_is_wrong_neither_hides_nor_loses_what_others_read(
    fake: FakeRegistry,
    registry: Registry,
    wrong_by: Callable[[timedelta], None],
    ahead: timedelta,
) -> None:
    wrong_by(ahead)
    seen = fake.push("team/api", content.image("read by it"), "latest")
    refresh(registry, "team/api", "latest")
    assert ours(registry)["team/api"]["latest"] == seen
    wrong_by(timedelta())
    new = fake.push("team/api", content.image("read by another"), "latest")
    refresh(registry, "team/api", "latest")
    assert ours(registry)["team/api"]["latest"] == new


def test_what_is_dated_in_the_future_is_corrected_by_the_next_sync(
    fake: FakeRegistry, registry: Registry
) -> None:
    ahead = timezone.now() + timedelta(days=365)
    Tag.objects.update(changed_at=ahead)
    Repository.objects.update(verified_at=ahead)
    new = fake.push("team/api", content.image("new"), "latest")
    fake.delete_tag("team/api", "1")
    fake.delete_repository("team/web")
    for _ in range(2):
        succeed(registry)
    assert ours(registry) == {"team/api": {"latest": new}}
    verified_at = Repository.objects.get(path="team/api").verified_at
    assert verified_at is not None
    assert verified_at < timezone.now()
