"""What a vendor tells, and what it is asked to do, for programs."""

from __future__ import annotations

import pytest
from django.test import Client

from access.models import AuditEntry, User
from access.scopes import Scope
from registries.connectors.reports import NativeWebhook, Report
from registries.models import Registry, RegistryReport
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.dashboard.test_vendor_screens import azure, harbour
from tests.fakes.azure import FakeManagement
from webhooks.models import InboundSecret

__all__ = ["azure", "harbour"]

pytestmark = pytest.mark.django_db
VENDOR = "/registries/harbour/vendor"
HOOKS = f"{VENDOR}/webhooks"


def test_usage_settings_and_warnings_are_shown(harbour: Registry, api_owner: Api) -> None:
    shown = api_owner.get(VENDOR).json()
    assert shown["vendor"] == "Azure Container Registry"
    assert "Premium" in [row["value"] for row in shown["facts"]]
    assert {row["name"]: row["unit"] for row in shown["usage"]}["Storage"] == "bytes"
    (warning,) = [row for row in shown["warnings"] if row["code"] == "acr-admin-enabled"]
    assert warning["remedy"]
    assert (shown["problem"], shown["notifies"]) == ("", False)


def test_who_only_reads_is_offered_nothing(
    harbour: Registry, api_outsider: Api, outsider: User
) -> None:
    for address in (VENDOR, HOOKS, f"{VENDOR}/access"):
        assert api_outsider.get(address).status_code == 404
    give(outsider, "auditor", Scope("harbour"))
    RegistryReport.objects.update(
        data=Report(unread=("secret-role",), offers=("acr-admin-enabled",)).as_json()
    )
    shown = Api.of(outsider).get(VENDOR).json()
    assert (shown["offers"], shown["unread"], shown["notifies"]) == ([], [], None)
    for address in (HOOKS, f"{VENDOR}/access"):
        assert Api.of(outsider).get(address).status_code == 403
    assert Api.of(outsider).post(f"{VENDOR}/readings").status_code == 403


def test_a_setting_is_changed_at_the_vendor_and_that_is_audited(
    harbour: Registry, api_owner: Api, azure: FakeManagement
) -> None:
    done = api_owner.post(f"{VENDOR}/remedies/acr-admin-enabled")
    assert done.json() == {"said": "The admin user was switched off."}
    assert azure.admin_user is False
    assert "acr-admin-enabled" not in api_owner.get(VENDOR).content.decode()
    entry = AuditEntry.objects.get(event="vendor setting changed")
    assert (entry.registry, entry.actor_label) == ("harbour", "anna")
    assert api_owner.post(f"{VENDOR}/remedies/format-the-disk").status_code == 404


def test_the_webhook_that_notifies_is_made_with_a_secret_that_nobody_sees(
    harbour: Registry, api_owner: Api, azure: FakeManagement
) -> None:
    made = api_owner.post(HOOKS)
    assert made.status_code == 201
    assert (made.json()["id"], made.json()["is_portolans"]) == ("portolanharbour", True)
    assert made.headers["Location"].endswith(f"{HOOKS}/portolanharbour")
    header = azure.webhooks["portolanharbour"]["properties"]["customHeaders"]["Authorization"]
    secret = header.removeprefix("Bearer ")
    listed = api_owner.get(HOOKS)
    assert [row["id"] for row in listed.json()["items"]] == ["portolanharbour"]
    assert secret not in made.content.decode() + listed.content.decode()
    assert api_owner.get(VENDOR).json()["notifies"] is True
    came = Client().post(
        "/hooks/in/harbour", b"{}", content_type="application/json", HTTP_AUTHORIZATION=header
    )
    assert came.status_code == 200


