"""Signatures, SBOMs and the like that no tag names: found by the referrers API, where there is one."""

from __future__ import annotations

import pytest
from aiohttp import web

from registries.models import Artifact, Manifest, Registry
from registries.oci import mediatypes
from registries.sync import referrers
from tests.fakes import content
from tests.fakes.content import Pushed
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import present, problems, succeed, sync

Kind = Manifest.Kind


def sbom(subject: Pushed, number: int = 0) -> Pushed:
    return content.artifact(
        "application/spdx+json", subject=subject, annotations={"number": str(number)}
    )


def signature(subject: Pushed) -> Pushed:
    return content.typed_artifact(mediatypes.COSIGN_SIGNATURE, subject=subject)


def kinds(registry: Registry) -> dict[str, str]:
    held = Artifact.objects.present().filter(repository__registry=registry)
    return dict(held.values_list("manifest__digest", "manifest__kind"))


def test_what_refers_to_an_image_is_read_with_it(fake: FakeRegistry, registry: Registry) -> None:
    amd = content.image()
    index = fake.push_index("app", [(amd, "linux", "amd64")], "1")
    of_index, of_platform = sbom(fake.repositories["app"].manifests[index]), signature(amd)
    for referrer in (of_index, of_platform):
        fake.push("app", referrer)

    succeed(registry)

    assert kinds(registry) == {
        index: Kind.INDEX,
        amd.digest: Kind.IMAGE,
        of_index.digest: Kind.SBOM,
        of_platform.digest: Kind.SIGNATURE,
    }
    assert Manifest.objects.get(digest=of_index.digest).subject_digest == index
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}
    assert_counters_are_true(registry)


@pytest.mark.parametrize(
    "subject", [content.chart(), content.artifact("application/vnd.example.thing")]
)
def test_what_refers_to_a_chart_or_a_thing_is_read_too(
    fake: FakeRegistry, registry: Registry, subject: Pushed
) -> None:
    signed = signature(subject)
    fake.push("app", subject, "1")
    fake.push("app", signed)

    succeed(registry)

    assert present(registry, "app") == {subject.digest, signed.digest}
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}


def test_a_registry_without_the_api_is_asked_for_it_once(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.referrers = False
    for number in range(6):
        fake.push("app", content.image(f"image {number}"), str(number))
    fake.push("app", content.chart(), "chart")

    succeed(registry)

    assert len(fake.seen(part="/referrers/")) == 1
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}


def test_what_was_attached_later_is_found_by_a_full_sync(
    fake: FakeRegistry, registry: Registry
) -> None:
    image, old = content.image(), content.schema1()
    fake.push("app", image, "1")
    fake.push("app", old, "old")
    succeed(registry)
    late = signature(image)
    fake.push("app", late)
    fake.requests.clear()

    succeed(registry)
    assert not fake.seen(part="/referrers/")

    succeed(registry, full=True)
    assert present(registry, "app") == {image.digest, old.digest, late.digest}
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}
    assert_counters_are_true(registry)


def test_referrers_that_could_not_be_read_are_asked_for_by_the_next_sync(
    fake: FakeRegistry, registry: Registry
) -> None:
    first, second = content.image("first"), content.image("second")
    fake.push("app", first, "1")
    fake.push("app", second, "2")
    signed = signature(second)
    fake.push("app", signed)
    fake.misbehave(path_has(f"/referrers/{second.digest}"), answers(500))

    run = sync(registry)

    assert run.state == "partial"
    assert problems(run) == {("app", second.digest, "server-failed")}
    assert present(registry, "app") == {first.digest, second.digest}
    fake.behave()
    succeed(registry)
    assert present(registry, "app") == {first.digest, second.digest, signed.digest}
    assert_counters_are_true(registry)


def test_a_registry_that_refuses_referrers_hides_no_image(
    fake: FakeRegistry, registry: Registry
) -> None:
    image = content.image()
    fake.push("app", image, "1")
    fake.misbehave(path_has("/referrers/"), answers(403))

    run = sync(registry)

    assert problems(run) == {("app", image.digest, "access-denied")}
    assert Artifact.objects.get().details == "complete"


def test_a_registry_that_makes_up_referrers_of_referrers_does_not_keep_us_for_ever(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.push("app", content.image(), "1")

    async def invents(request: web.Request) -> None:
        about = fake.repositories["app"].manifests[request.path.rpartition("/")[2]]
        thing = content.artifact("application/vnd.example.thing", subject=about)
        fake.push("app", thing)

    fake.misbehave(path_has("/referrers/"), invents)

    succeed(registry)

    assert len(present(registry, "app")) == 2


def test_of_very_many_referrers_some_are_read(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referrers, "MOST_REFERRERS", 3)
    image = content.image()
    fake.push("app", image, "1")
    for number in range(10):
        fake.push("app", sbom(image, number))

    succeed(registry)

    assert len(present(registry, "app")) == 1 + 3
