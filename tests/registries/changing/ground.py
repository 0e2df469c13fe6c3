"""A repository in a registry and here, to change something in it."""

from __future__ import annotations

from registries.models import Artifact, Registry, RegistryCredential, Repository
from registries.secret import Secret
from tests.fakes import content
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.sync.syncing import succeed

PATH = "team/api"


def synced(fake: FakeRegistry, kind: str = "distribution") -> Repository:
    """The repository as a sync brings it here; then all that was asked is forgotten."""
    fake.push(PATH, content.image("old"), "1.0", "1.0.1")
    fake.push(PATH, content.image("new"), "2.0")
    registry = Registry.objects.create(name="harbour", kind=kind, url=fake.url, allow_private=True)
    if kind != "distribution":
        RegistryCredential.objects.create(
            registry=registry, username=USERNAME, secret=Secret(PASSWORD)
        )
    succeed(registry)
    fake.requests.clear()
    return Repository.objects.select_related("registry").get(path=PATH)


def artifact(repository: Repository, tag: str) -> Artifact:
    found = repository.tags.select_related("artifact__manifest").get(name=tag).artifact
    found.repository = repository
    return found


def seen(repository: Repository, *tags: str) -> dict[str, str]:
    return {tag: artifact(repository, tag).manifest.digest for tag in tags}


def names(repository: Repository) -> set[str]:
    return set(repository.tags.values_list("name", flat=True))
