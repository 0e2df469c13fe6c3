"""An image that only a listing has described: its page says so, and has it read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from registries import tasks
from registries.connectors import CONNECTORS
from registries.models import Artifact, Manifest, Registry
from tests import catalog
from tests.dashboard.test_browsing import text
from tests.fakes import content
from tests.fakes.registry import FakeRegistry

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
IMAGE = content.image("listed")
PAGE = f"/r/yard/team/app/-/manifests/{IMAGE.digest}"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        fake.push("team/app", IMAGE, "1")
        yield fake


@pytest.fixture
def listed(fake: FakeRegistry) -> Artifact:
    registry = catalog.registry("yard", url=fake.url, allow_private=True)
    manifest = Manifest.objects.create(
        digest=IMAGE.digest,
        media_type=IMAGE.media_type,
        kind="image",
        size=12_000,
        total_size=12_000,
        os="linux",
        architecture="arm64",
    )
    repository = catalog.repository(registry, "team/app")
    return catalog.present(repository, manifest, details=Artifact.Details.LISTED)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to the workers; nobody works here until a test says so."""
    handed: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.read_document, "delay", lambda *args: handed.append(args))
    cache.clear()
    return handed


def test_the_page_says_what_is_known_and_asks_by_itself(
    as_viewer: Client, listed: Artifact
) -> None:
    html = text(as_viewer, PAGE)
    assert "Known from the registry's listing." in html.replace("&#x27;", "'")
    assert 'hx-trigger="load, submit"' in html
    assert "Show the JSON" not in html
    assert as_viewer.get(f"{PAGE}/raw").status_code == 404


def test_a_listing_shows_nothing_of_what_another_repository_served(
    as_viewer: Client, listed: Artifact
) -> None:
    """Whoever lists somebody's digest does not thereby get to read what it names."""
    elsewhere = catalog.repository(catalog.registry("harbour"), "secret/app")
    proved = catalog.image(elsewhere)
    claimed = catalog.present(listed.repository, proved.manifest, details=Artifact.Details.LISTED)
    page = f"/r/yard/team/app/-/manifests/{claimed.manifest.digest}"
    html = text(as_viewer, page)
    assert "Known from the registry's listing." in html.replace("&#x27;", "'")
    assert "Show the JSON" not in html
    for layer in proved.manifest.layers.select_related("blob"):
        assert layer.blob.digest not in html
    assert as_viewer.get(f"{page}/raw").status_code == 404
    assert "Show the JSON" in text(
        as_viewer, f"/r/harbour/secret/app/-/manifests/{proved.manifest.digest}"
    )


def test_a_rationed_pull_is_spent_only_by_a_click(
    as_viewer: Client, listed: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CONNECTORS[listed.repository.registry.kind], "pulls_are_rationed", True)
    html = text(as_viewer, PAGE)
    assert "Read it, for a pull" in html
    assert 'hx-trigger="load, submit"' not in html


def test_asked_for_it_is_read_and_the_page_comes_anew(
    as_viewer: Client, listed: Artifact, asked: list[tuple[Any, ...]]
) -> None:
    waiting = as_viewer.post(f"{PAGE}/read", headers=HTMX)
    assert "It is being read." in waiting.content.decode()
    assert "HX-Refresh" not in waiting
    tasks.read_document(*asked.pop())
    assert as_viewer.get(f"{PAGE}/read", headers=HTMX)["HX-Refresh"] == "true"
    html = text(as_viewer, PAGE)
    assert "Show the JSON" in html
    assert listed.manifest.digest in html
    listed.refresh_from_db()
    assert listed.details == "complete"


def test_what_went_wrong_is_told_and_can_be_tried_again(
    as_viewer: Client, listed: Artifact, asked: list[tuple[Any, ...]], fake: FakeRegistry
) -> None:
    fake.repositories.clear()
    as_viewer.post(f"{PAGE}/read", headers=HTMX)
    Registry.objects.update(url="http://127.0.0.1:9")
    tasks.read_document(*asked.pop())
    told = as_viewer.get(f"{PAGE}/read", headers=HTMX).content.decode()
    assert "It could not be read." in told
    assert "refuses the connection" in told
    assert "Read it now" in told
    assert "hx-get" not in told  # nobody waits any more


def test_what_is_read_already_is_not_asked_for_again(
    as_viewer: Client, listed: Artifact, asked: list[tuple[Any, ...]]
) -> None:
    Artifact.objects.update(details=Artifact.Details.COMPLETE)
    response = as_viewer.post(f"{PAGE}/read", headers=HTMX)
    assert response["HX-Refresh"] == "true"
    assert asked == []


def test_without_scripts_the_page_comes_back_with_a_word(
    as_viewer: Client, listed: Artifact, asked: list[tuple[Any, ...]]
) -> None:
    response = as_viewer.post(f"{PAGE}/read", follow=True)
    assert "Look again in a moment." in response.content.decode()
    assert len(asked) == 1


def test_what_is_only_listed_is_not_compared_by_layers_that_nobody_knows(
    as_viewer: Client, listed: Artifact
) -> None:
    other = catalog.image(listed.repository).manifest
    page = f"/r/yard/team/app/-/compare?from={listed.manifest.digest}&to={other.digest}"
    shown = text(as_viewer, page)
    assert "Only the registry's listing has described" in shown.replace("&#x27;", "'")
    assert "not read" in shown
    assert "to pull" not in shown
    assert "Environment" not in shown
    listed.details = Artifact.Details.COMPLETE
    listed.save()
    shown = text(as_viewer, page)
    assert "to pull" in shown
    assert "not read" not in shown
