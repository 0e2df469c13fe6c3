"""The audit log by API: who reads what of it, pages by number, files, and whether it is whole."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import events
from access.models import AuditEntry, User
from access.origin import Origin, coming_from
from access.scopes import Scope
from dashboard.views.access.audit import COLUMNS
from registries.actor import Actor
from registries.events import emit
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api, body_of

pytestmark = pytest.mark.django_db
ADDRESS = "/audit"
ADA = Actor("user", "1", "ada")


@pytest.fixture
def entries(db: None) -> list[int]:
    """What ada did in a browser: two things about registries, and one about none."""
    happened = [
        events.TokenRefused("harbour", timezone.now(), "ci", "push", "no grant"),
        events.TokenRefused("elsewhere", timezone.now(), "ci", "push", "no grant"),
        events.TeamRemoved("", timezone.now(), "crew"),
    ]
    with transaction.atomic(), coming_from(Origin("browser", "203.0.113.9", "Firefox")):
        emit(happened, actor=ADA)
    hers = AuditEntry.objects.filter(actor_label="ada").order_by("number")
    return list(hers.values_list("number", flat=True))


@pytest.fixture
def auditor(outsider: User) -> Api:
    """Of one registry."""
    catalog.registry("harbour")
    give(outsider, "auditor", Scope("harbour"))
    return Api.of(outsider)


def of_ada(api: Api, **query: Any) -> list[int]:
    found = api.get(ADDRESS, actor="ada", **query).json()["items"]
    return [row["number"] for row in found]


def test_an_entry_says_all_that_is_known(api_owner: Api, entries: list[int]) -> None:
    row = api_owner.get(f"{ADDRESS}/{entries[0]}").json()
    entry = AuditEntry.objects.get(number=entries[0])
    assert (row["actor"], row["way"], row["address"]) == ("ada", "browser", "203.0.113.9")
    assert (row["event"], row["registry"], row["agent"]) == ("token refused", "harbour", "Firefox")
    assert row["new"] == entry.new
    assert row["hash"] == bytes(entry.hash).hex()
    assert row["previous_hash"] == bytes(entry.previous_hash).hex()


def test_it_is_read_newest_first_or_from_the_first_on(api_owner: Api, entries: list[int]) -> None:
    assert of_ada(api_owner) == entries[::-1]
    assert of_ada(api_owner, sort="number") == entries
    first = api_owner.get(ADDRESS, actor="ada", sort="number", limit=2).json()
    assert of_ada(api_owner, sort="number", limit=2, after=first["next"]) == entries[2:]


def test_it_is_narrowed_as_on_screen(api_owner: Api, entries: list[int]) -> None:
    today = timezone.now().date().isoformat()
    assert of_ada(api_owner, registry="elsewhere") == [entries[1]]
    assert of_ada(api_owner, event="team removed") == [entries[2]]
    assert of_ada(api_owner, target="cre") == [entries[2]]
    assert of_ada(api_owner, way="browser", since=today, until=today) == entries[::-1]
    assert of_ada(api_owner, way="docker") == of_ada(api_owner, until="2020-01-01") == []
    for bad in ("since=yesterday", "event=nothing", "way=odd"):
        assert api_owner.get(f"{ADDRESS}?{bad}").status_code == 400


def test_who_reads_the_log_of_one_registry_reads_no_more(
    auditor: Api, api_viewer: Api, entries: list[int]
) -> None:
    assert of_ada(auditor) == [entries[0]]
    assert auditor.get(f"{ADDRESS}/{entries[1]}").status_code == 404
    assert "elsewhere" not in body_of(auditor.get(f"{ADDRESS}/export"))
    assert auditor.get(f"{ADDRESS}/verification").status_code == 403
    assert auditor.post(f"{ADDRESS}/verification").status_code == 403
    for path in (ADDRESS, f"{ADDRESS}/export", f"{ADDRESS}/{entries[0]}"):
        refused = api_viewer.get(path)
        assert (refused.status_code, refused.json()["action"]) == (403, "audit read")


def test_a_file_has_the_filtered_entries_oldest_first(api_owner: Api, entries: list[int]) -> None:
    lines = api_owner.get(f"{ADDRESS}/export", actor="ada")
    assert lines.headers["Content-Type"].startswith("application/jsonl")
    read = [json.loads(line) for line in body_of(lines).splitlines()]
    assert [row["number"] for row in read] == entries
    assert tuple(read[0]) == COLUMNS
    table = api_owner.get(f"{ADDRESS}/export", actor="ada", form="csv")
    rows = list(csv.DictReader(io.StringIO(body_of(table))))
    assert [int(row["number"]) for row in rows] == entries
    assert api_owner.get(f"{ADDRESS}/export", since="soon").status_code == 400


@pytest.mark.parametrize("accepted", ["text/csv", "application/jsonl", "*/*"])
def test_who_asks_for_a_type_alone_gets_a_file_and_his_problems(
    api_owner: Api, api_viewer: Api, accepted: str
) -> None:
    asked = {"Accept": accepted}
    assert api_owner.get(f"{ADDRESS}/export", headers=asked).status_code == 200
    refused = api_viewer.get(f"{ADDRESS}/export", headers=asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_the_log_is_verified_and_the_verdict_is_remembered(
    api_owner: Api, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    assert api_owner.get(f"{ADDRESS}/verification").json()["state"] == "unknown"
    found = api_owner.post(f"{ADDRESS}/verification").json()
    assert (found["state"], found["broken"]) == ("holds", None)
    assert found["number"] >= entries[-1]
    assert api_owner.get(f"{ADDRESS}/verification").json() == found
    # A log that takes longer than a request may is left to a worker.
    asked = []
    monkeypatch.setattr("dashboard.api.access.audit.verify_within", lambda _seconds: None)
    monkeypatch.setattr(
        "dashboard.api.access.audit.verify_trail.delay", lambda: asked.append("worker")
    )
    later = api_owner.post(f"{ADDRESS}/verification")
    assert (later.status_code, later.json()["state"], asked) == (202, "under way", ["worker"])


def test_a_list_takes_as_many_statements_for_many_as_for_one(
    api_owner: Api, entries: list[int]
) -> None:
    counts = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as captured:
            assert len(of_ada(api_owner, limit=limit)) == limit
        counts.append(len(captured))
    assert counts[0] == counts[1]
