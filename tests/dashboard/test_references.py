"""What one element of a page says of another is true: the other is there, and there once."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

import pytest
from django.test import Client

from access.models import Team
from registries.models import Registry
from tests import catalog
from tests.webhooks import outbox

pytestmark = pytest.mark.django_db
POINTING = ("for", "list", "form", "aria-describedby", "aria-labelledby")


class Ids(HTMLParser):
    """The ids of a page, and those that something points at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.there: Counter[str] = Counter()
        self.named: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.there[value] += 1
            elif name in POINTING and value:
                self.named.update(value.split())


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


def ids_of(client: Client, path: str) -> Ids:
    response = client.get(path)
    assert response.status_code == 200
    return Ids(response.text)


def addresses() -> list[str]:
    Team.objects.create(name="platform")
    return [
        f"/webhooks/{outbox.webhook().pk}/",
        "/webhooks/new/",
        "/mirrors/compare/",
        "/mirrors/compare/?source=harbour&target=",
        "/mirrors/new/",
        "/access/teams/platform/",
        "/access/grants/?scope=not%20a%20scope",
        "/access/check/?who=nobody&action=&scope=",
        "/registries/connect/",
        "/r/harbour/-/docker?scope=nonsense",
        "/audit/",
    ]


def test_no_element_points_at_one_that_is_not_there(as_owner: Client) -> None:
    for path in addresses():
        ids = ids_of(as_owner, path)
        assert not ids.named - ids.there.keys(), path


def test_no_id_is_given_twice(as_owner: Client) -> None:
    for path in addresses():
        assert [name for name, times in ids_of(as_owner, path).there.items() if times > 1] == []


def test_a_field_with_its_hint_is_still_described_by_it(as_owner: Client) -> None:
    assert "id_url_helptext" in ids_of(as_owner, "/registries/connect/").named
