"""The audit log on screen and as files: who may read what of it, and exactly what was asked for."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from access import events, trail
from access.models import AuditEntry, User
from access.origin import Origin, coming_from
from access.scopes import Scope
from access.tasks import verify_trail
from dashboard.forms_audit import AuditFilter
from dashboard.views.access import audit
from registries.actor import Actor
from registries.events import Event, RegistryChanged, emit
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada")
MARK = "marked-by-this-test"


def enter(*happened: Event, actor: Actor = ADA, way: str = "browser") -> list[AuditEntry]:
    with transaction.atomic(), coming_from(Origin(way, "203.0.113.9", "Firefox")):
        emit(happened, actor=actor)
    return list(AuditEntry.objects.order_by("-number")[: len(happened)])[::-1]


def removed(team: str, registry: str = "") -> Event:
    return events.TeamRemoved(registry, timezone.now(), team)


def refused(registry: str, account: str = MARK) -> Event:
    return events.TokenRefused(registry, timezone.now(), account, "push", "no grant")


def text_of(response: Any) -> str:
    streamed = cast("StreamingHttpResponse", response)
    return b"".join(cast("Any", streamed.streaming_content)).decode()


def csv_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(response), newline="")))


def shown(client: Client, **query: str) -> list[int]:
    response = client.get("/audit/", query)
    assert response.status_code == 200
    return [entry.number for entry, _changes in response.context["rows"]]


@pytest.fixture
def auditor_of_one(outsider: User) -> Client:
    """Somebody who may read the log of one registry. Entries of other tests stay in the log: no
    other test has one of this name."""
    catalog.registry("watched")
    catalog.registry("elsewhere")
    give(outsider, "auditor", Scope("watched"))
    return signed_in(outsider)


# Who may read it -------------------------------------------------------------------------------


def test_who_reads_it_on_everything_sees_every_entry(as_owner: Client) -> None:
    entries = enter(removed("a"), refused("watched"), refused("elsewhere"))
    assert {entry.number for entry in entries} <= set(shown(as_owner))


def test_who_reads_it_on_a_registry_sees_entries_of_that_registry_only(
    auditor_of_one: Client,
) -> None:
    general, here, there = enter(removed("a"), refused("watched"), refused("elsewhere"))
    assert shown(auditor_of_one) == [here.number]
    assert shown(auditor_of_one, registry="elsewhere") == []
    assert auditor_of_one.get(f"/audit/{here.number}/").status_code == 200
    for other in (general, there):
        assert auditor_of_one.get(f"/audit/{other.number}/").status_code == 404


def test_files_have_what_the_page_has(auditor_of_one: Client) -> None:
    _general, here, _there = enter(removed("a"), refused("watched"), refused("elsewhere"))
    rows = csv_of(auditor_of_one.get("/audit/entries.csv"))
    assert [row["number"] for row in rows] == [str(here.number)]


def test_who_sees_a_part_verifies_nothing(auditor_of_one: Client) -> None:
    assert auditor_of_one.post("/audit/verify/").status_code == 403
    assert "Verify now" not in auditor_of_one.get("/audit/").content.decode()


@pytest.mark.parametrize(("role", "scope"), [("reader", "*"), ("owner", "harbour/team-a/*")])
def test_who_may_not_read_it_is_refused_all_of_it(outsider: User, role: str, scope: str) -> None:
    catalog.registry("harbour")
    give(outsider, role, Scope.parse(scope))
    (entry,) = enter(refused("harbour"))
    client = signed_in(outsider)
    for address in ("/audit/", "/audit/entries.csv", f"/audit/{entry.number}/"):
        assert client.get(address).status_code == 403, address
    assert client.post("/audit/verify/").status_code == 403
    assert "/audit/" not in client.get("/").content.decode()


def test_who_may_read_it_finds_the_way_to_it(as_owner: Client, auditor_of_one: Client) -> None:
    for client in (as_owner, auditor_of_one):
        assert 'href="/audit/"' in client.get("/").content.decode()


# Filters ---------------------------------------------------------------------------------------


def test_each_filter_narrows_to_what_it_says(as_owner: Client) -> None:
    first, second = enter(removed(MARK), refused("harbour"))
    (third,) = enter(removed(f"other-{MARK}"), actor=Actor("user", "2", "eve"), way="shell")
    numbers = [third.number, second.number, first.number]
    assert shown(as_owner, target=MARK) == numbers
    assert shown(as_owner, target=MARK, actor="eve") == [third.number]
    assert shown(as_owner, target=MARK, event="token refused") == [second.number]
    assert shown(as_owner, target=MARK, registry="harbour") == [second.number]
    assert shown(as_owner, target=MARK, way="shell") == [third.number]
    assert shown(as_owner, target="MARKED") == []


def test_days_are_whole_and_both_count(as_owner: Client) -> None:
    (entry,) = enter(removed(MARK))
    day = entry.at.date()
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    assert shown(as_owner, target=MARK, since=f"{day}", until=f"{day}") == [entry.number]
    assert shown(as_owner, target=MARK, until=f"{before}") == []
    assert shown(as_owner, target=MARK, since=f"{after}") == []
    assert shown(as_owner, target=MARK, since="0001-01-01", until="9999-12-31") == [entry.number]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"event": "coffee made"},
        {"way": "sea"},
        {"actor": "x" * 300},
        {"target": "\x00"},
    ],
)
def test_what_makes_no_sense_filters_nothing_and_says_so(
    as_owner: Client, query: dict[str, str]
) -> None:
    (entry,) = enter(removed(MARK))
    page = as_owner.get("/audit/", query)
    assert page.status_code == 200
    (problem,) = AuditFilter(query).problems
    assert problem.partition(":")[2].strip()[:20] in page.content.decode().replace("&#x27;", "'")
    assert entry.number in shown(as_owner, **query)
    # A file says nothing of what it left out, so there is none.
    refused = as_owner.get("/audit/entries.csv", query)
    assert refused.status_code == 400


def test_a_percent_sign_is_a_percent_sign(as_owner: Client) -> None:
    (entry,) = enter(removed(f"100%-{MARK}"))
    enter(removed(f"100-{MARK}"))
    assert shown(as_owner, target=f"0%-{MARK}") == [entry.number]


def test_pages_follow_each_other_without_a_gap(as_owner: Client) -> None:
    entries = enter(*(removed(f"{MARK}-{number}") for number in range(60)))
    first = as_owner.get("/audit/", {"target": MARK})
    numbers = [entry.number for entry, _ in first.context["rows"]]
    second = as_owner.get(f"/audit/?{first.context['page'].next}")
    numbers += [entry.number for entry, _ in second.context["rows"]]
    assert numbers == [entry.number for entry in reversed(entries)]


def test_a_filter_that_htmx_asks_for_brings_the_list_alone(as_owner: Client) -> None:
    enter(removed(MARK))
    response = as_owner.get("/audit/", {"target": MARK}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert MARK in text
    assert "<html" not in text
    assert f"entries.csv?target={MARK}" in text


# What an entry shows ---------------------------------------------------------------------------


def test_old_and_new_stand_side_by_side(as_owner: Client) -> None:
    changed = RegistryChanged(
        "harbour", timezone.now(), (("url", "https://a.example", "https://b.example"),)
    )
    (entry,) = enter(changed)
    for address in ("/audit/?registry=harbour", f"/audit/{entry.number}/"):
        text = as_owner.get(address).content.decode()
        assert "<del>https://a.example</del>" in text
        assert "<ins>https://b.example</ins>" in text


def test_times_are_absolute_and_say_their_zone(as_owner: Client) -> None:
    (entry,) = enter(removed(MARK))
    text = as_owner.get("/audit/", {"target": MARK}).content.decode()
    assert f"{entry.at:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "relative-time" not in text


def test_an_entry_has_its_place_in_the_chain(as_owner: Client) -> None:
    (entry,) = enter(removed(MARK))
    text = as_owner.get(f"/audit/{entry.number}/").content.decode()
    for digest in (entry.hash, entry.previous_hash):
        assert bytes(digest).hex() in text


@pytest.mark.parametrize("number", [0, 10**17, 10**30])
def test_an_entry_that_is_not_there_is_not_found(as_owner: Client, number: int) -> None:
    assert as_owner.get(f"/audit/{number}/").status_code == 404


def test_what_strangers_typed_is_only_text(as_owner: Client) -> None:
    enter(events.SignInFailed("", timezone.now(), "<script>alert(1)</script>"))
    text = as_owner.get("/audit/", {"target": "alert(1)"}).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


# Files -----------------------------------------------------------------------------------------


def test_a_file_has_exactly_what_passes_the_filter_oldest_first(as_owner: Client) -> None:
    entries = enter(*(removed(f"{MARK}-{number}") for number in range(55)))
    enter(removed("not-this-one"))
    numbers = [entry.number for entry in entries]
    query = urlencode({"target": MARK})
    rows = csv_of(as_owner.get(f"/audit/entries.csv?{query}"))
    assert [int(row["number"]) for row in rows] == numbers
    lines = text_of(as_owner.get(f"/audit/entries.jsonl?{query}")).splitlines()
    assert [json.loads(line)["number"] for line in lines] == numbers


def test_a_file_has_all_of_an_entry(as_owner: Client) -> None:
    (entry,) = enter(events.MachineChanged("", timezone.now(), MARK, {"team": "a"}, {"team": "b"}))
    (line,) = text_of(as_owner.get("/audit/entries.jsonl", {"target": MARK})).splitlines()
    told = json.loads(line)
    assert told["at"] == entry.at.isoformat(timespec="microseconds")
    assert (told["actor_kind"], told["actor_id"], told["actor"]) == ("user", "1", "ada")
    assert (told["way"], told["address"], told["agent"]) == ("browser", "203.0.113.9", "Firefox")
    assert (told["old"], told["new"]) == ({"team": "a"}, {"machine": MARK, "team": "b"})
    assert told["hash"] == bytes(entry.hash).hex()
    (row,) = csv_of(as_owner.get("/audit/entries.csv", {"target": MARK}))
    assert list(row) == list(audit.COLUMNS)
    assert json.loads(row["old"]) == {"team": "a"}


def test_no_name_is_run_by_a_spreadsheet(as_owner: Client) -> None:
    enter(events.SignInFailed("", timezone.now(), f"=HYPERLINK({MARK})"))
    (row,) = csv_of(as_owner.get("/audit/entries.csv", {"target": MARK}))
    assert row["target"] == f"'=HYPERLINK({MARK})"


def test_a_file_has_a_name_with_its_day(as_owner: Client) -> None:
    response = as_owner.get("/audit/entries.csv", {"target": MARK})
    assert f'filename="audit-{timezone.now():%Y-%m-%d}.csv"' in response["Content-Disposition"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text_of(response)


def test_there_are_files_of_two_kinds(as_owner: Client) -> None:
    assert as_owner.get("/audit/entries.xlsx").status_code == 404


def test_a_long_file_takes_no_more_memory_than_a_short_one(
    as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "CHUNK", 50)  # to note each allocation makes rows slow
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_auditentry (at, actor_kind, actor_id, actor_label, way, agent,"
            " event, registry, target) SELECT now(), 'user', '1', 'ada', 'shell', repeat('x', 250),"
            " 'team removed', '', %s || repeat('y', 400) FROM generate_series(1, 1500)",
            [MARK],
        )
    response = cast("Any", as_owner.get("/audit/entries.jsonl", {"target": MARK}))
    tracemalloc.start()
    length = sum(len(part) for part in response.streaming_content)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 1_500_000
    assert peak < length / 2


# The chain -------------------------------------------------------------------------------------


def test_the_page_says_up_to_where_the_log_was_verified(as_owner: Client) -> None:
    cache.clear()
    (entry,) = enter(removed(MARK))
    assert "Not verified lately" in as_owner.get("/audit/").content.decode()
    answer = as_owner.post("/audit/verify/", follow=True)
    assert answer.redirect_chain == [("/audit/", 302)]
    text = as_owner.get("/audit/").content.decode()
    assert f"Verified to #{entry.number}" in text
    assert f"{entry.at:%Y-%m-%d %H:%M:%S} UTC" in text


def test_a_broken_log_is_told_loudly(as_owner: Client) -> None:
    (entry,) = enter(removed(MARK))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_auditentry DISABLE TRIGGER ALL")
        cursor.execute(
            "UPDATE access_auditentry SET target = 'x' WHERE number = %s", [entry.number]
        )
        cursor.execute("ALTER TABLE access_auditentry ENABLE TRIGGER ALL")
    text = as_owner.post("/audit/verify/", follow=True).content.decode()
    assert f"broken at #{entry.number}" in text


def test_a_log_that_takes_too_long_is_verified_by_a_worker(
    as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_out: list[bool] = []

    def slow(*_args: Any) -> trail.Verdict:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(trail, "verify", slow)
    monkeypatch.setattr(verify_trail, "delay", lambda: handed_out.append(True))
    text = as_owner.post("/audit/verify/", follow=True).content.decode()
    assert "being verified" in text
    assert handed_out == [True]


def test_nothing_is_verified_by_a_link(as_owner: Client) -> None:
    assert as_owner.get("/audit/verify/").status_code == 405
