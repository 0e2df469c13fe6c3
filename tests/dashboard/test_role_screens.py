"""Roles on screen: anybody reads them, owners of everything make, change and remove their own."""

from __future__ import annotations

import pytest
from django.test import Client

from access.models import Grant, Role, User
from access.roles import BUILT_IN
from access.scopes import Scope
from tests import catalog
from tests.cast import give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
FIELDS = {
    "name": "shipper",
    "label": "Shipper",
    "description": "Ships.",
    "actions": ["content read", "content write"],
}


@pytest.fixture
def as_owner_of_harbour(db: None) -> Client:
    """Somebody who may manage access, but not everywhere: roles hold everywhere."""
    catalog.registry("harbour")
    user = User.objects.create_user("harald")
    give(user, "owner", Scope("harbour"))
    return signed_in(user)


@pytest.fixture
def as_doorkeeper(db: None) -> Client:
    """Manages access on everything, and may do nothing else."""
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=User.objects.create_user("dora"), role=role)
    return signed_in(User.objects.get(username="dora"))


@pytest.fixture
def shipper(db: None) -> Role:
    return Role.objects.create(name="shipper", label="Shipper", actions=["content write"])


def test_anybody_reads_what_roles_allow(as_outsider: Client) -> None:
    shown = as_outsider.get("/access/roles/").content.decode()
    assert "Catalog Lister" in shown
    assert "New role" not in shown
    role = as_outsider.get("/access/roles/pusher/").content.decode()
    assert "content write" in role
    assert "Who has it" not in role
    assert as_outsider.get("/access/roles/emperor/").status_code == 404


def test_an_owner_makes_changes_and_removes_a_role(as_owner: Client) -> None:
    assert as_owner.post("/access/roles/new/", FIELDS).status_code == 302
    role = Role.objects.get(name="shipper")
    assert role.actions == FIELDS["actions"]
    changed = FIELDS | {"name": "other", "actions": ["content read"]}
    assert as_owner.post("/access/roles/shipper/", changed).status_code == 302
    role.refresh_from_db()
    assert (role.name, role.actions, role.is_built_in) == ("shipper", ["content read"], False)
    assert "Remove the role" in as_owner.get("/access/roles/shipper/remove/").content.decode()
    assert as_owner.post("/access/roles/shipper/remove/").headers["Location"] == "/access/roles/"
    assert not Role.objects.filter(name="shipper").exists()


@pytest.mark.parametrize("address", ["new/", "shipper/", "shipper/remove/"])
def test_who_does_not_own_everything_changes_no_role(
    as_viewer: Client, as_owner_of_harbour: Client, shipper: Role, address: str
) -> None:
    for client in (as_viewer, as_owner_of_harbour):
        assert client.post(f"/access/roles/{address}", FIELDS).status_code == 403
    shipper.refresh_from_db()
    assert shipper.actions == ["content write"]
    assert Role.objects.filter(is_built_in=False).count() == 1


def test_nobody_makes_a_role_of_what_he_does_not_have(db: None) -> None:
    user = User.objects.create_user("dora")
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    user.grants.create(role=role)
    response = signed_in(user).post("/access/roles/new/", FIELDS)
    assert response.status_code == 403
    assert "content read" in response.content.decode()


def test_a_built_in_role_stays_as_it_is(as_owner: Client) -> None:
    response = as_owner.post("/access/roles/reader/", FIELDS)
    assert response.status_code == 422
    assert "cannot be changed" in response.content.decode()
    as_owner.post("/access/roles/reader/remove/")
    assert Role.objects.get(name="reader").label == "Reader"


def test_a_role_that_somebody_has_is_not_removed(
    as_owner: Client, outsider: User, shipper: Role
) -> None:
    outsider.grants.create(role=shipper)
    shown = as_owner.get("/access/roles/shipper/remove/").content.decode()
    assert "revoke its grants first" in shown
    response = as_owner.post("/access/roles/shipper/remove/", follow=True)
    assert "Somebody still has the role" in response.content.decode()
    assert Role.objects.filter(pk=shipper.pk).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "reader"}, "already exists"),
        ({"name": "No Slug"}, "valid “slug”"),
        ({"actions": []}, "required"),
        ({"actions": ["world rule"]}, "not one of the available choices"),
        ({"label": ""}, "required"),
    ],
)
def test_a_bad_role_is_sent_back(as_owner: Client, changes: dict[str, object], said: str) -> None:
    response = as_owner.post("/access/roles/new/", FIELDS | changes)
    assert response.status_code == 422
    assert said in response.content.decode()


def test_nobody_calls_his_own_role_built_in(as_owner: Client) -> None:
    as_owner.post("/access/roles/new/", FIELDS | {"is_built_in": "on"})
    assert not Role.objects.get(name="shipper").is_built_in


def test_a_role_that_is_to_let_grant_is_changed_by_no_stale_session(
    owner: User, as_doorkeeper: Client, shipper: Role
) -> None:
    wider = FIELDS | {"actions": ["content write", "access manage"]}
    told = signed_in(owner).post("/access/roles/shipper/", wider)
    assert told.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    # Who may not do it anyway is told that, and nothing else.
    assert as_doorkeeper.post("/access/roles/shipper/", wider).status_code == 403
    assert Role.objects.get(name="shipper").actions == ["content write"]
    assert "/access/roles/" in reassured(owner).post("/access/roles/shipper/", wider)["Location"]
    assert set(Role.objects.get(name="shipper").actions) == set(wider["actions"])
    # Other words, or less, let nobody do more.
    said = signed_in(owner).post("/access/roles/shipper/", wider | {"label": "Sea"})
    assert said.headers["Location"] == "/access/roles/shipper/"


def test_roles_come_in_the_same_order_always(as_outsider: Client, shipper: Role) -> None:
    Role.objects.filter(name="owner").update(description="Written last.")
    shown = as_outsider.get("/access/roles/").content.decode()
    places = [shown.index(f'href="/access/roles/{one.name}/"') for one in BUILT_IN]
    assert places == sorted(places)
    assert places[-1] < shown.index('href="/access/roles/shipper/"')
