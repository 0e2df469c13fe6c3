"""Registries connected, changed and removed by programs: tried first, explained, audited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import AuditEntry, User
from access.scopes import Scope
from registries.connection_checks import check_connection
from registries.connectors import CONNECTORS
from registries.models import Registry, RegistryCredential, SyncRun
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.fakes import doors

pytestmark = pytest.mark.django_db
SETTINGS = "/registries/production/settings"
CHECK = "/registries/production/check"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of runs that were handed to a worker."""
    handed: list[int] = []
    monkeypatch.setattr("registries.tasks.sync_registry.delay", handed.append)
    return handed


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with doors.served(doors.SmallRegistry) as address:
        yield f"http://{address}"


def values(address: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "name": "production",
        "url": address,
        "username": doors.USER,
        "password": doors.PASSWORD,
        "allow_private": True,
    }
    return usual | changes


@pytest.fixture
def production(api_owner: Api, address: str) -> Registry:
    assert api_owner.post("/registries", values(address, sync=False)).status_code == 201
    return Registry.objects.get()


def told(event: str) -> AuditEntry:
    return AuditEntry.objects.get(event=event)


# Connecting --------------------------------------------------------------------------------------


def test_a_registry_is_connected_with_its_kind_found_out_and_its_first_sync_begins(
    api_owner: Api, address: str, no_worker: list[int]
) -> None:
    answer = api_owner.post("/registries", values(address))
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/v1/registries/production"
    row = answer.json()
    assert (row["name"], row["kind"], row["url"]) == ("production", "distribution", address)
    assert no_worker == [row["latest_run"]]
    assert doors.PASSWORD not in answer.content.decode()
    assert Registry.objects.get().connection().credentials == (doors.USER, doors.PASSWORD)
    entry = told("registry connected")
    assert (entry.registry, entry.actor_label) == ("production", "anna")


def test_without_sync_it_waits_for_its_schedule(production: Registry) -> None:
    assert not SyncRun.objects.exists()
    assert production.next_sync_at is not None


def test_what_does_not_work_is_told_step_by_step_and_stored_nowhere(
    api_owner: Api, address: str
) -> None:
    answer = api_owner.post("/registries", values(address, password="a-wrong-guess"))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "registry_failed"
    assert "Check the user name and the password" in problem["detail"]
    assert [step["name"] for step in problem["steps"] if step["ok"] is False] == ["sign-in"]
    assert "a-wrong-guess" not in answer.content.decode()
    assert not Registry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": "Production"}, "name", "lower-case letters"),
        ({"url": "not a host!"}, "url", ""),
        ({"url": "[]@"}, "url", "is not an address"),
        ({"ca_certificate": "né"}, "ca_certificate", "no characters outside ASCII"),
        ({"url": "http://a.example.com", "allow_private": False}, "url", "Plain http"),
        ({"kind": "harbour"}, "kind", "There is no kind “harbour”"),
        ({"kind": "acr", "options": {"tennant": "x"}}, "options", "no setting “tennant”"),
        ({"kind": "gar", "options": {"x\x00": "x"}}, "options", "no setting"),
        ({"username": ""}, "username", "A password needs a user name"),
        ({"repository_names": ["Team A"]}, "repository_names", "“Team A” is not a repository"),
        ({"sync_minutes": 0}, "sync_minutes", "greater than or equal to 1"),
        ({"pasword": "x"}, "pasword", "did you mean “password”"),
    ],
)
def test_mistakes_are_told_by_field(
    api_owner: Api, address: str, changes: dict[str, Any], field: str, says: str
) -> None:
    answer = api_owner.post("/registries", values(address, **changes))
    assert answer.status_code == 422
    sentences = {error["field"]: error["detail"] for error in answer.json()["errors"]}
    assert says in sentences[field]
    assert not Registry.objects.exists()


def test_a_mistake_in_a_setting_of_a_kind_is_told_by_where_it_stands(api_owner: Api) -> None:
    sent = values("https://hub.example.com", kind="acr", options={"tenant": "a\nb"})
    errors = api_owner.post("/registries", sent).json()["errors"]
    assert [error["field"] for error in errors] == ["options.tenant"]


def test_a_name_that_is_taken_is_refused_before_anything_is_dialled(api_owner: Api) -> None:
    catalog.registry("production")
    answer = api_owner.post("/registries", values("https://registry.does-not-exist.invalid"))
    assert answer.status_code == 422
    assert "already a registry named “production”" in answer.json()["errors"][0]["detail"]


# Trying out --------------------------------------------------------------------------------------


