"""The credential board: all that one may know of, and nothing else; filters, order, files."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from access.models import AdminAccount, Credential, Membership, Secret, ServicePrincipal, Team, User
from access.scopes import Scope
from access.secrets import mint
from dashboard.views.access.credentials import COLUMNS
from registries.models import Registry, RegistryCredential
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
NOW = timezone.now()
PASSWORD_THERE = "what Portolan signs in with"


def secret(kind: str, **fields: Any) -> Secret:
    minted = mint(Secret.Kind(kind))
    secret = Secret(kind=kind, key_id=minted.key_id, digest=minted.digest, **fields)
    secret.save()
    return secret


def in_days(days: int) -> datetime:
    return NOW + timedelta(days=days)


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture(autouse=True)
def everything(viewer: User, owner: User, team: Team) -> None:
    """One of each kind on two registries, and a secret exchanged for a CI token."""
    for number, name in enumerate(("harbour", "elsewhere")):
        registry = catalog.registry(name)
        RegistryCredential.objects.create(
            registry=registry,
            username=f"robot-{number}",
            secret=PASSWORD_THERE,
            changed_at=in_days(-9),
        )
        account = AdminAccount.objects.create(registry=registry)
        secret("adm", admin_account=account, slot=1, label=f"admin-{number}")
    machine = ServicePrincipal.objects.create(name="ci", team=team)
    lone = ServicePrincipal.objects.create(name="lone")
    secret("sp", service_principal=machine, slot=1, label="jenkins", expires_at=in_days(5))
    secret("sp", service_principal=lone, slot=1, label="lone-secret")
    secret("oidc", service_principal=machine, label="exchanged", expires_at=in_days(1))
    secret("pat", user=viewer, label="viktors", expires_at=in_days(20))
    secret("pat", user=owner, label="annas", expires_at=in_days(40))


def labels(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/access/credentials/?{query}")
    assert response.status_code == 200
    return [row.credential.label for row in response.context["rows"]]


ALL = ["jenkins", "viktors", "annas", "robot-0", "admin-0", "robot-1", "admin-1", "lone-secret"]


# Who may know of what ---------------------------------------------------------------------------


def test_who_owns_everything_sees_all_but_what_is_exchanged(as_owner: Client) -> None:
    assert labels(as_owner)[:3] == ["jenkins", "viktors", "annas"]
    assert set(labels(as_owner)) == set(ALL)
    page = as_owner.get("/access/credentials/").content.decode()
    assert "1 token exchanged by a CI job is live besides" in page
    assert PASSWORD_THERE not in page


def test_one_sees_ones_own(as_viewer: Client, as_outsider: Client) -> None:
    assert labels(as_viewer, "state=all") == ["viktors"]
    assert labels(as_outsider, "state=all") == []
    assert "exchanged" not in as_viewer.get("/access/credentials/").content.decode()


def test_one_sees_those_of_machines_of_ones_teams(outsider: User, team: Team) -> None:
    Membership.objects.create(team=team, user=outsider)
    client = signed_in(outsider)
    assert labels(client, "state=all") == ["jenkins"]
    assert client.get("/access/credentials/").context["exchanged"] == 1


@pytest.mark.parametrize(
    ("role", "scope", "sees"),
    [
        ("owner", "harbour", {"robot-0", "admin-0"}),
        ("owner", "harbour/team-a/*", set()),
        ("contributor", "harbour", {"robot-0"}),
        ("reader", "*", set()),
        ("auditor", "*", set()),
    ],
)
def test_one_sees_what_is_a_registrys_where_one_manages_it(
    outsider: User, role: str, scope: str, sees: set[str]
) -> None:
    give(outsider, role, Scope.parse(scope))
    assert set(labels(signed_in(outsider), "state=all")) == sees


def test_files_have_what_the_page_has(outsider: User) -> None:
    give(outsider, "owner", Scope("harbour"))
    rows = csv_of(signed_in(outsider).get("/access/credentials/rows.csv?state=all"))
    assert {row["name"] for row in rows} == {"robot-0", "admin-0"}


# Filters and order ------------------------------------------------------------------------------


def test_each_filter_narrows_to_what_it_says(as_owner: Client, viewer: User) -> None:
    assert labels(as_owner, "kind=pat") == ["viktors", "annas"]
    assert set(labels(as_owner, "kind=registry")) == {"robot-0", "robot-1"}
    assert set(labels(as_owner, "kind=adm&q=harbour")) == {"admin-0"}
    assert labels(as_owner, "ending=7") == ["jenkins"]
    assert labels(as_owner, "ending=30") == ["jenkins", "viktors"]
    assert labels(as_owner, "q=user:viktor") == ["viktors"]
    assert labels(as_owner, "q=sp:ci") == ["jenkins"]
    assert set(labels(as_owner, "q=admin:else")) == {"admin-1"}
    assert set(labels(as_owner, "q=registry:harb")) == {"robot-0"}
    assert labels(as_owner, "q=PLATFORM") == ["jenkins"]
    assert labels(as_owner, f"q={Secret.objects.get(label='annas').key_id}") == ["annas"]
    assert labels(as_owner, "q=nobody") == []


def test_unused_counts_from_the_making_for_what_nobody_ever_used(as_owner: Client) -> None:
    tokens = Secret.objects.filter(label__in=["viktors", "annas"])
    tokens.update(created_at=in_days(-100))
    tokens.filter(label="annas").update(last_used_at=in_days(-3))
    assert labels(as_owner, "unused=90&kind=pat") == ["viktors"]
    assert labels(as_owner, "unused=180&kind=pat") == []


def test_states_tell_what_works(as_owner: Client, viewer: User) -> None:
    Secret.objects.filter(label="annas").update(expires_at=in_days(-1))
    Secret.objects.filter(label="jenkins").update(revoked_at=NOW)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    assert labels(as_owner, "state=expired") == ["annas"]
    assert labels(as_owner, "state=revoked") == ["jenkins"]
    # Admin accounts are off until somebody switches them on.
    assert set(labels(as_owner, "state=off")) == {"viktors", "admin-0", "admin-1"}
    assert {"annas", "jenkins"}.isdisjoint(labels(as_owner))
    assert set(labels(as_owner, "state=all")) == set(ALL)


def test_a_filter_that_makes_no_sense_says_so(as_owner: Client) -> None:
    response = as_owner.get("/access/credentials/?ending=soonish")
    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert as_owner.get("/access/credentials/rows.csv?ending=soonish").status_code == 400


@pytest.mark.parametrize("sort", ["ends", "-ends", "used", "-used", "owner", "-owner", "created"])
def test_pages_follow_each_other_without_gap_or_repetition(
    as_owner: Client, owner: User, sort: str
) -> None:
    Secret.objects.filter(label="annas").update(last_used_at=NOW)
    whole = labels(as_owner, f"sort={sort}")
    assert set(whole) == set(ALL)
    for number in range(60):
        secret("pat", user=owner, label=f"more-{number}", expires_at=in_days(40))
    address, seen = f"?sort={sort}", []
    while address:
        response = as_owner.get(f"/access/credentials/{address}")
        seen += [row.credential.label for row in response.context["rows"]]
        following = response.context["page"].next
        address = f"?{following}" if following else ""
    assert len(seen) == len(set(seen)) == len(ALL) + 60
    assert [label for label in seen if not label.startswith("more-")] == whole


def test_a_connection_was_used_by_a_sync_since_it_was_stored(as_owner: Client) -> None:
    Registry.objects.filter(name="harbour").update(synced_at=NOW)
    Registry.objects.filter(name="elsewhere").update(synced_at=in_days(-30))
    rows = as_owner.get("/access/credentials/?kind=registry&sort=owner").context["rows"]
    assert [row.credential.last_used_at for row in rows] == [None, NOW]


# Files ------------------------------------------------------------------------------------------


def text_of(response: Any) -> str:
    streamed = cast("StreamingHttpResponse", response)
    return b"".join(cast("Any", streamed.streaming_content)).decode()


def csv_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(response), newline="")))


def test_files_have_what_was_filtered_whole_and_without_a_secret(as_owner: Client) -> None:
    response = as_owner.get("/access/credentials/rows.jsonl?kind=sp&q=platform")
    assert "attachment" in response.headers["Content-Disposition"]
    (row,) = [json.loads(line) for line in text_of(response).splitlines()]
    assert tuple(row) == COLUMNS
    assert (row["kind"], row["owner"], row["team"]) == ("sp", "sp:ci", "platform")
    assert (row["name"], row["state"]) == ("jenkins", "live")
    assert datetime.fromisoformat(row["expires_at"]) == in_days(5).replace(microsecond=0)
    stored = Secret.objects.get(label="jenkins")
    assert stored.digest not in json.dumps(row)


def test_a_spreadsheet_runs_nothing_that_somebody_named(as_viewer: Client, viewer: User) -> None:
    secret("pat", user=viewer, label="=HYPERLINK(1)", expires_at=in_days(9))
    rows = csv_of(as_viewer.get("/access/credentials/rows.csv?q=hyperlink"))
    assert [row["name"] for row in rows] == ["'=HYPERLINK(1)"]


def test_there_are_two_kinds_of_files(as_owner: Client) -> None:
    assert as_owner.get("/access/credentials/rows.xml").status_code == 404


def test_addresses_lead_to_what_can_be_done(as_owner: Client) -> None:
    rows = as_owner.get("/access/credentials/?state=all").context["rows"]
    for row in rows:
        if row.address:
            assert as_owner.get(row.address).status_code == 200, row.address
    without = {row.credential.kind for row in rows if not row.address}
    assert without == {"adm"}


def test_an_order_joins_no_table_that_it_does_not_ask_for() -> None:
    # Only where both halves of the view have the same types: else each page reads every name.
    plan = Credential.objects.order_by("created_at").values_list("pk").explain()
    assert "access_secret" in plan
    assert "access_user" not in plan
    assert "access_serviceprincipal" not in plan
