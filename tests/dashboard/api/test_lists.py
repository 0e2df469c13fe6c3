"""Pages by key, the ways between them, filters of fields, and entity tags."""

from __future__ import annotations

import gc
import re
from typing import Any, cast

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.test import RequestFactory

from access.models import User
from tests import catalog
from tests.dashboard.api.client import PREFIX, Api, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registries(db: None) -> None:
    for name in "abcde":
        catalog.registry(name)


def test_walking_by_the_cursor_meets_each_row_once(api_owner: Api) -> None:
    seen, after = [], None
    while True:
        query: dict[str, Any] = {"limit": 2} | ({"after": after} if after else {})
        page = api_owner.get("/registries", **query).json()
        seen += [row["name"] for row in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == list("abcde")


def test_the_link_header_leads_the_same_way_and_back(api_owner: Api) -> None:
    first = api_owner.get("/registries", limit=2, sort="-name")
    onward = _way(first.headers["Link"], "next")
    second = api_owner.ask("GET", onward)
    assert [row["name"] for row in second.json()["items"]] == ["c", "b"]
    back = api_owner.ask("GET", _way(second.headers["Link"], "prev"))
    assert back.json()["items"] == first.json()["items"]


def test_all_on_one_page_have_no_neighbours(api_owner: Api) -> None:
    answer = api_owner.get("/registries")
    assert (answer.json()["next"], answer.json()["previous"]) == (None, None)
    assert "Link" not in answer.headers


@pytest.mark.parametrize("order", ["name", "-name"])
def test_a_cursor_of_another_order_is_refused_and_does_not_begin_anew(
    api_owner: Api, order: str
) -> None:
    cursor = api_owner.get("/registries", limit=2, sort=order).json()["next"]
    other = "-name" if order == "name" else "name"
    answer = api_owner.get("/registries", after=cursor, sort=other)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_forged_cursor_is_refused(api_owner: Api) -> None:
    cursor = api_owner.get("/registries", limit=2).json()["next"]
    for text in ("x", cursor[:-1], f"x{cursor}"):
        assert api_owner.get("/registries", after=text).json()["code"] == "invalid_cursor"


def test_both_directions_at_once_are_refused(api_owner: Api) -> None:
    cursor = api_owner.get("/registries", limit=2).json()["next"]
    assert api_owner.get("/registries", after=cursor, before=cursor).status_code == 400


def test_only_the_fields_that_were_asked_for_are_there(api_owner: Api) -> None:
    (row,) = api_owner.get("/registries", fields="name, kind", limit=1).json()["items"]
    assert row == {"name": "a", "kind": "distribution"}


def test_what_did_not_change_is_not_sent_again(api_owner: Api) -> None:
    etag = api_owner.get("/registries/a").headers["ETag"]
    same = api_owner.get("/registries/a", headers={"If-None-Match": f'"x", W/{etag}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == etag
    assert api_owner.get("/registries/a", headers={"If-None-Match": '"x"'}).status_code == 200


def test_caches_keep_it_for_one_caller_and_ask_again(api_owner: Api) -> None:
    headers = api_owner.get("/registries/a").headers
    assert set(headers["Cache-Control"].split(", ")) == {"private", "no-cache"}
    assert {"Authorization", "Cookie"} <= set(headers["Vary"].split(", "))


def test_the_rows_of_an_answer_go_with_it(owner: User) -> None:
    """What is held in a circle waits for the garbage collector, which stops the process for it."""
    headers = {"Authorization": f"Bearer {token_of(owner)}"}
    User.objects.bulk_create(User(username=f"person-{number:02}") for number in range(60))
    ask = RequestFactory(headers=headers).get
    _left_behind(ask(f"{PREFIX}/people"))  # what is made once is made
    few = _left_behind(ask(f"{PREFIX}/people?limit=2"))
    many = _left_behind(ask(f"{PREFIX}/people?limit=60"))
    assert many - few < 20


def _left_behind(request: WSGIRequest) -> int:
    """How much only the garbage collector finds after a request. Asked without Django's client, which
    ties answers to itself."""
    handler = WSGIHandler()
    gc.collect()
    gc.disable()
    try:
        assert b'"items"' in cast("HttpResponse", handler.get_response(request)).content
        return gc.collect()
    finally:
        gc.enable()


def _way(header: str, rel: str) -> str:
    """Where a Link header leads, as the client takes it."""
    found = re.search(rf'<([^>]+)>; rel="{rel}"', header)
    assert found
    return found[1].partition(PREFIX)[2]
