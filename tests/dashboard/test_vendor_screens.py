"""The screen of what a vendor tells, and what is done about it there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from access.models import AuditEntry, User
from access.scopes import Scope
from registries.connectors.reports import NativeGrant, NativeWebhook, Report, Usage
from registries.models import Registry, RegistryReport
from registries.reports import read_report
from tests import catalog
from tests.cast import give, signed_in
from tests.fakes.azure import FakeEntra, FakeManagement
from tests.registries.test_reports import at
from webhooks.models import InboundSecret

PAGE = "/r/harbour/-/vendor"


@pytest.fixture(scope="module")
def azure() -> Iterator[FakeManagement]:
    with FakeEntra() as entra, FakeManagement(entra) as fake:
        yield fake


@pytest.fixture
def harbour(db: None, azure: FakeManagement, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr("registries.connectors.acr.resource.PAUSE_SECONDS", 0)
    azure.admin_user = True
    azure.webhooks.clear()
    azure.forbidden.clear()
    registry = at(azure)
    read_report(registry)
    return registry


def text_of(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def told_after(client: Client, address: str, data: dict[str, str] | None = None) -> str:
    """What is said on the page that follows a button."""
    answer = client.post(address, data or {}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    return " ".join(str(message) for message in answer.context["messages"])


def test_usage_settings_and_warnings_are_shown(harbour: Registry, as_owner: Client) -> None:
    shown = text_of(as_owner)
    for part in ("At Azure Container Registry", "Premium", "westeurope", "Storage", "</progress>"):
        assert part in shown
    assert "The admin user is on" in shown
    assert f"{PAGE}/do/acr-admin-enabled" in shown
    assert f'href="{PAGE}"' in text_of(as_owner, "/r/harbour/")


def test_the_admin_user_is_switched_off_after_asking_and_that_is_audited(
    harbour: Registry, as_owner: Client, azure: FakeManagement
) -> None:
    asked = text_of(as_owner, f"{PAGE}/do/acr-admin-enabled")
    assert "Switch the admin user off?" in asked
    said = told_after(as_owner, f"{PAGE}/do/acr-admin-enabled")
    assert said == "The admin user was switched off."
    assert azure.admin_user is False
    assert "The admin user is on" not in text_of(as_owner)
    entry = AuditEntry.objects.get(event="vendor setting changed")
    assert (entry.registry, entry.actor_label) == ("harbour", "anna")


def test_the_webhook_that_notifies_is_made_in_one_click_with_a_secret_that_works(
    harbour: Registry, as_owner: Client, azure: FakeManagement
) -> None:
    assert "Create the one that notifies Portolan" in text_of(as_owner)
    said = told_after(as_owner, f"{PAGE}/webhooks")
    assert "portolanharbour" in said
    sent = azure.webhooks["portolanharbour"]["properties"]
    header = sent["customHeaders"]["Authorization"]
    secret = header.removeprefix("Bearer ")
    assert sent["serviceUri"].endswith("/hooks/in/harbour")
    shown = text_of(as_owner)
    assert "portolanharbour" in shown
    assert "Set up anew the one that notifies Portolan" in shown
    assert secret not in shown + said + str(RegistryReport.objects.values())
    came = Client().post(
        "/hooks/in/harbour", b"{}", content_type="application/json", HTTP_AUTHORIZATION=header
    )
    assert came.status_code == 200
    assert AuditEntry.objects.filter(event="vendor webhook created").exists()

    ping = told_after(as_owner, f"{PAGE}/webhooks/ping", {"webhook": "portolanharbour"})
    assert "answered with 202" in ping
    assert "Remove the webhook?" in text_of(
        as_owner, f"{PAGE}/webhooks/remove?webhook=portolanharbour"
    )
    told_after(as_owner, f"{PAGE}/webhooks/remove?webhook=portolanharbour")
    assert azure.webhooks == {}
    assert AuditEntry.objects.filter(event="vendor webhook removed").exists()


def test_a_webhook_that_is_refused_leaves_no_secret_behind(
    harbour: Registry, as_owner: Client, azure: FakeManagement
) -> None:
    azure.forbidden = {"portolanharbour"}
    said = told_after(as_owner, f"{PAGE}/webhooks")
    assert "does not let this credential do that" in said
    assert not InboundSecret.objects.exists()


def test_a_webhook_that_nobody_told_of_is_not_asked_about(
    harbour: Registry, as_owner: Client
) -> None:
    address = f"{PAGE}/webhooks/ping"
    assert as_owner.post(address, {"webhook": "../tokens/ci"}).status_code == 404
    assert as_owner.get(f"{PAGE}/webhooks/remove?webhook=x").status_code == 404
    assert as_owner.post(f"{PAGE}/do/format-the-disk").status_code == 404


def test_a_test_message_is_offered_only_where_the_registry_sends_one(
    harbour: Registry, as_owner: Client
) -> None:
    webhook = NativeWebhook("1", "theirs", "ci.example.com", ("push",))
    RegistryReport.objects.update(data=Report(webhooks=(webhook,)).as_json())
    assert "Ping" in text_of(as_owner)
    Registry.objects.filter(pk=harbour.pk).update(kind="harbor")
    shown = text_of(as_owner)
    assert "theirs" in shown
    assert "Ping" not in shown
    said = told_after(as_owner, f"{PAGE}/webhooks/ping", {"webhook": "1"})
    assert "does not let Portolan send test notifications" in said


def test_who_only_reads_sees_usage_and_nothing_to_press(harbour: Registry, viewer: User) -> None:
    give(viewer, "auditor", Scope("harbour"))
    shown = text_of(signed_in(viewer))
    assert "Storage" in shown
    for part in ("Ask again", "Webhooks there", "/do/", "a-group"):
        assert part not in shown


def test_a_registry_whose_vendor_tells_nothing_has_no_such_page(db: None, as_owner: Client) -> None:
    catalog.registry("plain")
    assert as_owner.get("/r/plain/-/vendor").status_code == 404
    assert "/-/vendor" not in text_of(as_owner, "/r/plain/")


def test_before_the_first_answer_and_after_a_failure_the_page_says_so(
    harbour: Registry, as_owner: Client
) -> None:
    RegistryReport.objects.update(problem="Nobody answers.")
    assert "Nobody answers." in text_of(as_owner)
    RegistryReport.objects.all().delete()
    page = text_of(as_owner)
    assert "was not asked yet" in page
    assert "Ask now" in page
    assert "Ask again" not in page
    assert "This is what is told now." in told_after(as_owner, f"{PAGE}/read")


def test_words_of_a_vendor_are_text_and_nothing_else(harbour: Registry, as_owner: Client) -> None:
    evil = "<script>alert(1)</script>"
    report = Report(
        facts=((evil, evil),),
        usage=(Usage(evil, 1, 0),),
        access=(NativeGrant(evil, evil, evil, evil, evil),),
    )
    RegistryReport.objects.update(data=report.as_json())
    for address in (PAGE, "/access/who/?scope=harbour"):
        assert "<script>alert" not in text_of(as_owner, address)


# Who has access


def test_rights_at_the_vendor_stand_beside_portolans_own(
    harbour: Registry, as_owner: Client
) -> None:
    shown = text_of(as_owner, "/access/who/?scope=harbour")
    for part in ("At Azure Container Registry", "a-group", "Owner", "AcrPull", "team-a/*"):
        assert part in shown
    assert "until 2027-01-01" in shown


def test_of_many_rights_the_first_are_shown_and_the_rest_counted(
    harbour: Registry, as_owner: Client
) -> None:
    grants = tuple(NativeGrant(f"user-{n}", "user", "r", "s", "m") for n in range(250))
    RegistryReport.objects.update(data=Report(access=grants).as_json())
    shown = text_of(as_owner, "/access/who/?scope=harbour")
    assert "200 of 250" in shown
    assert "user-249" not in shown


def test_who_manages_access_to_a_part_is_not_told_of_the_rights_to_all(
    harbour: Registry, viewer: User
) -> None:
    give(viewer, "owner", Scope("harbour", "team-a/*"))
    client = signed_in(viewer)
    assert "At Azure" not in text_of(client, "/access/who/?scope=harbour/team-a/*")
    give(viewer, "owner", Scope("harbour"))
    assert "At Azure" in text_of(signed_in(viewer), "/access/who/?scope=harbour/team-a/*")
