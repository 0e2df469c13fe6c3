"""A real Gitea: found out, synced, and what is deleted there by Portolan.

`make gitea` builds it; without, this is skipped. What it shows holds tests/fakes/gitea.py to the truth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from django.utils import timezone

from registries.actor import SYSTEM
from registries.changing.deleting import delete_image, delete_repository, untag
from registries.connectors import detect
from registries.models import Artifact, Registry, RegistryCredential, Repository, Tag
from registries.oci.connection import Connection
from registries.secret import Secret
from tests.live import gitea, images, layout, tools
from tests.live.gitea import PASSWORD, USER
from tests.live.pusher import Pusher
from tests.registries.sync.syncing import ours, present, succeed

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


def _connected(url: str) -> Registry:
    registry = Registry.objects.create(
        name="git", kind="gitea", url=url, allow_private=True, imported_at=timezone.now()
    )
    RegistryCredential.objects.create(registry=registry, username=USER, secret=Secret(PASSWORD))
    return registry


async def _push(url: str, path: str, manifest: images.Manifest, tag: str) -> None:
    async with Pusher(url, auth=aiohttp.BasicAuth(USER, PASSWORD)) as pusher:
        await pusher.push(path, manifest, tag)
