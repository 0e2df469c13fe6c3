"""The strip of a registry's pages stands on each of them, and says which one is at hand."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from access.models import User
from access.scopes import Scope
from registries.models import Registry, SyncRun
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
PAGES = {
    "/r/harbour/": "Repositories",
    "/registries/harbour/runs/": "Sync runs",
    "/r/harbour/-/notifications": "Notifications",
    "/r/harbour/-/vendor": "At Harbor",
    "/mirrors/?registry=harbour": "Mirrors",
    "/r/harbour/-/docker": "Docker access",
    "/registries/harbour/edit/": "Settings",
}


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour", kind="harbor")


def strip(client: Client, path: str) -> list[tuple[str, bool]]:
    """The words of each tab, and whether it is the one at hand."""
    response = client.get(path)
    assert response.status_code == 200
    found = re.search(
        r'<nav class="tabs" aria-label="Registry">(.*?)</nav>', response.text, re.DOTALL
    )
    assert found, path
    tabs = re.findall(r"<a href=\"[^\"]+\"( aria-current=\"page\")?>(.*?)</a>", found[1])
    return [(re.sub("<[^>]+>", "", words).strip(), bool(at_hand)) for at_hand, words in tabs]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_a_registry_leads_to_the_others(as_owner: Client, path: str) -> None:
    assert strip(as_owner, path) == [(words, words == PAGES[path]) for words in PAGES.values()]


def test_a_part_of_a_page_leads_back_to_it(as_owner: Client, harbour: Registry) -> None:
    catalog.repository(harbour, "team-a/app")
    catalog.recount(harbour)
    run = SyncRun.objects.create(registry=harbour, state="succeeded", trigger="manual")
    for path in ("/r/harbour/?ns=team-a", f"/registries/harbour/runs/{run.pk}/"):
        assert strip(as_owner, path) == [(words, False) for words in PAGES.values()]


def test_only_the_pages_that_one_may_see_are_offered(as_viewer: Client, outsider: User) -> None:
    seen = ["Repositories", "Sync runs", "Notifications", "At Harbor", "Mirrors"]
    for path in ("/r/harbour/", "/registries/harbour/runs/", "/mirrors/?registry=harbour"):
        assert [words for words, _ in strip(as_viewer, path)] == seen
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    for path in ("/r/harbour/", "/mirrors/?registry=harbour"):
        assert [words for words, _ in strip(signed_in(outsider), path)] == [
            "Repositories",
            "Mirrors",
        ]


def test_mirrors_of_a_registry_that_one_may_not_know_of_tell_nothing_of_it(
    outsider: User,
) -> None:
    catalog.registry("other")
    give(outsider, "reader", Scope("other"))
    page = signed_in(outsider).get("/mirrors/?registry=harbour").text
    assert "Mirrors of harbour" not in page
    assert 'aria-label="Registry"' not in page
