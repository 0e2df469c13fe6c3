"""Syncs of real registries, filled by real tools or by what they would push."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from django.core.management import call_command

from registries.actor import SYSTEM
from registries.models import Artifact, Manifest, Registry, RegistryCredential, Tag, TagMove
from registries.secret import Secret
from registries.sync.refresh import refresh_repository
from tests.live import images, registries, tools
from tests.live.pusher import Pusher, push
from tests.live.registries import RealRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, present, problems, succeed, sync

pytestmark = pytest.mark.django_db

Kind = Manifest.Kind


@pytest.fixture
def connected(registry: RealRegistry, path: str) -> Registry:
    """Portolan's connection to it, for what this test pushes only."""
    return Registry.objects.create(
        name="harbour",
        url=registry.url,
        allow_private=True,
        repository_names=[f"{path}/*", path],
    )


def test_images_and_platforms_come_as_they_were_pushed(
    registry: RealRegistry, path: str, connected: Registry
) -> None:
    base = images.layer({"etc/os-release": b"ID=tiny\n"})
    amd, arm = (images.image(base, platform=p) for p in ("linux/amd64", "linux/arm64/v8"))
    index = images.buildx_index(amd, arm)
    push(registry.url, path, amd, "1.0", "latest")
    push(registry.url, f"{path}/multi", index, "1.0")

    succeed(connected)

    assert ours(connected) == {
        path: {"1.0": amd.digest, "latest": amd.digest},
        f"{path}/multi": {"1.0": index.digest},
    }
    stored = Manifest.objects.get(digest=index.digest)
    assert stored.platforms == ["linux/amd64", "linux/arm64/v8"]
    assert [child.attests for child in stored.children.all()] == ["", "", amd.digest, arm.digest]
    assert present(connected, f"{path}/multi") == {
        index.digest,
        *(child.digest for child in index.children),
    }
    assert Manifest.objects.get(digest=arm.digest).platform == "linux/arm64/v8"
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}
    assert_counters_are_true(connected)


def test_charts_signatures_and_sboms_are_recognised(
    registry: RealRegistry, path: str, connected: Registry
) -> None:
    image = images.image(images.layer({"a": b"signed"}))
    signature, bill = images.cosign_signature(image), images.sbom(image)
    chart = images.helm_chart("mychart", "0.1.0")
    push(registry.url, path, image, "1")
    push(registry.url, path, signature, images.cosign_tag(image))
    push(registry.url, path, chart, "0.1.0")
    push(registry.url, path, bill)

    succeed(connected)

    kinds = dict(Manifest.objects.values_list("digest", "kind"))
    assert kinds[image.digest] == Kind.IMAGE
    assert kinds[signature.digest] == Kind.SIGNATURE
    assert kinds[chart.digest] == Kind.CHART
    # By the referrers API or, without it, by the fallback tag.
    assert kinds[bill.digest] == Kind.SBOM
    assert Manifest.objects.get(digest=bill.digest).subject_digest == image.digest
    assert list(Tag.objects.for_people().values_list("name", flat=True).order_by("name")) == [
        "0.1.0",
        "1",
    ]


def test_what_skopeo_copies_is_seen_by_a_refresh(
    registry: RealRegistry, path: str, connected: Registry
) -> None:
    one, two = (images.image(images.layer({"a": data})) for data in (b"1", b"2"))
    push(registry.url, path, one, "1", "latest")
    push(registry.url, f"{path}/source", two, "2")
    succeed(connected)

    place = f"docker://{registry.host}/{path}"
    tools.skopeo("copy", f"{place}/source:2", f"{place}:latest")
    refresh_repository(connected, path, source=TagMove.Source.NOTIFICATION, actor=SYSTEM)

    assert ours(connected)[path] == {"1": one.digest, "latest": two.digest}
    move = TagMove.objects.get()
    assert (move.tag, move.old_digest, move.new_digest) == ("latest", one.digest, two.digest)