def test_trying_out_needs_an_address_alone_and_stores_nothing(api_owner: Api, address: str) -> None:
    sent = values(address)
    del sent["name"]
    check = api_owner.post("/registry-checks", sent).json()
    assert (check["passed"], check["kind"], check["url"]) == (True, "distribution", address)
    assert [step["name"] for step in check["steps"]] == [
        "address", "dns", "tcp", "tls", "api", "sign-in", "catalog",
    ]  # fmt: skip
    assert {power["name"]: power["allowed"] for power in check["powers"]}["list"] is True
    assert not Registry.objects.exists()


def test_a_connection_that_fails_is_an_answer_when_it_is_only_tried(api_owner: Api) -> None:
    sent = {"url": f"http://{doors.closed()}", "allow_private": True}
    answer = api_owner.post("/registry-checks", sent)
    assert (answer.status_code, answer.json()["passed"]) == (200, False)
    assert answer.json()["powers"] == []


def test_the_stored_connection_is_tested_also_with_changes(
    api_owner: Api, production: Registry
) -> None:
    check = "/registries/production/check"
    assert api_owner.post(check).json()["passed"] is True
    assert api_owner.post(check, {"password": "a-wrong-guess"}).json()["passed"] is False
    refused = api_owner.post(check, {"url": f"http://{doors.closed()}"})
    assert "Enter the password again" in refused.json()["detail"]
    assert production.connection().credentials == (doors.USER, doors.PASSWORD)


# Changing ----------------------------------------------------------------------------------------


def test_settings_are_shown_without_the_secrets(api_owner: Api, production: Registry) -> None:
    answer = api_owner.get(SETTINGS)
    shown = answer.json()
    assert (shown["username"], shown["sync_minutes"]) == (doors.USER, 15)
    assert shown["password_changed_at"] is not None
    assert shown["api_secret_changed_at"] is None
    assert doors.PASSWORD not in answer.content.decode()


def test_only_what_is_given_changes_and_is_audited(api_owner: Api, production: Registry) -> None:
    before = api_owner.get(SETTINGS).json()
    changed = api_owner.patch(SETTINGS, {"sync_minutes": None, "repository_names": ["team-a/*"]})
    assert changed.json() == before | {"sync_minutes": None, "repository_names": ["team-a/*"]}
    assert production.connection().credentials == (doors.USER, doors.PASSWORD)
    assert "sync_interval" in str(told("registry changed").new)


def test_a_change_that_does_not_work_is_not_stored(api_owner: Api, production: Registry) -> None:
    answer = api_owner.patch(SETTINGS, {"password": "a-wrong-guess"})
    assert (answer.status_code, answer.json()["code"]) == (422, "registry_failed")
    assert production.connection().credentials == (doors.USER, doors.PASSWORD)
    assert not AuditEntry.objects.filter(event="registry changed").exists()


