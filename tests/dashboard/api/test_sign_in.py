"""Who is let in to the REST API, as whom, and with which rights."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access import keyring
from access.admin_accounts import SLOTS
from access.models import AdminAccount, AuditEntry, Secret, ServicePrincipal, User
from access.scopes import Scope
from access.tokens import limits
from registries.actor import SYSTEM
from tests import catalog
from tests.cast import PASSWORD, give
from tests.dashboard.api.client import Api, token_of

pytestmark = pytest.mark.django_db


def test_a_personal_token_acts_as_its_owner(api_owner: Api) -> None:
    answer = api_owner.get("/").json()
    assert answer["principal"] == "user:anna"
    assert [one["scope"] for one in answer["entitlements"]] == ["*"]


def test_a_machine_s_secret_acts_as_the_machine(machine: ServicePrincipal) -> None:
    assert Api.of(machine).get("/").json() == {"principal": "sp:ci", "entitlements": []}


def test_a_secret_also_comes_as_basic_with_its_owner_s_name(owner: User) -> None:
    pair = base64.b64encode(f"anna:{token_of(owner)}".encode()).decode()
    assert Api().get("/", headers={"Authorization": f"Basic {pair}"}).status_code == 200


def with_name(name: str, secret: str) -> Any:
    pair = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return Api().get("/", headers={"Authorization": f"Basic {pair}"})


def test_and_not_with_somebody_else_s(owner: User) -> None:
    pair = base64.b64encode(f"viktor:{token_of(owner)}".encode()).decode()
    assert Api().get("/", headers={"Authorization": f"Basic {pair}"}).status_code == 401


def test_a_token_allows_no_more_than_it_says(owner: User) -> None:
    catalog.registry("prod")
    catalog.registry("dev")
    api = Api(token_of(owner, actions=["content read"], scopes=["prod"]))
    assert [row["name"] for row in api.get("/registries").json()["items"]] == ["prod"]
    assert api.get("/registries/dev").status_code == 404
    refused = api.post("/registries/prod/runs")
    assert refused.status_code == 403
    assert refused.json()["action"] == "registry manage"


def test_a_browser_s_session_is_let_in(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert Api(client=client).get("/").json()["principal"] == "user:anna"


def test_a_change_by_session_needs_the_token_of_our_page(owner: User) -> None:
    catalog.registry("prod")
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    refused = Api(client=client).post("/registries/prod/runs")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]


def test_whoever_says_nothing_is_told_how_to_sign_in() -> None:
    refused = Api().get("/")
    assert refused.status_code == 401
    assert refused.json()["code"] == "not_signed_in"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Bearer ",
        "Bearer",
        "Basic",
        "Basic !!!",
        "Digest username=anna",
        f"Basic {base64.b64encode(f'anna:{PASSWORD}'.encode()).decode()}",
        "Bearer ptl_pat_0123456789_0123456789012345678901234567890123456789012_000000",
    ],
)
def test_what_is_no_secret_of_ours_is_refused_with_a_sentence(header: str, owner: User) -> None:
    refused = Api().get("/", headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused.json()["detail"].endswith(".")
    assert PASSWORD not in refused.content.decode()


def test_a_wrong_secret_is_in_the_audit_log_and_the_same_only_once_a_minute() -> None:
    for _ in range(3):
        Api("nonsense").get("/")
    (entry,) = AuditEntry.objects.filter(event="secret refused")
    assert entry.new
    assert entry.new["because"] == "not a secret of ours"


def test_a_wrong_secret_is_entered_with_the_name_that_came_with_it(
    owner: User, machine: ServicePrincipal
) -> None:
    assert with_name("anna", "wrong").status_code == 401
    assert with_name("nobody-at-all", "wrong").status_code == 401
    assert with_name("na\0me", "wrong").status_code == 401
    assert with_name("ci", "wrong").status_code == 401
    Api("nonsense").get("/")
    refused = AuditEntry.objects.filter(event="secret refused").order_by("pk")
    assert [entry.target for entry in refused] == ["anna", "nob…", "nam…", "ci", "somebody"]


def test_the_limit_of_an_account_leaves_others_at_its_address_alone(owner: User) -> None:
    for _ in range(limits.FREE_OF_ACCOUNT):
        assert with_name("viktor", "wrong").status_code == 401
    assert with_name("viktor", "wrong").status_code == 429
    assert with_name("anna", "wrong").status_code == 401


def test_who_tries_many_secrets_waits() -> None:
    answers = [Api("nonsense").get("/") for _ in range(8)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_shared_account_of_a_registry_is_nobody_here() -> None:
    account = AdminAccount.objects.create(
        registry=catalog.registry("prod"), enabled_at=timezone.now()
    )
    issued = keyring.add(
        Secret.Kind.ADMIN, expires_at=None, actor=SYSTEM, admin_account=account, slot=SLOTS[0]
    )
    refused = Api(issued.text).get("/")
    assert refused.status_code == 401
    assert "docker" in refused.json()["detail"]


def test_who_is_switched_off_is_not_let_in(owner: User) -> None:
    api = Api.of(owner)
    User.objects.update(is_active=False)
    assert api.get("/").status_code == 401


def test_a_secret_s_last_use_is_noted(owner: User) -> None:
    Api.of(owner).get("/")
    assert Secret.objects.get().last_used_at is not None


def test_a_revoked_grant_counts_from_the_next_request_on(viewer: User) -> None:
    catalog.registry("prod")
    api = Api.of(viewer)
    assert api.get("/registries/prod").status_code == 200
    viewer.grants.all().delete()
    assert api.get("/registries/prod").status_code == 404


def test_rights_on_a_part_show_that_part(outsider: User) -> None:
    registry = catalog.registry("prod")
    catalog.repository(registry, "team-a/app", tag_count=3)
    catalog.repository(registry, "team-b/app", tag_count=4)
    catalog.recount(registry)
    give(outsider, "reader", Scope("prod", "team-a/*"))
    row = Api.of(outsider).get("/registries/prod").json()
    assert (row["repositories"], row["is_part"], row["health_detail"]) == (1, True, "")