def test_what_was_deleted_is_gone_after_two_syncs(
    registry: RealRegistry, path: str, connected: Registry
) -> None:
    kept, short = (images.image(images.layer({"a": data})) for data in (b"kept", b"short"))
    push(registry.url, path, kept, "kept")
    push(registry.url, path, short, "short", "lived")
    succeed(connected)

    url = f"{registry.url}/v2/{path}/manifests/{short.digest}"
    assert registries.get(url, method="DELETE")[0] == 202
    succeed(connected)
    succeed(connected)

    assert ours(connected) == {path: {"kept": kept.digest}}
    assert present(connected, path) == {kept.digest}
    assert set(TagMove.objects.values_list("tag", "new_digest")) == {("short", ""), ("lived", "")}
    assert_counters_are_true(connected)


def test_an_unchanged_registry_costs_one_request_a_tag(
    registry: RealRegistry, path: str, connected: Registry
) -> None:
    connected.repository_names = [path]
    connected.save()
    for number in range(12):
        push(registry.url, path, images.image(images.layer({"a": b"%d" % number})), f"1.{number}")
    first = succeed(connected)

    second = succeed(connected)

    assert (first.added, second.added, second.manifests_fetched) == (12, 0, 0)
    assert second.requests == 12 + 1


# Behind a password

USER, PASSWORD = "robot", "a-long-password"
# bcrypt, which is all that these registries read; of the lowest cost.
HTPASSWD = "robot:$2b$04$BTCegFafIUufekJ1x4zg8.UXyZcW91uAFf.Mutyga3C1FlpLK1kQK\n"


@pytest.fixture(params=registries.available())
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    """Each real registry in turn, open to one user, with one repository in it."""
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text(HTPASSWD, encoding="utf-8")
    realm = {} if request.param == "zot" else {"realm": "live"}
    auth = {"htpasswd": {"path": str(htpasswd), **realm}}
    with registries.running(request.param, tmp_path / "registry", auth=auth) as running:
        asyncio.run(_push_signed_in(running.url))
        yield running


async def _push_signed_in(url: str) -> None:
    image = images.image(images.layer({"a": b"1"}))
    async with Pusher(url, auth=aiohttp.BasicAuth(USER, PASSWORD)) as pusher:
        await pusher.push("team/app", image, "1")


def connect(closed: RealRegistry, password: str | None) -> Registry:
    registry = Registry.objects.create(name="closed", url=closed.url, allow_private=True)
    if password:
        RegistryCredential.objects.create(registry=registry, username=USER, secret=Secret(password))
    return registry


def test_the_right_password_opens_a_registry(closed: RealRegistry) -> None:
    registry = connect(closed, PASSWORD)
    out = io.StringIO()

    call_command("sync", "closed", "--json", stdout=out)

    said = json.loads(out.getvalue())
    assert (said["status"], said["repositories"], said["tags"]) == ("succeeded", 1, 1)
    assert ours(registry).keys() == {"team/app"}


@pytest.mark.parametrize("password", [None, "another-password"], ids=["none", "wrong"])
def test_without_the_right_password_nothing_is_read_and_the_reason_is_told(
    closed: RealRegistry, password: str | None
) -> None:
    registry = connect(closed, password)

    run = sync(registry)

    assert run.state == "failed"
    assert problems(run) == {("", "", "authentication-failed")}
    assert registry.health == Registry.Health.UNREACHABLE
    assert registry.health_detail
    assert not ours(registry)


def test_a_password_that_was_changed_costs_nothing_that_was_known(closed: RealRegistry) -> None:
    registry = connect(closed, PASSWORD)
    succeed(registry)
    before = ours(registry)
    RegistryCredential.objects.filter(registry=registry).delete()
    RegistryCredential.objects.create(registry=registry, username=USER, secret=Secret("old"))

    for _ in range(2):
        assert sync(registry).state == "failed"

    assert ours(registry) == before
