"""What images and other things look like in our copy once a sync has read them."""

from __future__ import annotations

import pytest

from registries.models import Artifact, Blob, ImageConfig, Manifest, Registry, Repository, Tag
from registries.oci import mediatypes
from tests.fakes import content
from tests.fakes.content import Pushed
from tests.fakes.misbehaviour import answers, answers_bare_404, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true, size_of
from tests.registries.sync.syncing import present, problems, succeed, sync

Kind = Manifest.Kind


def test_an_image_is_known_with_its_config_and_layers(
    fake: FakeRegistry, registry: Registry
) -> None:
    image = content.image(architecture="arm64", labels={"team": "charts"}, layers=(b"1", b"22"))
    fake.push("app", image, "1")

    succeed(registry)

    manifest = Manifest.objects.get(digest=image.digest)
    assert manifest.document == image.raw
    assert (manifest.kind, manifest.platform) == (Kind.IMAGE, "linux/arm64")
    assert manifest.created is not None
    assert manifest.created.year == 2026
    assert [layer.blob.digest for layer in manifest.layers.all()] == [
        content.digest_of(b"1"),
        content.digest_of(b"22"),
    ]
    config = ImageConfig.objects.get(digest=manifest.config_digest)
    assert config.data["labels"]["team"] == "charts"
    assert len(config.data["history"]) == 2
    tag = Tag.objects.get()
    assert (tag.size, tag.dated_at, tag.dated_by) == (size_of(manifest), manifest.created, "built")


def test_a_multi_platform_image_has_its_platforms_and_no_attestation_among_them(
    fake: FakeRegistry, registry: Registry
) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    children = [(amd, "linux", "amd64"), (arm, "linux", "arm64")]
    digest = fake.push_index("app", children, "1", attested=True)

    succeed(registry)

    index = Manifest.objects.get(digest=digest)
    assert (index.kind, index.platforms) == (Kind.INDEX, ["linux/amd64", "linux/arm64"])
    assert index.created is not None
    assert [child.attests for child in index.children.all()] == ["", "", amd.digest, arm.digest]
    assert present(registry, "app") == set(fake.repositories["app"].manifests)
    kinds = Manifest.objects.filter(digest__in=present(registry, "app")).values_list("kind")
    assert sorted(kind for (kind,) in kinds) == ["attestation"] * 2 + ["image"] * 2 + ["index"]
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}


def test_an_index_counts_what_its_platforms_share_once(
    fake: FakeRegistry, registry: Registry
) -> None:
    base = b"base" * 1000
    amd = content.image("amd", layers=(base, b"amd"))
    arm = content.image("arm", architecture="arm64", layers=(base, b"arm"))
    digest = fake.push_index("app", [(amd, "linux", "amd64"), (arm, "linux", "arm64")], "1")

    succeed(registry)

    index = fake.repositories["app"].manifests[digest]
    blobs = {**amd.blobs, **arm.blobs}
    size = sum(map(len, (index.raw, amd.raw, arm.raw, *blobs.values())))
    assert Manifest.objects.get(digest=digest).total_size == size
    assert Tag.objects.get().size == size
    repository = Repository.objects.get()
    assert (repository.logical_bytes, repository.unique_bytes) == (size, size)


