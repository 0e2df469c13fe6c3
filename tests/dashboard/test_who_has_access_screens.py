"""Who has access, effective and with its provenance."""

from __future__ import annotations

import html
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.scopes import Scope
from registries.connectors import CONNECTORS
from registries.connectors.distribution import DistributionConnector
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
WHO = "/access/who/"
APP = "harbour/team-a/app"


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("hidden")


def page(client: Client, query: str = f"scope={APP}", status: int = 200) -> str:
    response = client.get(f"{WHO}?{query}")
    assert response.status_code == status
    return response.content.decode()


def test_an_owner_sees_people_with_their_grants_teams_and_patterns(
    as_owner: Client, outsider: User
) -> None:
    team = Team.objects.create(name="crew")
    Membership.objects.create(team=team, user=outsider)
    grant = give(outsider, "pusher", Scope("harbour", "team-a/*"))
    Grant.objects.filter(pk=grant.pk).update(user=None, team=team, reason="on call")
    shown = page(as_owner)
    for text in ("otto", "through crew", "harbour/team-a/*", "on call", "content write"):
        assert text in shown
    assert "owns everything, by createsuperuser" in shown


def test_machines_and_the_public_are_told_too(as_owner: Client) -> None:
    role = Role.objects.get(name="puller")
    machine = ServicePrincipal.objects.create(name="ci")
    Grant.objects.create(service_principal=machine, role=role)
    Grant.objects.create(is_public=True, role=role)
    shown = page(as_owner, f"scope={APP}&show=machines")
    assert 'href="/access/of/sp:ci/"' in shown
    assert "also without signing in" in shown


def test_the_question_can_be_narrowed_to_one_action(as_owner: Client, outsider: User) -> None:
    give(outsider, "reader", Scope("harbour"))
    assert "otto" in page(as_owner, f"scope={APP}&action=content+read")
    assert ">otto<" not in page(as_owner, f"scope={APP}&action=content+write")


def test_who_manages_no_access_is_not_told(as_viewer: Client) -> None:
    page(as_viewer, status=403)
    page(as_viewer, "", 403)


def test_who_manages_access_elsewhere_is_told_only_there(outsider: User, viewer: User) -> None:
    give(outsider, "owner", Scope("harbour", "team-b/*"))
    client = signed_in(outsider)
    assert "Ask for access" in page(client, status=403)
    page(client, "scope=harbour", 403)
    page(client, "scope=*", 403)
    assert "viktor" in page(client, "scope=harbour/team-b/app")


def test_a_registry_that_one_may_not_know_of_is_not_found(outsider: User) -> None:
    give(outsider, "owner", Scope("harbour"))
    client = signed_in(outsider)
    page(client, "scope=hidden/app", 404)
    page(client, "scope=nowhere/app", 404)


def test_without_a_scope_it_asks_for_one(as_owner: Client) -> None:
    assert "Choose a scope" in page(as_owner, "")
    assert "is not a scope" in page(as_owner, "scope=Not A Scope")
    assert "Choose a scope" in page(as_owner, f"scope={APP}&action=rule+the+world")


def test_a_thousand_people_take_as_many_statements_as_one(as_owner: Client) -> None:
    def statements() -> int:
        page(as_owner)
        with CaptureQueriesContext(connection) as captured:
            page(as_owner)
        return len(captured)

    role = Role.objects.get(name="reader")
    few = statements()
    users = User.objects.bulk_create(User(username=f"u{number:04}") for number in range(1000))
    Grant.objects.bulk_create(Grant(user=user, role=role) for user in users)
    assert statements() == few == 13
    first = as_owner.get(f"{WHO}?scope={APP}")
    assert "1,000" in first.content.decode()
    second = as_owner.get(f"{WHO}?{first.context['page'].next}").content.decode()
    assert "u0049" in second
    assert "u0000" not in second


def test_it_says_where_the_grants_hold(as_owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "once it takes its tokens from Portolan" in page(as_owner)
    assert "docker pull" not in page(as_owner, "scope=*")

    class Judging(DistributionConnector):
        label = "Some Cloud"
        judges_access = True
        own_permissions = "the roles assigned in its portal"

    monkeypatch.setitem(CONNECTORS, "distribution", Judging)
    shown = page(as_owner)
    assert "Some Cloud judges by its own permissions: the roles assigned in its portal" in shown
    assert "Portolan&#x27;s own screens, API and actions" in shown


def test_a_kind_that_judges_by_itself_says_by_what() -> None:
    for connector in CONNECTORS.values():
        assert bool(connector.own_permissions) == connector.judges_access


PLACES = {
    "/r/harbour/": "harbour",
    "/r/harbour/?ns=team-a": "harbour/team-a/*",
    "/r/harbour/team-a/app": "harbour/team-a/app",
}


@pytest.mark.parametrize(("address", "scope"), PLACES.items())
def test_pages_lead_to_who_has_access_there_or_to_asking_for_it(
    as_owner: Client, as_viewer: Client, outsider: User, address: str, scope: str
) -> None:
    catalog.repository(Registry.objects.get(name="harbour"), "team-a/app")
    who = f'href="/access/who/?scope={quote(scope, safe="")}"'
    ask = f'href="/access/requests/new/?scope={quote(scope, safe="")}"'
    for client, there in ((as_owner, who), (as_viewer, ask)):
        shown = client.get(address).content.decode()
        assert there in shown
        assert (who in shown) != (ask in shown)
        assert client.get(html.unescape(there[6:-1])).status_code == 200
