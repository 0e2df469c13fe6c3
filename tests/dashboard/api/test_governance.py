"""Governance through the API: the same file, the same rights, and nothing read on the server."""

from __future__ import annotations

import pytest

from access.models import AuditEntry, Grant, ServicePrincipal, Team, TrustRule, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.dashboard.api.client import Api
from tests.dashboard.governance import house
from tests.reassured import reassured
from webhooks.models import Subscription

pytestmark = pytest.mark.django_db(transaction=True)
TEAM = "version: 1\nteams:\n- name: shop\n"


def test_what_is_exported_changes_nothing_when_it_is_planned(db: None) -> None:
    house.furnish()
    api_owner = Api.of(User.objects.get(username="anna"))
    answer = api_owner.get("/export")
    assert answer.headers["Content-Type"].startswith("application/yaml")
    text = answer.content.decode()
    planned = api_owner.post("/plan", {"document": text, "prune": True}).json()
    assert (planned["changes"], planned["problems"]) == ([], [])
    again = api_owner.get("/export", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_plan_is_shown_and_then_made_true_with_audit(api_owner: Api) -> None:
    planned = api_owner.post("/plan", {"document": TEAM}).json()
    assert [(one["verb"], one["name"]) for one in planned["changes"]] == [("create", "shop")]
    assert not Team.objects.exists()
    body = {"document": TEAM, "fingerprint": planned["fingerprint"]}
    applied = api_owner.post("/apply", body)
    assert applied.status_code == 200
    assert "no-store" in applied.headers["Cache-Control"]
    assert applied.json()["changes"] == planned["changes"]
    assert Team.objects.get().name == "shop"
    assert AuditEntry.objects.filter(actor_label="anna", event__contains="team").exists()
    # Applying twice changes nothing the second time.
    assert api_owner.post("/apply", {"document": TEAM}).json()["changes"] == []


def test_another_plan_than_the_one_that_was_looked_at_is_not_applied(api_owner: Api) -> None:
    planned = api_owner.post("/plan", {"document": TEAM}).json()
    Team.objects.create(name="shop", description="Made meanwhile")
    body = {"document": TEAM, "fingerprint": planned["fingerprint"]}
    answer = api_owner.post("/apply", body)
    assert answer.status_code == 409
    assert Team.objects.get().description == "Made meanwhile"


def test_every_problem_of_a_file_is_told_with_its_line(api_owner: Api) -> None:
    text = "version: 1\nteams:\n- nam: shop\ngrants: 7\n"
    answer = api_owner.post("/plan", {"document": text})
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert {"3", "4"} <= {one["line"] for one in errors}
    assert any("did you mean" in one["detail"] for one in errors)


def test_who_may_less_plans_what_he_lacks_and_applies_nothing(
    api_outsider: Api, outsider: User
) -> None:
    catalog.registry("harbour")
    catalog.registry("hidden")
    give(outsider, "reader", Scope("harbour"))
    text = "version: 1\ngrants:\n- {principal: 'user:otto', role: owner, scope: harbour}\n"
    planned = api_outsider.post("/plan", {"document": text}).json()
    assert planned["problems"]
    answer = api_outsider.post("/apply", {"document": text})
    assert answer.status_code == 422
    assert Grant.objects.get().role.name == "reader"
    for path in ("/export", "/export/schema"):
        assert b"hidden" not in api_outsider.get(path).content


def test_a_reference_is_never_looked_up_on_the_server(
    api_owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROD_PASSWORD", "of-the-server")
    text = (
        "version: 1\nregistries:\n- name: prod\n  url: https://127.0.0.1:9\n  kind: distribution\n"
        "  allow_private: true\n  username: robot\n  password: env:PROD_PASSWORD\n"
    )
    planned = api_owner.post("/plan", {"document": text}).json()
    assert planned["references"] == ["env:PROD_PASSWORD"]
    refused = api_owner.post("/apply", {"document": text, "check": False})
    assert refused.status_code == 422
    assert "env:PROD_PASSWORD is not looked up here" in refused.content.decode()
    assert "of-the-server" not in refused.content.decode()

    sent = {"env:PROD_PASSWORD": "hunter2"}
    body = {"document": text, "check": False, "secrets": sent}
    done = api_owner.post("/apply", body)
    assert done.status_code == 200
    assert "hunter2" not in done.content.decode()
    assert Registry.objects.get().credential.secret.reveal() == "hunter2"


def test_a_session_says_once_more_who_it_is_before_it_applies(owner: User, viewer: User) -> None:
    ServicePrincipal.objects.create(name="bot")
    text = (
        "version: 1\ntrust_rules:\n- {name: r, service_principal: bot, audience: a, subject: b,"
        " issuer: 'https://evil.example.com'}\n"
    )
    stale = Api(client=signed_in(owner))
    assert stale.post("/plan", {"document": text}).status_code == 200
    refused = stale.post("/apply", {"document": text})
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert not TrustRule.objects.exists()
    # Who may not do it anyway is told that, and nothing else.
    assert Api(client=signed_in(viewer)).post("/apply", {"document": text}).status_code == 422
    assert Api(client=reassured(owner)).post("/apply", {"document": text}).status_code == 200
    assert TrustRule.objects.exists()


def test_a_secret_that_no_plan_tells_of_is_changed_by_no_stale_session_either() -> None:
    house.furnish()
    anna = User.objects.get(username="anna")
    anna.set_password(PASSWORD)  # who has none is not asked: his provider vouches for him
    anna.save()
    text = (
        "version: 1\nwebhooks:\n- name: deploys\n  where: harbour/team-a/*\n"
        "  topics: [push, delete]\n  payload: slack\n  team: platform\n"
        "  url: https://hooks.example.com/another\n"
    )
    stale = Api(client=signed_in(anna))
    assert stale.post("/plan", {"document": text}).json()["changes"] == []
    assert stale.post("/apply", {"document": text}).status_code == 403
    assert "another" not in Subscription.objects.get().url.reveal()


def test_of_very_many_problems_a_hundred_are_told_and_how_many_more(api_outsider: Api) -> None:
    keys = "version: 1\n" + "".join(f"k{n}: 1\n" for n in range(150))
    for how in ("/plan", "/apply"):
        errors = api_outsider.post(how, {"document": keys}).json()["errors"]
        assert (len(errors), errors[-1]["detail"]) == (101, "And 50 more.")
    grants = "version: 1\ngrants:\n" + "".join(
        f"- {{principal: 'user:u{n}', role: reader, scope: prod}}\n" for n in range(150)
    )
    problems = api_outsider.post("/plan", {"document": grants}).json()["problems"]
    assert (len(problems), problems[-1]["sentence"]) == (101, "And 50 more.")
    refused = api_outsider.post("/apply", {"document": grants})
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 101)
