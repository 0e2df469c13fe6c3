"""The credential board by API."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Membership, Secret, ServicePrincipal, Team, User
from dashboard.views.access.credentials import COLUMNS
from registries.models import RegistryCredential
from tests import catalog
from tests.cast import signed_in
from tests.dashboard.api.client import Api, body_of, token_of

pytestmark = pytest.mark.django_db
ADDRESS = "/credentials"


@pytest.fixture
def shop(machine: ServicePrincipal) -> Team:
    """A team whose machine has a secret that ends tomorrow."""
    team = Team.objects.create(name="shop")
    machine.team = team
    machine.save()
    token_of(machine)
    return team


def owners(api: Api, **query: Any) -> list[str]:
    return [row["owner"] for row in api.get(ADDRESS, **query).json()["items"]]


def test_a_secret_is_there_with_its_owner_and_end_and_never_itself(
    api_owner: Api, shop: Team
) -> None:
    answer = api_owner.get(ADDRESS, kind="sp")
    (row,) = answer.json()["items"]
    assert (row["owner"], row["team"], row["state"]) == ("sp:ci", "shop", "live")
    assert row["key_id"] == Secret.objects.get(kind="sp").key_id
    assert "ptl_" not in answer.content.decode()


def test_it_is_narrowed_and_sorted_as_on_screen(
    api_owner: Api, shop: Team, machine: ServicePrincipal
) -> None:
    assert owners(api_owner, q="SHOP") == ["sp:ci"]
    assert owners(api_owner, sort="-owner") == ["user:anna", "sp:ci"]
    assert owners(api_owner, ending=7, kind="sp") == ["sp:ci"]
    Secret.objects.filter(kind="sp").update(created_at=timezone.now() - timedelta(days=60))
    assert owners(api_owner, unused=45) == ["sp:ci"]
    ServicePrincipal.objects.update(disabled_at=timezone.now())
    assert owners(api_owner, state="off") == ["sp:ci"]
    Secret.objects.filter(kind="sp").update(revoked_at=timezone.now())
    assert owners(api_owner, state="revoked") == ["sp:ci"]
    assert owners(api_owner) == ["user:anna"]
    assert len(owners(api_owner, state="all")) == 2
    assert api_owner.get(ADDRESS, state="odd").status_code == 400


def test_membership_shows_them_to_a_person_and_not_to_his_tokens(
    outsider: User, api_outsider: Api, shop: Team
) -> None:
    Membership.objects.create(team=shop, user=outsider)
    assert sorted(owners(Api(client=signed_in(outsider)))) == ["sp:ci", "user:otto"]
    assert owners(api_outsider) == []


def test_a_connection_is_for_who_manages_the_registry(api_owner: Api, api_viewer: Api) -> None:
    RegistryCredential.objects.create(
        registry=catalog.registry("prod"), username="robot", secret="what it signs in with"
    )
    assert owners(api_owner, kind="registry") == ["registry:prod"]
    assert owners(api_viewer, kind="registry") == []


def test_a_file_has_what_the_list_has_oldest_first(
    api_owner: Api, api_outsider: Api, shop: Team
) -> None:
    path = f"{ADDRESS}/export"
    lines = api_owner.get(path)
    assert lines.headers["Content-Type"].startswith("application/jsonl")
    read = [json.loads(line) for line in body_of(lines).splitlines()]
    assert sorted(row["owner"] for row in read) == ["sp:ci", "user:anna", "user:otto"]
    assert [row["created_at"] for row in read] == sorted(row["created_at"] for row in read)
    assert "ptl_" not in body_of(api_owner.get(path))
    table = api_owner.get(path, form="csv", kind="sp", headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(body_of(table)))
    assert (tuple(row), row["owner"], row["team"]) == (COLUMNS, "sp:ci", "shop")
    assert body_of(api_outsider.get(path)) == ""  # a token of his, and he is not here himself
    assert api_owner.get(path, state="odd").status_code == 400


def test_a_list_takes_as_many_statements_for_many_as_for_one(api_owner: Api, shop: Team) -> None:
    (one,) = Secret.objects.filter(kind="sp")
    counts = []
    for more in (0, 29):
        for number in range(more):
            machine = ServicePrincipal.objects.create(name=f"m{number}", team=shop)
            one.pk, one.key_id, one.service_principal = None, f"k{number}", machine
            one.save(force_insert=True)
        with CaptureQueriesContext(connection) as captured:
            assert len(owners(api_owner, kind="sp")) == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]
