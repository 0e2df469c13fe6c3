"""Machines on screen: whose they are, what vanishes with them, and who may do what to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import AuditEntry, Grant, Membership, Role, Secret, ServicePrincipal, Team, User
from access.scopes import Scope
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
CHANGES = ("change/", "switch/", "remove/", "secrets/new/")


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture
def machine(team: Team) -> ServicePrincipal:
    """It pushes below one prefix."""
    registry = catalog.registry("harbour")
    made = ServicePrincipal.objects.create(name="ci", description="Builds", team=team)
    role = Role.objects.get(name="pusher")
    Grant.objects.create(service_principal=made, role=role, registry=registry, path="team-a/*")
    return made


@pytest.fixture
def as_maintainer(team: Team) -> Client:
    user = User.objects.create_user("mara")
    Membership.objects.create(team=team, user=user, is_maintainer=True)
    return signed_in(user)


@pytest.fixture
def as_member(team: Team) -> Client:
    user = User.objects.create_user("mo")
    Membership.objects.create(team=team, user=user)
    return signed_in(user)


@pytest.fixture
def as_maintainer_elsewhere(db: None) -> Client:
    user = User.objects.create_user("elsa")
    other = Team.objects.create(name="other")
    Membership.objects.create(team=other, user=user, is_maintainer=True)
    return signed_in(user)


@pytest.fixture
def as_owner_of_harbour(machine: ServicePrincipal) -> Client:
    user = User.objects.create_user("harald")
    give(user, "owner", Scope("harbour"))
    return signed_in(user)


def test_one_sees_the_machines_of_ones_teams_and_no_others(
    as_owner: Client,
    as_member: Client,
    as_viewer: Client,
    as_maintainer_elsewhere: Client,
    as_owner_of_harbour: Client,
    machine: ServicePrincipal,
) -> None:
    for client, sees in (
        (as_owner, True),
        (as_member, True),
        (as_viewer, False),
        (as_maintainer_elsewhere, False),
        (as_owner_of_harbour, False),
    ):
        shown = client.get("/access/machines/")
        assert (machine in shown.context["page"].rows) is sees
        assert client.get("/access/machines/ci/").status_code == (200 if sees else 404)
        for part in CHANGES:
            if not sees:
                assert client.post(f"/access/machines/ci/{part}").status_code == 404, part
    machine.refresh_from_db()
    assert machine.disabled_at is None


def test_a_member_who_maintains_nothing_looks_and_changes_nothing(
    as_member: Client, machine: ServicePrincipal
) -> None:
    page = as_member.get("/access/machines/ci/").content.decode()
    for word in ("Switch off", "New secret", "Remove…", "machines/ci/change/"):
        assert word not in page
    for part in ("change/", "switch/", "remove/"):
        assert as_member.post(f"/access/machines/ci/{part}", {"state": "off"}).status_code == 403
    machine.refresh_from_db()
    assert machine.disabled_at is None


def test_a_member_is_not_told_of_registries_that_he_may_not_know(
    as_member: Client, as_maintainer: Client, machine: ServicePrincipal
) -> None:
    assert "harbour" not in as_member.get("/access/machines/ci/").content.decode()
    # Its maintainer can act as the machine, so he has what it has.
    assert "harbour/team-a/*" in as_maintainer.get("/access/machines/ci/").content.decode()


def test_a_maintainer_keeps_it_running_and_does_not_remove_it(
    as_maintainer: Client, machine: ServicePrincipal
) -> None:
    page = as_maintainer.get("/access/machines/ci/").content.decode()
    assert "Switch off" in page
    assert "Remove…" not in page
    off = ServicePrincipal.objects.exclude(disabled_at=None)
    as_maintainer.post("/access/machines/ci/switch/", {"state": "off"})
    assert off.exists()
    as_maintainer.post("/access/machines/ci/switch/", {"state": "on"})
    assert not off.exists()
    assert as_maintainer.post("/access/machines/ci/remove/").status_code == 403
    assert ServicePrincipal.objects.filter(pk=machine.pk).exists()


def test_a_maintainer_makes_machines_for_his_own_teams_alone(
    as_maintainer: Client, team: Team
) -> None:
    Team.objects.create(name="other")
    fields = {"name": "cd", "description": "Deploys"}
    for elsewhere in ("", "other", "nothing"):
        refused = as_maintainer.post("/access/machines/-/new/", fields | {"team": elsewhere})
        assert refused.status_code == 422
    assert not ServicePrincipal.objects.exists()
    made = as_maintainer.post("/access/machines/-/new/", fields | {"team": "platform"})
    assert made.headers["Location"] == "/access/machines/cd/"
    assert ServicePrincipal.objects.get().team == team


def test_who_maintains_nothing_makes_none(as_viewer: Client, as_member: Client) -> None:
    for client in (as_viewer, as_member):
        assert client.get("/access/machines/-/new/").status_code == 403
        assert client.post("/access/machines/-/new/", {"name": "cd"}).status_code == 403
        assert "New machine" not in client.get("/access/machines/").content.decode()
    assert not ServicePrincipal.objects.exists()


def test_a_form_sets_what_it_asks_for_and_nothing_else(as_owner: Client, team: Team) -> None:
    extra = {
        "pk": "77",
        "id": "77",
        "disabled_at": "2020-01-01",
        "created_at": "2020-01-01",
        "is_superuser": "on",
        "secrets": "1",
        "key_id": "chosen",
    }
    fields = {"name": "cd", "description": "Deploys", "team": "platform"}
    assert as_owner.post("/access/machines/-/new/", fields | extra).status_code == 302
    made = ServicePrincipal.objects.get()
    assert (made.name, made.team, made.disabled_at) == ("cd", team, None)
    assert made.pk != 77
    assert made.created_at > timezone.now() - timedelta(hours=1)
    as_owner.post("/access/machines/cd/change/", fields | extra | {"name": "other"})
    made.refresh_from_db()
    assert (made.name, made.description, made.disabled_at) == ("cd", "Deploys", None)
    assert not Secret.objects.exists()
    assert not User.objects.filter(is_superuser=True).exclude(username="anna").exists()


def test_a_maintainer_cannot_give_it_away_by_writing_the_form_himself(
    as_maintainer: Client, machine: ServicePrincipal, team: Team
) -> None:
    other = Team.objects.create(name="other")
    Membership.objects.create(
        team=other, user=User.objects.get(username="mara"), is_maintainer=True
    )
    answer = as_maintainer.post(
        "/access/machines/ci/change/", {"description": "mine", "team": "other"}
    )
    assert answer.status_code == 302
    machine.refresh_from_db()
    assert (machine.team, machine.description) == (team, "mine")


def test_an_owner_gives_it_to_another_team(as_owner: Client, machine: ServicePrincipal) -> None:
    other = Team.objects.create(name="other")
    as_owner.post("/access/machines/ci/change/", {"description": "Builds", "team": "other"})
    machine.refresh_from_db()
    assert machine.team == other
    assert AuditEntry.objects.latest("number").new == {"machine": "ci", "team": "other"}


@pytest.mark.parametrize("name", ["CI", "a_b", "", "a/b", "-", "a" * 64])
def test_a_bad_name_is_sent_back(as_owner: Client, name: str) -> None:
    response = as_owner.post("/access/machines/-/new/", {"name": name, "description": "kept"})
    assert response.status_code == 422
    assert "kept" in response.content.decode()
    assert not ServicePrincipal.objects.exists()


def test_a_taken_name_is_sent_back(as_owner: Client, machine: ServicePrincipal) -> None:
    response = as_owner.post("/access/machines/-/new/", {"name": "ci"})
    assert response.status_code == 422
    assert "already exists" in response.content.decode()


def test_a_machine_may_be_called_new(as_owner: Client, db: None) -> None:
    ServicePrincipal.objects.create(name="new")
    assert "Machine new" in as_owner.get("/access/machines/new/").content.decode()


def test_before_removing_it_says_what_vanishes(as_owner: Client, machine: ServicePrincipal) -> None:
    secret = Secret.objects.create(
        kind="sp", service_principal=machine, slot=1, key_id="k" * 10, label="jenkins", digest="x"
    )
    page = as_owner.get("/access/machines/ci/remove/").content.decode()
    for said in ("harbour/team-a/*", secret.key_id, "jenkins", "never used"):
        assert said in page
    assert ServicePrincipal.objects.filter(pk=machine.pk).exists()
    assert as_owner.post("/access/machines/ci/remove/").headers["Location"] == "/access/machines/"
    assert not ServicePrincipal.objects.exists()
    assert not Secret.objects.exists()
    assert not Grant.objects.filter(path="team-a/*").exists()


def test_the_list_is_searched_filtered_and_sorted(as_owner: Client, team: Team) -> None:
    now = timezone.now()
    used = ServicePrincipal.objects.create(name="b-used", description="scans nightly", team=team)
    off = ServicePrincipal.objects.create(name="a-off", disabled_at=now)
    Secret.objects.create(
        kind="sp",
        service_principal=used,
        slot=1,
        key_id="k" * 10,
        digest="x",
        expires_at=now + timedelta(days=5),
        last_used_at=now,
    )

    def names(query: str = "") -> list[str]:
        response = as_owner.get(f"/access/machines/?{query}")
        assert response.status_code == 200
        return [one.name for one in response.context["page"].rows]

    assert names() == ["a-off", "b-used"]
    assert names("sort=-used") == ["b-used", "a-off"]
    assert names("sort=ends") == ["b-used", "a-off"]
    assert names("q=NIGHTLY") == ["b-used"]
    assert names("team=platform") == ["b-used"]
    assert names("state=disabled") == names("state=none") == ["a-off"]
    assert names("state=ending") == names("state=enabled") == ["b-used"]
    assert names("state=nonsense") == ["a-off", "b-used"]
    off.delete()
    shown = as_owner.get("/access/machines/").context["page"].rows[0]
    assert (shown.live_secrets, shown.used_at) == (1, now)


def test_every_form_needs_its_token(owner: User, machine: ServicePrincipal) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    for part in ("-/new/", "ci/change/", "ci/switch/", "ci/remove/"):
        assert client.post(f"/access/machines/{part}").status_code == 403, part
    machine.refresh_from_db()
    assert machine.disabled_at is None
