"""Connecting on screen: tried first, explained in a sentence, and for owners only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access.models import User
from access.scopes import Scope
from registries import connection_checks
from registries.connection_checks import check_connection
from registries.models import Registry, RegistryCredential, SyncRun
from registries.oci.connection import Limits
from tests import catalog
from tests.cast import give, signed_in
from tests.fakes import doors

pytestmark = pytest.mark.django_db(transaction=True)
CONNECT = "/registries/connect/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of runs that were handed to a worker."""
    handed: list[int] = []
    monkeypatch.setattr("registries.tasks.sync_registry.delay", handed.append)
    return handed


@pytest.fixture
def address() -> Iterator[str]:
    with doors.served(doors.SmallRegistry) as address:
        yield f"http://{address}"


def values(address: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "production",
        "url": address,
        "kind": "distribution",
        "username": doors.USER,
        "password": doors.PASSWORD,
        "allow_private": "on",
        "sync_minutes": "15",
        "action": "save",
        **changes,
    }


def said(client: Client, sent: dict[str, Any], status: int = 422) -> str:
    response = client.post(CONNECT, sent)
    assert response.status_code == status
    assert not Registry.objects.exists()
    page = response.content.decode()
    assert doors.PASSWORD not in page
    return page


# Who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", [CONNECT, "/registries/harbour/edit/", "/registries/harbour/remove/"]
)
def test_only_owners_manage(
    as_owner: Client, as_viewer: Client, as_stranger: Client, method: str, path: str
) -> None:
    catalog.registry()
    assert getattr(as_owner, method)(path).status_code in {200, 422}
    refused = getattr(as_viewer, method)(path)
    assert refused.status_code == 403
    assert "registry manage" in refused.content.decode()
    assert getattr(as_stranger, method)(path).status_code == 302


def test_a_registry_that_is_not_there_cannot_be_managed(as_owner: Client) -> None:
    for name in ("registry-edit", "registry-remove"):
        assert as_owner.get(reverse(name, args=["nowhere"])).status_code == 404


# Connecting --------------------------------------------------------------------------------------


def test_a_registry_is_connected_and_its_first_sync_begins(
    as_owner: Client, owner: User, address: str, no_worker: list[int]
) -> None:
    response = as_owner.post(CONNECT, values(address))
    registry = Registry.objects.get(name="production")
    run = SyncRun.objects.get(registry=registry)
    assert response.headers["Location"] == reverse("run", args=["production", run.pk])
    assert run.actor_label == owner.get_username()
    assert no_worker == [run.pk]
    assert registry.connection().credentials == (doors.USER, doors.PASSWORD)


def test_testing_shows_each_step_and_stores_nothing(as_owner: Client, address: str) -> None:
    page = said(as_owner, values(address, action="test"), status=200)
    assert "This connection works." in page
    for step in ("Address", "Host name", "Port", "Certificate", "Protocol", "Sign-in", "Catalog"):
        assert f"<strong>{step}</strong>" in page


def test_testing_keeps_what_was_typed_but_for_the_password(as_owner: Client, address: str) -> None:
    page = said(as_owner, values(address, action="test"), status=200)
    assert f'value="{address}"' in page
    assert f'value="{doors.USER}"' in page
    assert "enter it again" in page


def test_htmx_gets_the_result_alone(as_owner: Client, address: str) -> None:
    response = as_owner.post(CONNECT, values(address, action="test"), headers=HTMX)
    assert "This connection works." in response.content.decode()
    assert "<form" not in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]


def test_htmx_is_told_of_mistakes_with_a_status_that_it_shows(as_owner: Client) -> None:
    sent = values("", name="Production", action="test")
    response = as_owner.post(CONNECT, sent, headers=HTMX)
    assert response.status_code == 200
    assert "lower-case letters" in response.content.decode()


def test_the_page_is_not_kept_by_caches(as_owner: Client) -> None:
    assert "no-store" in as_owner.get(CONNECT).headers["Cache-Control"]


# What may be wrong -------------------------------------------------------------------------------


def test_a_wrong_address(as_owner: Client) -> None:
    page = said(as_owner, values("https://registry.does-not-exist.invalid"))
    assert "The name registry.does-not-exist.invalid is unknown" in page
    assert "Nothing was saved." in page


def test_a_refused_connection(as_owner: Client) -> None:
    assert "refuses the connection" in said(as_owner, values(f"http://{doors.closed()}"))


def test_a_web_page_instead_of_a_registry(as_owner: Client) -> None:
    with doors.served(doors.WebPage) as address:
        page = said(as_owner, values(f"http://{address}"))
    assert "Give the address that docker login uses" in page


def test_a_wrong_password(as_owner: Client, address: str) -> None:
    page = said(as_owner, values(address, password="a-wrong-guess"))
    assert "Check the user name and the password" in page
    assert "a-wrong-guess" not in page


def test_an_expired_certificate(as_owner: Client, tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=-2)
    with doors.served(doors.SmallRegistry, context) as address:
        page = said(as_owner, values(f"https://{address}", ca_certificate=pem))
    assert "expired" in page