def test_a_webhook_is_pinged_and_removed(
    harbour: Registry, api_owner: Api, azure: FakeManagement
) -> None:
    api_owner.post(HOOKS)
    one = f"{HOOKS}/portolanharbour"
    assert "answered with 202" in api_owner.post(f"{one}/pings").json()["said"]
    assert api_owner.delete(one, headers={"If-Match": '"x"'}).status_code == 412
    read = {"If-Match": api_owner.get(one).headers["ETag"]}
    assert api_owner.delete(one, headers=read).status_code == 204
    assert azure.webhooks == {}
    assert AuditEntry.objects.filter(event="vendor webhook removed").exists()


def test_what_the_vendor_refuses_is_told_and_leaves_no_secret_behind(
    harbour: Registry, api_owner: Api, azure: FakeManagement
) -> None:
    azure.forbidden = {"portolanharbour"}
    refused = api_owner.post(HOOKS)
    assert (refused.status_code, refused.json()["code"]) == (502, "registry_failed")
    assert "does not let this credential do that" in refused.json()["detail"]
    assert not InboundSecret.objects.exists()


def test_a_kind_that_sends_no_test_message_is_asked_for_none(
    harbour: Registry, api_owner: Api
) -> None:
    webhook = NativeWebhook("1", "theirs", "ci.example.com", ("push",))
    RegistryReport.objects.update(data=Report(webhooks=(webhook,)).as_json())
    Registry.objects.filter(pk=harbour.pk).update(kind="harbor")
    refused = api_owner.post(f"{HOOKS}/1/pings")
    assert (refused.status_code, refused.json()["code"]) == (422, "registry_failed")
    assert "does not let Portolan send test notifications" in refused.json()["detail"]


def test_a_webhook_that_nobody_told_of_is_not_asked_about(
    harbour: Registry, api_owner: Api, azure: FakeManagement
) -> None:
    for name in ("x", "../tokens/ci", "a/b"):
        assert api_owner.get(f"{HOOKS}/{name}").status_code == 404
        assert api_owner.post(f"{HOOKS}/{name}/pings").status_code == 404
        assert api_owner.delete(f"{HOOKS}/{name}").status_code == 404


def test_an_id_with_slashes_is_an_address(harbour: Registry, api_owner: Api) -> None:
    webhook = NativeWebhook("team-a/app/17", "theirs", "ci.example.com", ("push",))
    RegistryReport.objects.update(data=Report(webhooks=(webhook,)).as_json())
    shown = api_owner.get(f"{HOOKS}/team-a/app/17").json()
    assert (shown["name"], shown["host"], shown["is_portolans"]) == (
        "theirs",
        "ci.example.com",
        False,
    )
    assert api_owner.get(f"{HOOKS}/team-a%2Fapp%2F17").json() == shown


def test_the_report_is_read_anew_and_a_failure_is_told(
    harbour: Registry, api_owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    RegistryReport.objects.all().delete()
    assert api_owner.get(VENDOR).json()["told_at"] is None
    assert api_owner.post(f"{VENDOR}/readings").json()["told_at"] is not None

    def silent(registry: Registry) -> RegistryReport:
        return RegistryReport(registry=registry, problem="Nobody answers.")

    monkeypatch.setattr("dashboard.api.catalog.vendor.read_report", silent)
    failed = api_owner.post(f"{VENDOR}/readings")
    assert (failed.status_code, failed.json()["detail"]) == (502, "Nobody answers.")


def test_rights_at_the_vendor_are_listed(harbour: Registry, api_owner: Api) -> None:
    rows = api_owner.get(f"{VENDOR}/access").json()["items"]
    assert {"a-group"} <= {row["principal"] for row in rows}
    assert {"Owner", "AcrPull"} <= {row["role"] for row in rows}


def test_a_registry_whose_vendor_tells_nothing_has_no_report(api_owner: Api) -> None:
    catalog.registry("plain")
    catalog.registry("images", kind="ecr")
    assert api_owner.get("/registries/plain/vendor").status_code == 404
    assert api_owner.post("/registries/plain/vendor/webhooks").status_code == 404
    assert api_owner.post("/registries/images/vendor/webhooks").status_code == 404
    assert not InboundSecret.objects.exists()
