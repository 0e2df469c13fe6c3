"""Registries that list in bulk: no document is read for what the listing says, and all is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from registries.actor import SYSTEM, Actor
from registries.connectors import CONNECTORS
from registries.events import ArtifactGone, Event, TagCreated, TagMoved
from registries.models import Artifact, Manifest, Registry, Repository, SyncRun, Tag, TagMove
from registries.oci.descriptors import Child
from registries.oci.kinds import Kind
from registries.oci.outlines import Lock, Outline
from registries.oci.reference import Digest
from registries.sync import shares
from registries.sync.parts import Part
from registries.sync.refresh import Wanted, refresh
from registries.sync.run import execute_run, request_run, work_on_batch
from tests.fakes import content
from tests.fakes.content import Pushed
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_copies_are_true
from tests.registries.sync.syncing import ours, present, succeed, theirs
from tests.registries.sync.test_run import rows_written
from tests.registries.sync.vendor import PUSHED, SIZE, BulkConnector

ANNA = Actor("user", "1", "anna")
AMD, ARM = content.image("amd"), content.image("arm")


@pytest.fixture(params=[True, False], ids=["manifests apart", "manifests with tags"])
def vendor(
    request: pytest.FixtureRequest, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> type[BulkConnector]:
    class Vendor(BulkConnector):
        apart = request.param
        asked, locked, pulled, scanned, pull_counts = [], {}, {}, {}, {}

    Vendor.fake = fake
    monkeypatch.setitem(CONNECTORS, "bulk", Vendor)
    return Vendor


@pytest.fixture
def registry(vendor: type[BulkConnector], fake: FakeRegistry, db: None) -> Registry:
    for number in range(3):
        fake.push(f"team/app{number}", content.image(f"app {number}"), "1", "latest")
    fake.push("team/app0", content.image("untagged"))
    fake.push_index("team/multi", [(AMD, "linux", "amd64"), (ARM, "linux", "arm64")], "1")
    return Registry.objects.create(name="yard", kind="bulk", url=fake.url, allow_private=True)


def artifact(path: str, digest: str) -> Artifact:
    return Artifact.objects.get(repository__path=path, manifest__digest=digest)


def manifest_of(path: str, tag: str) -> Manifest:
    return Tag.objects.get(repository__path=path, name=tag).artifact.manifest


# The first sync


def test_everything_is_there_and_no_document_was_asked_for(
    registry: Registry, fake: FakeRegistry
) -> None:
    run = succeed(registry)
    assert ours(registry) == theirs(fake)
    assert fake.requests == []
    assert run.manifests_fetched == 0
    assert present(registry, "team/app0") == set(fake.repositories["team/app0"].manifests)
    assert set(Artifact.objects.values_list("details", flat=True)) == {"listed"}


def test_tags_carry_what_the_listing_says_of_them(registry: Registry) -> None:
    succeed(registry)
    tag = Tag.objects.get(repository__path="team/app1", name="latest")
    assert (tag.size, tag.dated_at, tag.dated_by) == (SIZE, PUSHED, "pushed")
    assert tag.artifact.pushed_at == PUSHED - timedelta(days=1)
    manifest = tag.artifact.manifest
    assert (manifest.platform, manifest.raw, manifest.document) == ("linux/arm64", None, b"")
    assert manifest_of("team/multi", "1").platforms == ["linux/amd64", "linux/arm64"]


def test_bytes_count_each_listed_manifest_once(registry: Registry) -> None:
    succeed(registry)
    multi = Repository.objects.get(path="team/multi")
    # The index counts for nothing beside its two platforms, which are listed themselves.
    assert (multi.unique_bytes, multi.logical_bytes) == (2 * SIZE, 2 * SIZE)
    app = Repository.objects.get(path="team/app0")
    assert (app.unique_bytes, app.logical_bytes, app.artifact_count) == (2 * SIZE, SIZE, 2)


# The next ones


def test_an_unchanged_registry_is_not_asked_for_manifests_and_writes_nothing(
    registry: Registry, vendor: type[BulkConnector]
) -> None:
    succeed(registry)
    vendor.asked.clear()
    before = rows_written()
    succeed(registry)
    written = {what.removeprefix("registries_"): n for what, n in (rows_written() - before).items()}
    assert vendor.asked == []
    assert written.pop("syncrun inserted") == 1
    del written["syncrun updated"], written["registry updated"]
    assert written == {"repository updated": 4}  # verified_at


def test_a_moved_tag_asks_for_its_new_manifest_alone(
    registry: Registry, fake: FakeRegistry, vendor: type[BulkConnector], heard: list[Event]
) -> None:
    succeed(registry)
    vendor.asked.clear()
    old = fake.repositories["team/app0"].tags["1"]
    new = fake.push("team/app0", content.image("newer"), "1", "2")
    # An image that is known there needs nobody to describe it.
    fake.push("team/app1", content.image("app 1"), "again")
    succeed(registry)
    assert ours(registry) == theirs(fake)
    asked = [("team/app0", frozenset({new}))] if vendor.apart else []
    assert vendor.asked == asked
    told = [event for event in heard if isinstance(event, TagMoved | TagCreated)]
    assert [(event.repository, event.tag) for event in told] == [
        ("team/app0", "1"),
        ("team/app0", "2"),
        ("team/app1", "again"),
    ]
    assert TagMove.objects.get(tag="1").old_digest == old


def test_pulls_locks_and_scans_are_written_where_they_differ(
    registry: Registry, vendor: type[BulkConnector], fake: FakeRegistry
) -> None:
    succeed(registry)
    pulled = datetime(2026, 11, 20, tzinfo=UTC)
    digest = fake.repositories["team/app1"].tags["1"]
    vendor.locked["latest"] = Lock.DELETE | Lock.WRITE
    vendor.pulled["1"] = pulled
    vendor.scanned[digest] = {"critical": 2, "high": 7}
    vendor.pull_counts["team/app1"] = 41
    succeed(registry, full=vendor.apart)
    tags = {tag.name: tag for tag in Tag.objects.filter(repository__path="team/app1")}
    assert (tags["latest"].locks, tags["1"].locks) == (Lock.DELETE | Lock.WRITE, 0)
    assert (tags["1"].pulled_at, tags["latest"].pulled_at) == (pulled, None)
    repository = Repository.objects.get(path="team/app1")
    assert (repository.pull_count, repository.pulled_at) == (41, pulled)
    assert artifact("team/app1", digest).scan == {"critical": 2, "high": 7}

    vendor.locked.clear()
    vendor.pulled["1"] = pulled - timedelta(days=3)
    before = rows_written()
    succeed(registry)
    assert Tag.objects.get(repository__path="team/app1", name="latest").locks == 0
    # A pull that Portolan knows of is not forgotten, because the registry tells of an older one.
    assert Tag.objects.get(repository__path="team/app1", name="1").pulled_at == pulled
    assert (rows_written() - before)["registries_tag updated"] == 3  # those that were locked


def test_a_manifest_that_a_whole_listing_no_longer_names_is_gone(
    registry: Registry, fake: FakeRegistry, heard: list[Event], vendor: type[BulkConnector]
) -> None:
    succeed(registry)
    untagged = content.image("untagged").digest
    del fake.repositories["team/app0"].manifests[untagged]
    succeed(registry, full=True)
    assert artifact("team/app0", untagged).missing_since is not None
    assert [event.digest for event in heard if isinstance(event, ArtifactGone)] == [untagged]
    # Nothing else went: neither what is tagged nor the platforms of an index.
    assert Artifact.objects.filter(missing_since__isnull=False).count() == 1


def test_manifests_that_come_and_go_where_no_tag_does_are_counted(
    registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    found = Repository.objects.get(path="team/app1")
    assert found.artifact_count == 1
    loose = fake.push("team/app1", content.image("loose"))
    for count in (2, 1):
        Repository.objects.update(verified_at=None)  # a listing that is asked for, whole, once more
        succeed(registry)
        found.refresh_from_db()
        assert (found.artifact_count, found.count_due) == (count, False)
        assert_copies_are_true(found)
        fake.repositories["team/app1"].manifests.pop(loose, None)


def test_an_emptied_repository_holds_nothing_any_more(
    registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    fake.repositories["team/app0"].tags.clear()
    fake.repositories["team/app0"].manifests.clear()
    succeed(registry, full=True)
    assert present(registry, "team/app0") == set()


def test_the_platforms_of_an_index_are_not_gone_because_a_vendor_lists_indexes_alone(
    registry: Registry, fake: FakeRegistry, vendor: type[BulkConnector]
) -> None:
    succeed(registry, full=True)  # read whole, so that Portolan knows the index's platforms
    holdings = fake.repositories["team/multi"]
    for platform in (AMD, ARM):
        del holdings.manifests[platform.digest]
    vendor.asked.clear()
    # A listing that is asked for, whole, once more.
    Repository.objects.update(verified_at=None)
    succeed(registry)
    assert present(registry, "team/multi") >= {AMD.digest, ARM.digest}


# Documents


def test_an_opened_image_is_read_with_its_platforms(registry: Registry, fake: FakeRegistry) -> None:
    succeed(registry)
    digest = Digest(fake.repositories["team/multi"].tags["1"])
    part = Part("team/multi", documents=frozenset({digest}))
    refresh(registry, [Wanted(ANNA, parts=(part,))], source=TagMove.Source.SYNC)
    index = manifest_of("team/multi", "1")
    assert index.document == fake.repositories["team/multi"].manifests[digest].raw
    assert [child.digest for child in index.children.all()] == [AMD.digest, ARM.digest]
    platforms = Manifest.objects.filter(digest__in=[AMD.digest, ARM.digest])
    assert all(platform.document and platform.layers.exists() for platform in platforms)
    assert {platform.architecture for platform in platforms} != {"arm64"}  # the config's own word
    assert set(
        Artifact.objects.filter(repository__path="team/multi").values_list("details", flat=True)
    ) == {"complete"}
    tag = Tag.objects.get(repository__path="team/multi")
    assert (tag.size, tag.dated_at) == (index.total_size, PUSHED)
    # The others are still what the listing says.
    assert artifact("team/app1", fake.repositories["team/app1"].tags["1"]).details == "listed"


def test_a_full_sync_reads_every_document(registry: Registry, fake: FakeRegistry) -> None:
    succeed(registry)
    succeed(registry, full=True)
    tagged = Manifest.objects.filter(artifacts__tags__isnull=False)
    assert all(manifest.document for manifest in tagged)
    assert ours(registry) == theirs(fake)


def test_a_full_sync_reads_none_where_pulls_are_rationed(
    registry: Registry, fake: FakeRegistry, vendor: type[BulkConnector]
) -> None:
    vendor.pulls_are_rationed = True
    succeed(registry)
    succeed(registry, full=True)
    assert fake.requests == []


def test_a_listing_never_changes_what_a_document_told(
    registry: Registry, fake: FakeRegistry
) -> None:
    plain = Registry.objects.create(name="plain", url=fake.url, allow_private=True)
    succeed(plain)
    told = dict(Manifest.objects.values_list("digest", "total_size"))
    succeed(registry)
    assert dict(Manifest.objects.exclude(raw=None).values_list("digest", "total_size")) == told
    tag = Tag.objects.get(repository__registry=registry, repository__path="team/app1", name="1")
    assert tag.size == told[tag.artifact.manifest.digest] != SIZE


def test_a_document_read_elsewhere_tells_the_size_here_too(
    registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    assert artifact("team/app1", fake.repositories["team/app1"].tags["1"]).size == SIZE
    succeed(Registry.objects.create(name="plain", url=fake.url, allow_private=True))
    held = dict(Artifact.objects.filter(repository__registry=registry).values_list("pk", "size"))
    told = Artifact.objects.values_list("pk", "manifest__total_size")
    assert held == {pk: size for pk, size in told if pk in held}
    assert artifact("team/app0", content.image("untagged").digest).size == SIZE  # read nowhere
    assert not Artifact.objects.filter(tags__isnull=False, size__in=[SIZE, SIZE * 2]).exists()


class Liar(BulkConnector):
    """Says of everything that it is a huge signature of something else, for another platform."""

    asked: ClassVar[list[tuple[str, Collection[Digest] | None]]] = []

    def _outline(self, digest: Digest, pushed: Pushed) -> Outline:
        return Outline(
            digest,
            pushed.media_type,
            Kind.SIGNATURE,
            total_size=2**60,
            os="linux",
            architecture="mips",
            platforms=("linux/mips",),
            children=(Child(Digest(content.digest_of(b"other")), os="linux"),),
            subject=Digest(AMD.digest),
            created=PUSHED,
        )


@pytest.mark.parametrize("liar_first", [True, False])
def test_no_registry_describes_manifests_for_another(
    registry: Registry, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch, liar_first: bool
) -> None:
    Liar.fake = fake
    monkeypatch.setitem(CONNECTORS, "liar", Liar)
    liar = Registry.objects.create(name="liar", kind="liar", url=fake.url, allow_private=True)
    for _ in range(2):  # who told of it before tells nothing new
        for one in (liar, registry) if liar_first else (registry, liar):
            Repository.objects.filter(registry=one).update(verified_at=None)
            succeed(one)

    image = Manifest.objects.get(digest=fake.repositories["team/app1"].tags["1"])
    assert (image.kind, image.subject_digest, image.total_size) == ("image", "", SIZE)
    assert (image.os, image.architecture, image.created) == ("linux", "", None)
    assert Repository.objects.get(registry=registry, path="team/app1").unique_bytes == SIZE
    sizes = Artifact.objects.filter(manifest=image).values_list("size", flat=True)
    assert list(sizes) == [SIZE, SIZE]


@pytest.mark.parametrize("liar_first", [True, False])
def test_what_an_index_holds_is_held_whatever_another_registry_says_of_it(
    registry: Registry,
    fake: FakeRegistry,
    vendor: type[BulkConnector],
    monkeypatch: pytest.MonkeyPatch,
    liar_first: bool,
) -> None:
    def outline(self: BulkConnector, digest: Digest, pushed: Pushed) -> Outline:
        children = tuple(Child(Digest(it.digest), os="linux") for it in (AMD, ARM))
        told = BulkConnector._outline(self, digest, pushed)
        return replace(told, children=children) if told.kind is Kind.INDEX else told

    monkeypatch.setattr(vendor, "_outline", outline)
    Liar.fake = fake
    monkeypatch.setitem(CONNECTORS, "liar", Liar)
    liar = Registry.objects.create(name="liar", kind="liar", url=fake.url, allow_private=True)
    for one in (liar, registry) if liar_first else (registry, liar):
        succeed(one)

    held = Artifact.objects.filter(repository__registry=registry, repository__path="team/multi")
    assert held.count() == 3
    assert not held.filter(is_untagged=True).exists()


def test_a_notification_reads_no_document_of_what_the_vendor_describes(
    registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    new = fake.push("team/app0", content.image("newer"), "2")
    refresh(
        registry,
        [Wanted(ANNA, parts=(Part("team/app0", tags=frozenset({"2"})),))],
        source=TagMove.Source.NOTIFICATION,
    )
    assert ours(registry)["team/app0"]["2"] == new
    assert fake.seen("GET", "/manifests/") == []


# Shared out


def test_a_shared_out_run_keeps_what_the_catalog_said(
    registry: Registry, vendor: type[BulkConnector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "FAN_OUT_FROM", 1)
    vendor.pull_counts["team/app2"] = 7
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, full=False, actor=SYSTEM)
    waiting = [batch.pk for batch in execute_run(run, fan_out=True)]
    while waiting:
        following = work_on_batch(waiting.pop())
        waiting += [following.pk] if following else []
    counts = dict(Repository.objects.values_list("path", "pull_count"))
    assert Counter(counts.values()) == {7: 1, None: 3}
    assert counts["team/app2"] == 7
