"""A real Gitea: found out, synced, and what is deleted there by Portolan.

`make gitea` builds it; without, this is skipped. What it shows holds tests/fakes/gitea.py to the truth.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from django.utils import timezone

from registries.actor import SYSTEM
from registries.changing.deleting import delete_image, delete_repository, untag
from registries.connectors import connect, detect
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.models import Artifact, Registry, RegistryCredential, Repository, Tag
from registries.oci.connection import Connection
from registries.secret import Secret
from tests.fakes.receiver import FakeReceiver
from tests.live import gitea, images, layout, tools
from tests.live.gitea import PASSWORD, USER
from tests.live.pusher import Pusher
from tests.registries.sync.syncing import ours, present, succeed
from webhooks.inbound.senders import understand
from webhooks.inbound.told import Told
from webhooks.inbound.verify import Key, signed

pytestmark = pytest.mark.django_db
APP, WEB = f"{USER}/app", f"{USER}/tools/web.site"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gitea.running(tmp_path_factory.mktemp("gitea")) as url:
        yield url


def test_a_real_gitea_is_synced_and_changed(url: str, tmp_path: Path) -> None:
    app = images.image(images.layer({"app": b"1"}))
    source = layout.write(tmp_path / "app", app)
    for tag in ("1.0", "Latest"):
        place = f"docker://{url.removeprefix('http://')}/{APP}:{tag}"
        tools.skopeo("copy", "--dest-creds", f"{USER}:{PASSWORD}", f"oci:{source}:1", place)
    web = images.index(
        images.image(images.layer({"web": b"1"})), images.image(platform="linux/arm64")
    )
    asyncio.run(_push(url, WEB, web, "2.0"))

    found = asyncio.run(detect(Connection(url, allow_private=True)))
    assert found.kind == "gitea"
    registry = _connected(url)
    succeed(registry)

    # Names of tags come in lower case, whatever was pushed.
    assert ours(registry) == {
        APP: {"1.0": app.digest, "latest": app.digest},
        WEB: {"2.0": web.digest},
    }
    assert present(registry, WEB) == {web.digest, *(child.digest for child in web.children)}

    application = Repository.objects.select_related("registry").get(path=APP)
    (outcome,) = untag(repository=application, seen={"latest": app.digest}, actor=SYSTEM)
    assert (outcome.problem, outcome.lingers) == ("", False)
    assert ours(registry)[APP] == {"1.0": app.digest}

    image = Artifact.objects.select_related("manifest", "repository__registry").get(
        repository=application
    )
    outcome = delete_image(artifact=image, seen_tags=1, breaks_indexes=False, actor=SYSTEM)
    assert (outcome.problem, outcome.lingers) == ("", False)
    assert not present(registry, APP)

    site = Repository.objects.select_related("registry").get(path=WEB)
    outcome = delete_repository(repository=site, actor=SYSTEM)
    assert (outcome.problem, outcome.lingers) == ("", False)
    assert not Tag.objects.filter(repository__registry=registry).exists()
    succeed(registry)
    assert not any(ours(registry).values())


def test_a_real_gitea_tells_of_pushes_and_deletions(url: str, tmp_path: Path) -> None:
    path = f"{USER}/told"
    image = images.image(images.layer({"told": b"1"}))
    place = f"docker://{url.removeprefix('http://')}/{path}:1.0"
    credentials = ("--creds", f"{USER}:{PASSWORD}")
    with FakeReceiver() as receiver:
        made = asyncio.run(_hooked(url, receiver.url()))
        asyncio.run(_push(url, path, image, "1.0"))
        tools.skopeo("delete", *credentials, place)
        _wait_for(receiver, 2)
    assert (made.address, made.events) == (receiver.url(), ("package",))
    secret = Key("1", "", lambda: Secret("a-secret-of-32-characters-and-more"))
    heard = []
    for it in receiver.received:
        assert signed(it.headers["x-hub-signature-256"], it.body, [secret]) == secret
        heard += [told for told, _ in understand(it.headers, it.body)]
    assert {(it.verb, it.repository, it.tag) for it in heard if isinstance(it, Told)} == {
        ("push", path, "1.0"),
        ("delete", path, "1.0"),
    }


async def _hooked(url: str, address: str) -> NativeWebhook:
    """The webhook of the account's own packages, set up twice and there once."""
    reached = Connection(url, username=USER, password=PASSWORD, allow_private=True)
    secret = "a-secret-of-32-characters-and-more"
    wanted = NewWebhook("portolan-git", address, "", "", USER, secret)
    async with connect("gitea", reached) as connector:
        await connector.create_webhook(wanted)
        made = await connector.create_webhook(wanted)
        report = await connector.report()
        assert [(it.id, it.name) for it in report.webhooks] == [(made.id, "portolan-git")]
        assert secret not in str(report)
        return made


def _wait_for(receiver: FakeReceiver, deliveries: int) -> None:
    deadline = time.monotonic() + 30
    while len(receiver.received) < deliveries and time.monotonic() < deadline:
        time.sleep(0.05)


def _connected(url: str) -> Registry:
    registry = Registry.objects.create(
        name="git", kind="gitea", url=url, allow_private=True, imported_at=timezone.now()
    )
    RegistryCredential.objects.create(registry=registry, username=USER, secret=Secret(PASSWORD))
    return registry


async def _push(url: str, path: str, manifest: images.Manifest, tag: str) -> None:
    async with Pusher(url, auth=aiohttp.BasicAuth(USER, PASSWORD)) as pusher:
        await pusher.push(path, manifest, tag)
