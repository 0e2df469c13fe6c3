"""Roles by API: everybody reads them, who owns everything makes, changes and removes his own."""

from __future__ import annotations

from typing import Any

import pytest

from access.actions import Action
from access.models import AuditEntry, Role, User
from access.roles import BUILT_IN
from access.scopes import Scope
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
SHIPPER = {
    "name": "shipper",
    "label": "Shipper",
    "description": "Ships.",
    "actions": ["content write", "content read"],
}


@pytest.fixture
def shipper(db: None) -> Role:
    return Role.objects.create(name="shipper", label="Shipper", actions=["content write"])


def test_the_vocabulary_is_that_of_the_policy(api_outsider: Api) -> None:
    rows = api_outsider.get("/actions").json()["items"]
    assert [row["name"] for row in rows] == [action.text for action in Action]
    assert [row["docker"] for row in rows if row["name"] == "content read"] == ["pull"]


def test_anybody_reads_what_roles_allow(api_outsider: Api, shipper: Role) -> None:
    rows = {row["name"]: row for row in api_outsider.get("/roles").json()["items"]}
    assert rows.keys() == {"shipper", *(role.name for role in BUILT_IN)}
    assert rows["catalog-lister"]["is_built_in"] is True
    assert rows["shipper"] == api_outsider.get("/roles/shipper").json()
    assert rows["shipper"]["actions"] == ["content write"]
    assert api_outsider.get("/roles/emperor").status_code == 404


def test_roles_come_in_pages_and_in_part(api_outsider: Api) -> None:
    page = api_outsider.get("/roles", sort="-name", limit=2, fields="name").json()
    assert page["items"] == [{"name": "signer"}, {"name": "reader"}]
    after = api_outsider.get("/roles", sort="-name", limit=2, after=page["next"]).json()
    assert [row["name"] for row in after["items"]] == ["pusher", "puller"]


def test_an_owner_makes_changes_and_removes_a_role(api_owner: Api) -> None:
    made = api_owner.post("/roles", SHIPPER)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/roles/shipper")
    assert made.json()["actions"] == ["content read", "content write"]
    etag = api_owner.get("/roles/shipper").headers["ETag"]
    changed = api_owner.patch(
        "/roles/shipper", {"actions": ["content read"]}, headers={"If-Match": etag}
    )
    assert changed.json() == made.json() | {"actions": ["content read"]}
    assert api_owner.delete("/roles/shipper", headers={"If-Match": etag}).status_code == 412
    assert api_owner.delete("/roles/shipper").status_code == 204
    events = AuditEntry.objects.filter(event__startswith="role ").order_by("number")
    assert list(events.values_list("event", flat=True)) == [
        "role created",
        "role changed",
        "role removed",
    ]


def test_a_change_of_what_was_changed_meanwhile_is_refused(api_owner: Api, shipper: Role) -> None:
    etag = api_owner.get("/roles/shipper").headers["ETag"]
    Role.objects.update(description="Other.")
    refused = api_owner.patch("/roles/shipper", {"label": "X"}, headers={"If-Match": etag})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    shipper.refresh_from_db()
    assert shipper.label == "Shipper"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Not A Slug"}, "name"),
        ({"name": "reader"}, "name"),
        ({"actions": []}, "actions"),
        ({"actions": ["content admire"]}, "actions.0"),
        ({"label": ""}, "label"),
    ],
)
def test_bad_fields_are_told_by_name(api_owner: Api, change: dict[str, Any], field: str) -> None:
    refused = api_owner.post("/roles", SHIPPER | change)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_a_built_in_role_and_one_that_is_held_stay(
    api_owner: Api, shipper: Role, outsider: User
) -> None:
    give(outsider, "shipper")
    assert "Built-in" in api_owner.patch("/roles/reader", {"label": "X"}).json()["detail"]
    assert "Built-in" in api_owner.delete("/roles/reader").json()["detail"]
    refused = api_owner.delete("/roles/shipper")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert "revoke its grants first" in refused.json()["detail"]


def test_who_owns_one_registry_changes_no_role(outsider: User, shipper: Role) -> None:
    catalog.registry("harbour")
    give(outsider, "owner", Scope("harbour"))
    api = Api.of(outsider)
    for refused in (
        api.post("/roles", SHIPPER | {"name": "other"}),
        api.patch("/roles/shipper", {"label": "X"}),
        api.delete("/roles/shipper"),
    ):
        assert refused.status_code == 403
        assert (refused.json()["action"], refused.json()["scope"]) == ("access manage", "*")
    assert Role.objects.get(name="shipper").label == "Shipper"


def test_a_session_says_once_more_who_it_is_before_a_role_lets_grant(
    owner: User, shipper: Role
) -> None:
    wider = {"actions": ["content write", "access manage"]}
    refused = Api(client=signed_in(owner)).patch("/roles/shipper", wider)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert Role.objects.get(name="shipper").actions == ["content write"]
    assert Api(client=reassured(owner)).patch("/roles/shipper", wider).status_code == 200
    # Other words let nobody do more.
    assert Api(client=signed_in(owner)).patch("/roles/shipper", {"label": "X"}).status_code == 200