def test_a_hang(as_owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Limits(connect_seconds=0.2, stall_seconds=0.2, total_seconds=0.5, attempts=1)
    monkeypatch.setattr(connection_checks, "PATIENCE", short)
    with doors.silent() as address:
        page = said(as_owner, values(f"http://{address}"))
    assert "silent" in page or "does not answer" in page


def test_plain_http_without_private_addresses(as_owner: Client) -> None:
    sent = values("http://registry.example.com")
    del sent["allow_private"]
    assert "Plain http is only for registries on a private network" in said(as_owner, sent)


def test_a_mistake_is_marked_at_its_field(as_owner: Client) -> None:
    page = said(as_owner, values("https://hub.example.com", repository_names="Team A"))
    assert 'aria-invalid="true"' in page
    assert "“Team A” is not a repository name" in page
    assert '<details class="fold" open>' in page  # else the mistake would be out of sight


def test_a_taken_name(as_owner: Client, address: str) -> None:
    catalog.registry("production")
    response = as_owner.post(CONNECT, values(address))
    assert response.status_code == 422
    assert "already a registry named “production”" in response.content.decode()


# Changing ----------------------------------------------------------------------------------------


@pytest.fixture
def registry(as_owner: Client, address: str) -> Registry:
    as_owner.post(CONNECT, values(address))
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    return Registry.objects.get()


EDIT = "/registries/production/edit/"


def test_the_form_shows_what_is_stored_but_for_the_password(
    as_owner: Client, registry: Registry
) -> None:
    page = as_owner.get(EDIT).content.decode()
    assert registry.url in page
    assert doors.USER in page
    assert doors.PASSWORD not in page


def test_an_empty_password_keeps_the_stored_one(as_owner: Client, registry: Registry) -> None:
    sent = values(registry.url, password="", sync_minutes="60", repository_names="team-a/*")
    response = as_owner.post(EDIT, sent)
    assert response.headers["Location"] == reverse("registry-runs", args=["production"])
    registry.refresh_from_db()
    assert registry.repository_names == ["team-a/*"]
    assert registry.connection().credentials == (doors.USER, doors.PASSWORD)


def test_a_change_that_does_not_work_is_not_stored(as_owner: Client, registry: Registry) -> None:
    response = as_owner.post(EDIT, values(registry.url, password="a-wrong-guess"))
    assert response.status_code == 422
    assert registry.connection().credentials == (doors.USER, doors.PASSWORD)


def test_a_stored_password_does_not_follow_a_new_address(
    as_owner: Client, registry: Registry
) -> None:
    with doors.served(doors.SmallRegistry) as elsewhere:
        response = as_owner.post(EDIT, values(f"http://{elsewhere}", password=""))
    assert response.status_code == 422
    assert "Enter the password again" in response.content.decode()


def test_who_manages_one_registry_is_told_where_it_may_not_go(
    outsider: User, registry: Registry
) -> None:
    give(outsider, "contributor", Scope("production"))
    client = signed_in(outsider)
    assert "connect registries anywhere can turn it on again" in client.get(EDIT).content.decode()
    for action, status in (("save", 422), ("test", 200)):
        sent = values("http://127.0.0.1:9", action=action)
        response = client.post(EDIT, sent, headers=HTMX)
        assert response.status_code == status
        assert "another address, kind" in response.content.decode()
    assert client.post(EDIT, values(registry.url, sync_minutes="60")).status_code == 302
    Registry.objects.update(allow_private=False, url="https://a.invalid")
    assert client.post(EDIT, values("https://a.invalid")).status_code == 422
    assert not Registry.objects.get().allow_private
    page = client.get(EDIT).content.decode()
    assert "connect registries anywhere can change this" in page
    assert re.search('name="allow_private"[^>]* disabled', page)


def test_what_was_turned_off_while_it_was_tried_out_stays_off(
    outsider: User, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(outsider, "contributor", Scope("production"))

    def turned_off(*args: Any, **named: Any) -> Any:
        Registry.objects.update(allow_private=False, url="https://a.invalid")
        return check_connection(*args, **named)

    monkeypatch.setattr("dashboard.views.connect.check_connection", turned_off)
    assert signed_in(outsider).post(EDIT, values(registry.url)).status_code == 403
    assert not Registry.objects.get().allow_private


def test_the_schedule_changes_while_the_registry_is_away(as_owner: Client) -> None:
    away = catalog.registry("away", url="https://registry.does-not-exist.invalid")
    sent = {"url": away.url, "kind": "distribution", "sync_minutes": "", "action": "save"}
    assert as_owner.post("/registries/away/edit/", sent).status_code == 302
    away.refresh_from_db()
    assert away.sync_interval is None


def test_the_kind_can_be_found_out_anew(as_owner: Client, registry: Registry) -> None:
    Registry.objects.update(kind="zot")
    assert as_owner.post(EDIT, values(registry.url, kind="")).status_code == 302
    registry.refresh_from_db()
    assert registry.kind == "distribution"


def test_a_name_cannot_be_changed(as_owner: Client, registry: Registry) -> None:
    as_owner.post(EDIT, values(registry.url, password="", name="another"))
    registry.refresh_from_db()
    assert registry.name == "production"


# Removing ----------------------------------------------------------------------------------------

REMOVE = "/registries/production/remove/"


def test_removing_asks_for_the_name(as_owner: Client, registry: Registry) -> None:
    assert as_owner.post(REMOVE, {"name": "productoin"}).status_code == 422
    assert Registry.objects.exists()
    response = as_owner.post(REMOVE, {"name": "production"})
    assert response.headers["Location"] == reverse("registries")
    assert not Registry.objects.exists()
    assert not RegistryCredential.objects.exists()


def test_removing_waits_for_a_running_sync(as_owner: Client, registry: Registry) -> None:
    assert "must be stopped first" not in as_owner.get(REMOVE).content.decode()
    SyncRun.objects.update(state=SyncRun.State.RUNNING)
    assert "must be stopped first" in as_owner.get(REMOVE).content.decode()
    response = as_owner.post(REMOVE, {"name": "production"})
    assert response.status_code == 422
    assert "A sync of it is running" in response.content.decode()
    assert Registry.objects.exists()
