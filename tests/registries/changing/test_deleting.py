"""Changes at a registry: deleted there, known to be gone here, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from access.models import AuditEntry
from registries.actor import Actor
from registries.changing import others
from registries.changing.consequences import consequences_of
from registries.changing.deleting import MOST_TAGS, delete_image, delete_repository, untag
from registries.changing.outcomes import Outcome
from registries.connectors.gar import removal
from registries.events import Event, happened
from registries.models import Artifact, Registry, RegistryCredential, Repository, TagMove
from registries.oci.reference import Digest
from registries.secret import Secret
from registries.sync.parts import Part
from registries.sync.refresh import Wanted, refresh, refresh_repository
from tests.fakes import content
from tests.fakes.gitea import FakeGitea
from tests.fakes.google import FakeGar, account, key_file
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.registry import FakeRegistry
from tests.fakes.zot import FakeZot
from tests.registries.changing.ground import PATH, artifact, names, seen, synced
from tests.registries.sync.syncing import present, succeed, theirs

ANNA = Actor(kind="user", id="7", label="anna")
# At most what the registry is asked, with a 401 for each session: HEAD and DELETE, HEAD and GET.
FEW = 8


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    received: list[Event] = []

    def receive(events: tuple[Event, ...], **_: Any) -> None:
        received.extend(events)

    happened.connect(receive)
    yield received
    happened.disconnect(receive)


@pytest.fixture
def zot(db: None) -> Iterator[FakeZot]:
    with FakeZot() as fake:
        yield fake


@pytest.fixture
def gitea(db: None) -> Iterator[FakeGitea]:
    with FakeGitea() as fake:
        yield fake


@pytest.fixture
def plain(db: None) -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        yield fake


def kinds(heard: list[Event]) -> list[str]:
    return sorted(type(event).__name__ for event in heard)


# Tags -------------------------------------------------------------------------------------------


def test_a_tag_is_taken_away_there_and_here_and_the_others_stay(
    zot: FakeZot, heard: list[Event]
) -> None:
    repository = synced(zot, "zot")
    heard.clear()
    outcomes = untag(repository=repository, seen=seen(repository, "1.0"), actor=ANNA)
    assert outcomes == [Outcome("1.0")]
    assert set(zot.repositories[PATH].tags) == names(repository) == {"1.0.1", "2.0"}
    assert kinds(heard) == ["TagDeleted", "TagTakenAway"]
    move = TagMove.objects.get(tag="1.0", new_digest="")
    assert (move.source, move.actor_label) == ("action", "anna")
    assert len(zot.requests) <= FEW


def test_with_its_last_tag_an_image_goes_where_the_registry_does_it_so(zot: FakeZot) -> None:
    repository = synced(zot, "zot")
    last = artifact(repository, "2.0")
    untag(repository=repository, seen=seen(repository, "2.0"), actor=ANNA)
    last.refresh_from_db()
    assert last.missing_since is not None


def test_a_tag_that_moved_since_it_was_seen_is_left_alone(zot: FakeZot) -> None:
    repository = synced(zot, "zot")
    as_seen = seen(repository, "1.0", "2.0")
    zot.push(PATH, content.image("newer"), "2.0")
    old, moved = untag(repository=repository, seen=as_seen, actor=ANNA)
    assert old.is_done
    assert "another image" in moved.problem
    assert "2.0" in zot.repositories[PATH].tags


def test_one_refusal_of_many_is_told_and_kept_and_stops_no_other(zot: FakeZot) -> None:
    repository = synced(zot, "zot")
    zot.misbehave(path_has("/manifests/1.0.1", method="DELETE"), answers(403))
    outcomes = untag(repository=repository, seen=seen(repository, "1.0.1", "2.0"), actor=ANNA)
    assert [outcome.is_done for outcome in outcomes] == [False, True]
    assert "does not let this account delete" in outcomes[0].problem
    assert "right to delete" in outcomes[0].advice
    assert names(repository) == {"1.0", "1.0.1"}
    kept = AuditEntry.objects.order_by("number").values_list("event", "actor_label", "target")
    assert ("tag taken away", "anna", f"{PATH}:2.0") in kept
    assert ("change refused", "anna", PATH) in kept


def test_a_tag_that_is_gone_already_is_no_failure_and_nobody_did_it(
    zot: FakeZot, heard: list[Event]
) -> None:
    repository = synced(zot, "zot")
    as_seen = seen(repository, "2.0")
    zot.delete_tag(PATH, "2.0")
    heard.clear()
    assert untag(repository=repository, seen=as_seen, actor=ANNA) == [Outcome("2.0", was_gone=True)]
    assert "TagTakenAway" not in kinds(heard)
    assert "2.0" not in names(repository)


def test_a_registry_that_is_away_says_so_for_each_tag(zot: FakeZot) -> None:
    repository = synced(zot, "zot")
    zot.misbehave(path_has("/v2/"), answers(503))
    outcomes = untag(repository=repository, seen=seen(repository, "1.0", "2.0"), actor=ANNA)
    assert all("503" in outcome.problem for outcome in outcomes)
    assert names(repository) == {"1.0", "1.0.1", "2.0"}


def test_a_kind_that_takes_no_tags_away_refuses_in_words(plain: FakeRegistry) -> None:
    repository = synced(plain)
    (outcome,) = untag(repository=repository, seen=seen(repository, "1.0"), actor=ANNA)
    assert "does not let Portolan take a tag away" in outcome.problem
    assert set(plain.repositories[PATH].tags) == {"1.0", "1.0.1", "2.0"}


def test_more_tags_than_anybody_waits_for_are_refused_before_the_first(zot: FakeZot) -> None:
    repository = synced(zot, "zot")
    many = {f"t{number}": "sha256:" + "0" * 64 for number in range(MOST_TAGS + 1)}
    with pytest.raises(ValidationError):
        untag(repository=repository, seen=many, actor=ANNA)
    assert not zot.requests


# Images -----------------------------------------------------------------------------------------


def test_an_image_is_deleted_with_all_its_tags(plain: FakeRegistry, heard: list[Event]) -> None:
    repository = synced(plain)
    heard.clear()
    image = artifact(repository, "1.0")
    outcome = delete_image(artifact=image, seen_tags=2, breaks_indexes=False, actor=ANNA)
    assert outcome == Outcome(image.manifest.digest)
    assert names(repository) == set(plain.repositories[PATH].tags) == {"2.0"}
    assert kinds(heard) == ["ArtifactGone", "ImageDeleted", "TagDeleted", "TagDeleted"]
    entry = AuditEntry.objects.get(event="image deleted")
    assert entry.old == {"digest": image.manifest.digest, "tags": ["1.0", "1.0.1"]}


def test_an_image_with_other_tags_than_were_seen_is_not_deleted(plain: FakeRegistry) -> None:
    repository = synced(plain)
    with pytest.raises(ValidationError, match="2 tags"):
        delete_image(
            artifact=artifact(repository, "1.0"), seen_tags=1, breaks_indexes=False, actor=ANNA
        )
    assert not plain.requests


def test_a_platform_of_an_index_is_deleted_only_if_one_insists(plain: FakeRegistry) -> None:
    platform = content.image("arm", architecture="arm64")
    plain.push_index(PATH, [(platform, "linux", "arm64")], "multi")
    repository = synced(plain)
    child = repository.artifacts.select_related("manifest", "repository__registry").get(
        manifest__digest=platform.digest
    )
    with pytest.raises(ValidationError, match="index"):
        delete_image(artifact=child, seen_tags=0, breaks_indexes=False, actor=ANNA)
    assert not plain.requests
    assert delete_image(artifact=child, seen_tags=0, breaks_indexes=True, actor=ANNA).is_done
    assert platform.digest not in plain.repositories[PATH].manifests
    child.refresh_from_db()
    assert child.missing_since is not None


def test_a_tag_that_was_set_there_since_the_last_sync_keeps_its_image_and_is_known_then(
    plain: FakeRegistry,
) -> None:
    repository = synced(plain)
    image = artifact(repository, "2.0")
    plain.repositories[PATH].tags["production"] = image.manifest.digest
    with pytest.raises(ValidationError, match=r"1 more tag points at it \(production\)"):
        delete_image(artifact=image, seen_tags=1, breaks_indexes=False, actor=ANNA)
    assert set(plain.repositories[PATH].tags) == {"1.0", "1.0.1", "2.0", "production"}
    assert names(repository) == {"1.0", "1.0.1", "2.0", "production"}
    # Who looked is not who set it.
    assert TagMove.objects.get(tag="production").actor_label != "anna"
    seal = consequences_of(image).seal
    assert delete_image(
        artifact=image, seen_tags=2, seen=seal, breaks_indexes=False, actor=ANNA
    ).is_done
    assert names(repository) == set(plain.repositories[PATH].tags) == {"1.0", "1.0.1"}


@pytest.mark.parametrize("bulk", [False, True])
def test_a_known_tag_that_was_moved_there_since_the_last_sync_keeps_its_image(
    request: pytest.FixtureRequest, bulk: bool
) -> None:
    fake: FakeRegistry = request.getfixturevalue("zot" if bulk else "plain")
    repository = synced(fake, "zot" if bulk else "distribution")
    image = artifact(repository, "2.0")
    fake.repositories[PATH].tags["1.0"] = image.manifest.digest
    with pytest.raises(ValidationError, match=r"\(1\.0\)"):
        delete_image(artifact=image, seen_tags=1, breaks_indexes=False, actor=ANNA)
    assert "2.0" in fake.repositories[PATH].tags
    assert artifact(repository, "1.0") == image


def test_where_there_are_more_new_tags_than_anybody_waits_for_an_image_stays(
    plain: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = synced(plain)
    image = artifact(repository, "1.0")
    monkeypatch.setattr(others, "MOST_ASKED", 2)
    for number in range(3):
        plain.repositories[PATH].tags[f"new{number}"] = image.manifest.digest
    with pytest.raises(ValidationError, match="not read yet"):
        delete_image(artifact=image, seen_tags=2, breaks_indexes=False, actor=ANNA)
    assert not [asked for asked in plain.requests if asked.method == "DELETE"]
    assert {"new0", "new1", "new2"} < names(repository)


def test_tags_that_cannot_be_listed_keep_their_image(plain: FakeRegistry) -> None:
    repository = synced(plain)
    plain.misbehave(path_has("/tags/list"), answers(503))
    outcome = delete_image(
        artifact=artifact(repository, "2.0"), seen_tags=1, breaks_indexes=False, actor=ANNA
    )
    assert "503" in outcome.problem
    assert "2.0" in plain.repositories[PATH].tags


def test_another_tag_in_place_of_the_one_that_was_seen_keeps_its_image(
    plain: FakeRegistry,
) -> None:
    repository = synced(plain)
    as_seen = consequences_of(artifact(repository, "2.0")).seal
    tags = plain.repositories[PATH].tags
    tags["production"] = tags.pop("2.0")
    refresh_repository(repository.registry, PATH, source=TagMove.Source.SYNC, actor=ANNA)
    plain.requests.clear()
    with pytest.raises(ValidationError, match="other tags point at it"):
        delete_image(
            artifact=artifact(repository, "production"),
            seen_tags=1,
            seen=as_seen,
            breaks_indexes=False,
            actor=ANNA,
        )
    assert not plain.requests


def test_that_one_index_may_break_says_nothing_of_another(plain: FakeRegistry) -> None:
    platform = content.image("arm", architecture="arm64")
    plain.push_index(PATH, [(platform, "linux", "arm64")], "multi")
    repository = synced(plain)
    child = repository.artifacts.select_related("manifest", "repository__registry").get(
        manifest__digest=platform.digest
    )
    as_seen = consequences_of(child).seal
    plain.push_index(PATH, [(platform, "linux", "arm64")], "other", "multi-2")
    other = content.image("amd")
    plain.push_index(PATH, [(platform, "linux", "arm64"), (other, "linux", "amd64")], "multi")
    refresh_repository(repository.registry, PATH, source=TagMove.Source.SYNC, actor=ANNA)
    with pytest.raises(ValidationError, match="other indexes hold it"):
        delete_image(artifact=child, seen_tags=0, seen=as_seen, breaks_indexes=True, actor=ANNA)
    assert platform.digest in plain.repositories[PATH].manifests


def test_where_deletes_are_off_the_registry_says_what_to_do(plain: FakeRegistry) -> None:
    plain.deletes = False
    repository = synced(plain)
    outcome = delete_image(
        artifact=artifact(repository, "2.0"), seen_tags=1, breaks_indexes=False, actor=ANNA
    )
    assert "does not delete" in outcome.problem
    assert outcome.advice == "Allow deletes in the registry's own configuration."
    assert names(repository) == {"1.0", "1.0.1", "2.0"}


def test_what_the_registry_still_shows_stays_here_and_is_said_to_linger(
    plain: FakeRegistry,
) -> None:
    repository = synced(plain)
    plain.misbehave(path_has("/manifests/", method="DELETE"), answers(202))
    outcome = delete_image(
        artifact=artifact(repository, "2.0"), seen_tags=1, breaks_indexes=False, actor=ANNA
    )
    assert outcome.lingers
    assert "2.0" in names(repository)


# Google takes tags first ------------------------------------------------------------------------


IMAGES = "acme/images/api"


@pytest.fixture
def google(db: None) -> Iterator[FakeGar]:
    with FakeGar() as fake:
        yield fake


def platform_at(google: FakeGar) -> Artifact:
    """A platform as a sync brings it here, with a tag of its own and no index yet."""
    image = content.image("arm", architecture="arm64")
    google.push(IMAGES, image, "arm")
    google.push(IMAGES, content.image("other"), "other")
    registry = Registry.objects.create(
        name="google",
        kind="gar",
        url=google.url,
        allow_private=True,
        options=dict(account(google).options),
    )
    RegistryCredential.objects.create(
        registry=registry, username="_json_key", secret=Secret(key_file())
    )
    succeed(registry)
    return artifact(Repository.objects.select_related("registry").get(path=IMAGES), "arm")


def hold(google: FakeGar) -> str:
    image = content.image("arm", architecture="arm64")
    return google.push_index(IMAGES, [(image, "linux", "arm64")], "multi")


def test_where_an_index_holds_it_for_good_nothing_is_tried(google: FakeGar) -> None:
    image = platform_at(google)
    index = Digest(hold(google))
    read = Part(IMAGES, tags=frozenset({"multi"}), documents=frozenset({index}))
    refresh(image.repository.registry, [Wanted(ANNA, parts=(read,))], source=TagMove.Source.SYNC)
    google.requests.clear()
    outcome = delete_image(artifact=image, seen_tags=1, breaks_indexes=True, actor=ANNA)
    assert "an index holds it" in outcome.problem
    assert "Delete the index first" in outcome.advice
    assert not google.seen("DELETE")


def test_tags_of_a_refused_image_come_back_and_nothing_is_told_of_them(
    google: FakeGar, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_MOST_READ", 0)
    image = platform_at(google)
    hold(google)
    heard.clear()
    outcome = delete_image(artifact=image, seen_tags=1, breaks_indexes=False, actor=ANNA)
    assert "an index still names it" in outcome.problem
    assert google.repositories[IMAGES].tags["arm"] == image.manifest.digest
    assert "arm" in names(image.repository)
    assert kinds(heard) == ["ChangeRefused"]


def test_tags_that_a_refused_image_lost_are_told_and_gone_here_too(
    google: FakeGar, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_MOST_READ", 0)
    image = platform_at(google)
    hold(google)
    heard.clear()
    google.misbehave(path_has("/manifests/", method="PUT"), answers(403))
    outcome = delete_image(artifact=image, seen_tags=1, breaks_indexes=False, actor=ANNA)
    assert outcome.problem.endswith("they could not be put back: arm.")
    assert names(image.repository) == {"other"}
    assert kinds(heard) == ["ChangeRefused", "TagDeleted", "TagTakenAway"]
    kept = AuditEntry.objects.values_list("event", "actor_label", "target")
    assert ("tag taken away", "anna", f"{IMAGES}:arm") in kept


# Repositories -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_a_repository_is_deleted_and_gone_here_at_once(
    gitea: FakeGitea, heard: list[Event], at_once: bool
) -> None:
    gitea.deletes_packages = at_once
    repository = synced(gitea, "gitea")
    heard.clear()
    assert delete_repository(repository=repository, actor=ANNA) == Outcome(PATH)
    repository.refresh_from_db()
    assert not names(repository)
    assert (repository.missing_since is not None) is at_once
    assert not present(repository.registry, PATH)
    assert kinds(heard).count("TagDeleted") == 3
    assert "RepositoryDeleted" in kinds(heard)
    moves = TagMove.objects.filter(new_digest="").values_list("source", "actor_label").distinct()
    assert list(moves) == [("action", "anna")]


def test_a_repository_that_was_not_deleted_stays(gitea: FakeGitea) -> None:
    repository = synced(gitea, "gitea")
    gitea.misbehave(path_has("/api/v1/", method="DELETE"), answers(403))
    outcome = delete_repository(repository=repository, actor=ANNA)
    assert "does not let this credential" in outcome.problem
    assert theirs(gitea)[PATH].keys() == names(repository)