@pytest.mark.parametrize("together", [2000, 1], ids=["together", "apart"])
def test_an_index_within_an_index_is_added_up_first(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("registries.sync.details.SETTLED_TOGETHER", together)
    image = content.image()
    inner, _ = content.index([(image, "linux", "amd64")])
    fake.push("app", image)
    fake.push("app", inner)
    outer = fake.push_index("app", [(inner, "linux", "amd64")], "1")

    succeed(registry)

    raws = [it.raw for it in fake.repositories["app"].manifests.values()]
    size = sum(map(len, (*raws, *image.blobs.values())))
    assert Manifest.objects.get(digest=outer).total_size == size
    assert Tag.objects.get().size == size


KINDS = {
    "chart": (content.chart(), Kind.CHART),
    "signature": (content.typed_artifact(mediatypes.COSIGN_SIGNATURE), Kind.SIGNATURE),
    "attestation": (content.typed_artifact(mediatypes.DSSE_ENVELOPE), Kind.ATTESTATION),
    "spdx": (content.typed_artifact("application/spdx+json"), Kind.SBOM),
    "thing": (content.artifact("application/vnd.example.thing"), Kind.ARTIFACT),
    "schema1": (content.schema1(), Kind.IMAGE),
    "docker": (content.image(docker=True), Kind.IMAGE),
}


@pytest.mark.parametrize(("pushed", "kind"), KINDS.values(), ids=KINDS)
def test_what_a_thing_is_gets_recognised(
    fake: FakeRegistry, registry: Registry, pushed: Pushed, kind: Kind
) -> None:
    fake.push("app", pushed, "1")

    succeed(registry)

    manifest = Manifest.objects.get()
    assert (manifest.digest, manifest.kind) == (pushed.digest, kind)
    assert Artifact.objects.get().details == "complete"


def test_a_signature_and_an_sbom_name_their_subject(fake: FakeRegistry, registry: Registry) -> None:
    image = content.image()
    sbom = content.artifact("application/spdx+json", subject=image)
    fake.push("app", image, "1")
    fake.push("app", sbom, image.digest.replace(":", "-"))

    succeed(registry)

    assert Manifest.objects.get(subject_digest=image.digest).digest == sbom.digest


def test_an_image_of_schema_1_tells_its_config_too(fake: FakeRegistry, registry: Registry) -> None:
    old = content.schema1()
    fake.push("library/old", old, "latest")

    succeed(registry)

    manifest = Manifest.objects.get()
    assert (manifest.platform, manifest.layers.count()) == ("linux/amd64", 2)
    config = ImageConfig.objects.get(digest=manifest.config_digest)
    assert config.data["labels"] == {"old": "yes"}
    assert manifest.created is not None


def test_the_size_of_a_layer_is_learned_from_whoever_says_it(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("old", content.schema1(), "1")
    succeed(registry)
    fake.push("new", content.image(layers=(b"base",)), "1")  # the same layer, of four bytes
    succeed(registry)

    assert Blob.objects.get(digest=content.digest_of(b"base")).size == 4


@pytest.mark.parametrize("liar_first", [True, False])
def test_nobody_makes_what_others_hold_larger(
    fake: FakeRegistry, registry: Registry, liar_first: bool
) -> None:
    honest = content.image(layers=(b"base", b"app"))
    document = honest.document
    for claimed in (document["config"], *document["layers"]):
        claimed["size"] = 2**62
    with FakeRegistry() as other:
        liar = content.Pushed(content.as_bytes(document), honest.media_type, honest.blobs)
        other.push("base", liar, "1")
        second = Registry.objects.create(name="second", url=other.url, allow_private=True)
        fake.push_index("app", [(honest, "linux", "amd64")], "1")
        for one in (second, registry) if liar_first else (registry, second):
            sync(one)

    raws = [it.raw for it in fake.repositories["app"].manifests.values()]
    size = sum(map(len, (*raws, *honest.blobs.values())))
    held = Repository.objects.get(registry=registry)
    assert (held.unique_bytes, held.logical_bytes) == (size, size)
    artifacts = Artifact.objects.filter(repository=held)
    assert set(artifacts.values_list("details", flat=True)) == {"complete"}  # its config was read


# Content that several repositories or registries hold


@pytest.fixture
def shared(fake: FakeRegistry) -> tuple[Pushed, Pushed]:
    """One multi-platform image, in two repositories."""
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    for path in ("team-a/app", "team-b/app"):
        fake.push_index(path, [(amd, "linux", "amd64"), (arm, "linux", "arm64")], "1")
    return amd, arm


def test_each_repository_has_all_that_its_index_lists(
    fake: FakeRegistry, registry: Registry, shared: tuple[Pushed, Pushed]
) -> None:
    succeed(registry)

    for path in ("team-a/app", "team-b/app"):
        assert present(registry, path) == set(fake.repositories[path].manifests)
        for one in shared:
            config = one.document["config"]["digest"]
            assert len(fake.seen("GET", f"{path}/manifests/{one.digest}")) == 1
            assert len(fake.seen("GET", f"{path}/blobs/{config}")) == 1
    assert_counters_are_true(registry)


def test_what_another_repository_holds_is_not_shown_unproved(
    fake: FakeRegistry, registry: Registry, shared: tuple[Pushed, Pushed]
) -> None:
    _, arm = shared
    del fake.repositories["team-b/app"].manifests[arm.digest]

    run = sync(registry)

    assert problems(run) == {("team-b/app", arm.digest, "not-found")}
    assert arm.digest in present(registry, "team-a/app")
    assert arm.digest not in present(registry, "team-b/app")
    details = dict(
        Artifact.objects.filter(manifest__kind="index").values_list("repository__path", "details")
    )
    assert details == {"team-a/app": "complete", "team-b/app": "unavailable"}


@pytest.mark.parametrize("second_registry", [False, True], ids=["repository", "registry"])
def test_a_config_is_proved_wherever_it_is_named(
    fake: FakeRegistry, registry: Registry, second_registry: bool
) -> None:
    image = content.image()
    fake.push("team-a/app", image, "1")
    with FakeRegistry() as other:
        thief = other if second_registry else fake
        thief.push("team-b/app", image, "1")
        thief.repositories["team-b/app"].blobs.clear()
        sync(registry)
        second = Registry.objects.create(name="second", url=other.url, allow_private=True)
        sync(second)

    details = dict(Artifact.objects.values_list("repository__path", "details"))
    assert details == {"team-a/app": "complete", "team-b/app": "unavailable"}


def test_a_config_that_failed_here_is_not_taken_from_another_repository(
    fake: FakeRegistry, registry: Registry
) -> None:
    for path in ("team-a/app", "team-b/app"):
        fake.push(path, content.image(), "1")
    fake.misbehave(path_has("team-b/app/blobs"), answers(500))

    sync(registry)

    details = dict(Artifact.objects.values_list("repository__path", "details"))
    assert details == {"team-a/app": "complete", "team-b/app": "pending"}


def test_a_second_registry_stores_nothing_twice(fake: FakeRegistry, registry: Registry) -> None:
    image = content.image()
    fake.push("app", image, "1")
    succeed(registry)
    with FakeRegistry() as other:
        other.push("app", image, "1")
        second = Registry.objects.create(name="second", url=other.url, allow_private=True)
        succeed(second)

    assert Manifest.objects.count() == 1
    assert Artifact.objects.count() == 2
    assert present(registry, "app") == present(second, "app") == {image.digest}


# What could not be read


def test_a_missing_platform_leaves_the_others_in_view(
    fake: FakeRegistry, registry: Registry
) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    digest = fake.push_index("app", [(amd, "linux", "amd64"), (arm, "linux", "arm64")], "1")
    del fake.repositories["app"].manifests[arm.digest]

    run = sync(registry)

    assert run.state == "partial"
    index = Manifest.objects.get(digest=digest)
    assert index.total_size == size_of(index)
    assert amd.digest in present(registry, "app")
    assert_counters_are_true(registry)


def test_what_was_refused_is_asked_for_again_by_a_full_sync_only(
    fake: FakeRegistry, registry: Registry
) -> None:
    image = content.image()
    fake.push("app", image, "1")
    config = image.document["config"]["digest"]
    blobs = dict(fake.repositories["app"].blobs)
    fake.repositories["app"].blobs.clear()
    assert sync(registry).state == "partial"
    fake.repositories["app"].blobs.update(blobs)
    fake.requests.clear()

    succeed(registry)
    assert not fake.seen(part=config)

    succeed(registry, full=True)
    assert Artifact.objects.get().details == "complete"
    assert Manifest.objects.get().architecture == "amd64"


@pytest.mark.parametrize("status", [401, 500], ids=["password expired", "failed"])
def test_what_failed_for_now_is_asked_for_by_the_next_sync(
    fake: FakeRegistry, registry: Registry, status: int
) -> None:
    fake.push("app", content.image(), "1")
    fake.misbehave(path_has("/blobs/"), answers(status))
    assert sync(registry).state == "partial"
    assert Artifact.objects.get().details == "pending"

    fake.behave()
    succeed(registry)

    assert Artifact.objects.get().details == "complete"


@pytest.mark.parametrize("what", ["manifests", "blobs"])
def test_what_a_proxy_says_is_not_there_is_asked_for_again(
    fake: FakeRegistry, registry: Registry, what: str
) -> None:
    image = content.image()
    fake.push_index("app", [(image, "linux", "amd64")], "1")
    part = {"manifests": image.digest, "blobs": image.document["config"]["digest"]}[what]
    fake.misbehave(path_has(part), answers_bare_404())
    assert problems(sync(registry)) == {("app", part, "not-found")}

    fake.behave()
    succeed(registry)

    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}
    assert Manifest.objects.get(digest=image.digest).architecture == "amd64"
    assert_counters_are_true(registry)


def test_a_failure_counts_for_everything_that_shares_what_failed(
    fake: FakeRegistry, registry: Registry
) -> None:
    shared = content.image("shared")
    for number in range(3):
        other = content.image(f"other {number}", architecture="arm64")
        children = [(shared, "linux", "amd64"), (other, "linux", "arm64")]
        fake.push_index("app", children, str(number))
    del fake.repositories["app"].manifests[shared.digest]

    sync(registry)

    indexes = Artifact.objects.filter(manifest__kind="index")
    assert [it.details for it in indexes] == ["unavailable"] * 3
    assert len(fake.seen(part=shared.digest)) == 1
