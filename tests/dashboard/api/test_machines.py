"""Machines by API: listed, made, changed, switched, removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Membership, Secret, ServicePrincipal, Team, User
from tests import catalog
from tests.cast import signed_in
from tests.dashboard.api.client import Api, token_of

pytestmark = pytest.mark.django_db
ADDRESS = "/service-principals"


@pytest.fixture
def crew(db: None) -> Team:
    return Team.objects.create(name="crew")


@pytest.fixture
def builds(crew: Team) -> ServicePrincipal:
    return ServicePrincipal.objects.create(name="builds", description="Of the shop", team=crew)


@pytest.fixture
def mara(crew: Team) -> User:
    """A maintainer of the team."""
    user = User.objects.create_user("mara")
    Membership.objects.create(team=crew, user=user, is_maintainer=True)
    return user


def names(api: Api, **query: Any) -> list[str]:
    return [row["name"] for row in api.get(ADDRESS, **query).json()["items"]]


def told() -> list[AuditEntry]:
    """What the log says of machines; it has the tokens of the cast, too."""
    return list(AuditEntry.objects.filter(event__startswith="machine").order_by("number"))


def events() -> list[str]:
    return [entry.event for entry in told()]


def test_a_machine_is_listed_with_its_team_and_its_use(
    api_owner: Api, builds: ServicePrincipal
) -> None:
    ends = timezone.now() + timedelta(days=3)
    token_of(builds)
    Secret.objects.update(expires_at=ends, last_used_at=ends - timedelta(days=4))
    (row,) = api_owner.get(ADDRESS).json()["items"]
    assert (row["name"], row["description"], row["team"]) == ("builds", "Of the shop", "crew")
    assert (row["disabled"], row["live_secrets"]) == (False, 1)
    assert row["ends_at"] == ends.isoformat().replace("+00:00", "Z")
    assert row["last_used_at"]


def test_the_list_is_narrowed_by_text_team_and_state(
    api_owner: Api, builds: ServicePrincipal
) -> None:
    token_of(builds)
    Secret.objects.update(expires_at=timezone.now() + timedelta(days=90))
    ServicePrincipal.objects.create(name="scanner", disabled_at=timezone.now())
    assert names(api_owner) == ["builds", "scanner"]
    assert names(api_owner, sort="-name") == ["scanner", "builds"]
    assert names(api_owner, q="SHOP") == ["builds"]
    assert names(api_owner, team="crew") == ["builds"]
    assert names(api_owner, state="disabled") == ["scanner"]
    assert names(api_owner, state="enabled") == ["builds"]
    assert names(api_owner, state="none") == ["scanner"]
    assert names(api_owner, state="ending") == []
    assert api_owner.get(ADDRESS, state="odd").status_code == 400


def test_a_list_of_thirty_takes_as_many_statements_as_a_list_of_one(
    api_owner: Api, builds: ServicePrincipal
) -> None:
    counts = []
    for more in (0, 29):
        ServicePrincipal.objects.bulk_create(
            ServicePrincipal(name=f"m{number}", team=builds.team) for number in range(more)
        )
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(names(api_owner)) == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_membership_shows_machines_to_a_person_and_not_to_his_tokens(
    mara: User, builds: ServicePrincipal, api_outsider: Api
) -> None:
    assert names(Api(client=signed_in(mara))) == ["builds"]
    assert names(Api.of(mara)) == []
    refused = Api.of(mara).post(f"{ADDRESS}/builds/disable")
    assert refused.status_code == 404
    assert "builds" not in api_outsider.get(ADDRESS).content.decode()


def test_a_machine_is_made_and_the_log_says_so(api_owner: Api, crew: Team) -> None:
    made = api_owner.post(ADDRESS, {"name": "scans", "description": "Nightly", "team": "crew"})
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/service-principals/scans")
    assert (made.json()["team"], made.json()["live_secrets"]) == ("crew", 0)
    assert events() == ["machine created"]
    again = api_owner.post(ADDRESS, {"name": "scans"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "name")


def test_a_maintainer_makes_machines_for_his_team_alone(mara: User) -> None:
    Team.objects.create(name="others")
    api = Api(client=signed_in(mara))
    assert api.post(ADDRESS, {"name": "one", "team": "crew"}).status_code == 201
    refused = api.post(ADDRESS, {"name": "two", "team": "others"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "team")
    assert api.post(ADDRESS, {"name": "three"}).status_code == 403


@pytest.mark.parametrize("name", ["", "Upper", "a b", "-", "x" * 64])
def test_a_name_that_cannot_be_is_refused_by_field(api_owner: Api, name: str) -> None:
    refused = api_owner.post(ADDRESS, {"name": name})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "name")


def test_only_what_is_given_changes(api_owner: Api, builds: ServicePrincipal) -> None:
    changed = api_owner.patch(f"{ADDRESS}/builds", {"description": "Retired"}).json()
    assert (changed["description"], changed["team"]) == ("Retired", "crew")
    moved = api_owner.patch(f"{ADDRESS}/builds", {"team": None}).json()
    assert (moved["description"], moved["team"]) == ("Retired", None)
    last = told()[-1]
    assert (last.event, last.old) == ("machine changed", {"team": "crew"})
    assert api_owner.patch(f"{ADDRESS}/builds", {"name": "other"}).status_code == 422


def test_a_change_of_what_changed_meanwhile_is_refused(
    api_owner: Api, builds: ServicePrincipal
) -> None:
    etag = api_owner.get(f"{ADDRESS}/builds").headers["ETag"]
    api_owner.post(f"{ADDRESS}/builds/disable")
    held = {"If-Match": etag}
    refused = api_owner.patch(f"{ADDRESS}/builds", {"description": "x"}, headers=held)
    assert refused.status_code == 412
    assert api_owner.delete(f"{ADDRESS}/builds", headers=held).status_code == 412
    builds.refresh_from_db()
    assert builds.description == "Of the shop"
    held = {"If-Match": api_owner.get(f"{ADDRESS}/builds").headers["ETag"]}
    assert api_owner.delete(f"{ADDRESS}/builds", headers=held).status_code == 204
    assert api_owner.get(f"{ADDRESS}/builds").status_code == 404
    assert events() == ["machine changed", "machine removed"]


def test_a_machine_is_switched_off_and_on(api_owner: Api, builds: ServicePrincipal) -> None:
    catalog.registry("prod")
    secret = token_of(builds)
    assert Api(secret).get("/").status_code == 200
    assert api_owner.post(f"{ADDRESS}/builds/disable").json()["disabled"] is True
    assert Api(secret).get("/").status_code == 401
    assert api_owner.post(f"{ADDRESS}/builds/disable").status_code == 200
    assert api_owner.post(f"{ADDRESS}/builds/enable").json()["disabled"] is False
    assert Api(secret).get("/").status_code == 200
    assert events() == ["machine changed", "machine changed"]