def test_a_stored_password_is_sent_nowhere_else(api_owner: Api, production: Registry) -> None:
    with doors.served(doors.SmallRegistry) as elsewhere:
        answer = api_owner.patch(SETTINGS, {"url": f"http://{elsewhere}"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")


def test_the_kind_can_be_found_out_anew(api_owner: Api, production: Registry) -> None:
    sent = {"kind": "", "password": doors.PASSWORD}
    assert api_owner.patch(SETTINGS, sent).json()["kind"] == "distribution"


def test_who_manages_one_registry_makes_it_no_probe_of_private_networks(
    production: Registry, outsider: User
) -> None:
    give(outsider, "contributor", Scope("production"))
    api = Api.of(outsider)
    inside = {"url": f"http://{doors.closed()}", "password": "x", "allow_private": True}
    for sent in (inside, {"url": inside["url"], "password": "x"}, {"kind": "zot"}, {"kind": ""}):
        for answer in (api.post(CHECK, sent), api.patch(SETTINGS, sent)):
            problem = answer.json()
            assert (answer.status_code, problem["scope"]) == (403, "*"), sent
            assert "connect registries anywhere" in problem["detail"]
    Registry.objects.update(kind="gitlab", options={"api_url": "http://10.0.0.1"})
    assert api.patch(SETTINGS, {"options": {}}).status_code == 403
    Registry.objects.update(kind="distribution", options={}, url="https://a.invalid")
    Registry.objects.update(allow_private=False)
    assert api.patch(SETTINGS, {"allow_private": True}).status_code == 403
    assert api.post(CHECK, {"allow_private": True}).status_code == 403


def test_who_manages_one_registry_changes_where_it_stays(
    production: Registry, outsider: User, address: str
) -> None:
    give(outsider, "contributor", Scope("production"))
    api = Api.of(outsider)
    assert api.post(CHECK).json()["passed"] is True
    same = {"url": address.removeprefix("http://"), "allow_private": True, "sync_minutes": 30}
    assert api.patch(SETTINGS, same | {"url": f" {address} "}).json()["sync_minutes"] == 30
    away = {"url": "https://b.invalid", "password": "x", "allow_private": False}
    assert api.post(CHECK, away).status_code == 200
    assert api.patch(SETTINGS, away).json()["code"] == "registry_failed"


def test_who_manages_all_registries_lets_one_go_to_another_private_address(
    production: Registry, outsider: User
) -> None:
    give(outsider, "contributor")
    with doors.served(doors.SmallRegistry) as elsewhere:
        sent = {"url": f"http://{elsewhere}", "password": doors.PASSWORD}
        changed = Api.of(outsider).patch(SETTINGS, sent)
    assert changed.json()["url"] == f"http://{elsewhere}"


def test_who_manages_only_another_registry_learns_nothing(
    production: Registry, outsider: User
) -> None:
    catalog.registry("other")
    give(outsider, "contributor", Scope("other"))
    assert Api.of(outsider).post(CHECK, {"allow_private": True}).status_code == 404


def test_the_name_stays(api_owner: Api, production: Registry) -> None:
    answer = api_owner.patch(SETTINGS, {"name": "another"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")


def test_a_change_of_what_changed_since_is_refused(api_owner: Api, production: Registry) -> None:
    read = {"If-Match": api_owner.get(SETTINGS).headers["ETag"]}
    assert api_owner.patch(SETTINGS, {"sync_minutes": 30}, headers=read).status_code == 200
    again = api_owner.patch(SETTINGS, {"sync_minutes": 45}, headers=read)
    assert (again.status_code, again.json()["code"]) == (412, "precondition_failed")
    assert api_owner.get(SETTINGS).json()["sync_minutes"] == 30


def test_a_new_password_is_another_state(api_owner: Api, production: Registry) -> None:
    read = api_owner.get(SETTINGS).headers["ETag"]
    api_owner.patch(SETTINGS, {"password": doors.PASSWORD})
    assert api_owner.get(SETTINGS).headers["ETag"] != read


def test_what_somebody_changed_while_it_was_tried_out_is_not_overwritten(
    api_owner: Api, production: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: Any, **kwargs: Any) -> Any:
        Registry.objects.update(public_host="hub.example.com")
        return check_connection(*args, **kwargs)

    monkeypatch.setattr("dashboard.api.catalog.checks.check_connection", slow)
    answer = api_owner.patch(SETTINGS, {"password": doors.PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert Registry.objects.get().public_host == "hub.example.com"


# Removing ----------------------------------------------------------------------------------------


def test_removing_forgets_it_and_is_audited(api_owner: Api, production: Registry) -> None:
    stale = {"If-Match": '"x"'}
    assert api_owner.delete("/registries/production", headers=stale).status_code == 412
    read = {"If-Match": api_owner.get("/registries/production").headers["ETag"]}
    assert api_owner.delete("/registries/production", headers=read).status_code == 204
    assert not Registry.objects.exists()
    assert not RegistryCredential.objects.exists()
    assert told("registry removed").registry == "production"


def test_removing_waits_for_a_running_sync(api_owner: Api, production: Registry) -> None:
    api_owner.post("/registries/production/runs")
    answer = api_owner.delete("/registries/production")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert Registry.objects.exists()


# Kinds, and who may ------------------------------------------------------------------------------


def test_kinds_say_what_they_offer_and_ask_for(api_outsider: Api) -> None:
    kinds = {row["kind"]: row for row in api_outsider.get("/registry-kinds").json()["items"]}
    assert list(kinds) == list(CONNECTORS)
    assert "locks" in kinds["acr"]["abilities"]
    fields = {field["name"]: field for field in kinds["acr"]["fields"]}
    assert fields["api_secret"]["is_secret"] is True
    assert fields["tenant"]["label"]


def test_the_list_takes_the_same_number_of_statements_however_long_it_is(api_viewer: Api) -> None:
    catalog.registry("one")
    api_viewer.get("/registries")
    with CaptureQueriesContext(connection) as few:
        api_viewer.get("/registries")
    for number in range(30):
        catalog.registry(f"more-{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(api_viewer.get("/registries").json()["items"]) == 31
    assert len(many) == len(few)


def test_who_does_not_see_a_registry_learns_nothing_of_its_connection(
    api_outsider: Api, outsider: User, production: Registry
) -> None:
    for answer in (
        api_outsider.get(SETTINGS),
        api_outsider.patch(SETTINGS, {"sync_minutes": 1}),
        api_outsider.post("/registries/production/check"),
        api_outsider.delete("/registries/production"),
    ):
        assert answer.status_code == 404
        assert "production" not in answer.content.decode()
        assert production.url not in answer.content.decode()
    give(outsider, "reader", Scope("production"))
    problem = Api.of(outsider).get(SETTINGS).json()
    assert (problem["action"], problem["scope"]) == ("registry manage", "production")
