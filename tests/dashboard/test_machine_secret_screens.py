"""A machine's secrets on screen: shown once, rotated without a gap, and nobody else's."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import (
    AuditEntry,
    Grant,
    Membership,
    Role,
    Secret,
    ServicePrincipal,
    Team,
    User,
)
from access.secrets import mint, parse
from dashboard.forms_access import end_of
from tests import catalog
from tests.cast import PASSWORD, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/access/machines/ci/secrets/new/"
TEXT = re.compile(r"ptl_sp_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture
def machine(team: Team) -> ServicePrincipal:
    registry = catalog.registry("harbour")
    made = ServicePrincipal.objects.create(name="ci", team=team)
    role = Role.objects.get(name="pusher")
    Grant.objects.create(service_principal=made, role=role, registry=registry, path="team-a/*")
    return made


@pytest.fixture
def maintainer(team: Team) -> User:
    user = User.objects.create_user("mara", password=PASSWORD)
    Membership.objects.create(team=team, user=user, is_maintainer=True)
    return user


def held(machine: ServicePrincipal, slot: int = 1, **fields: object) -> Secret:
    minted = mint(Secret.Kind.SERVICE)
    return Secret.objects.create(
        kind="sp",
        service_principal=machine,
        slot=slot,
        key_id=minted.key_id,
        digest=minted.digest,
        **fields,
    )


def secret_in(page: str) -> str:
    (text,) = set(TEXT.findall(page))
    assert isinstance(text, str)
    return text


def test_a_new_secret_is_shown_once_and_kept_nowhere(
    maintainer: User, machine: ServicePrincipal, caplog: pytest.LogCaptureFixture
) -> None:
    client = reassured(maintainer)
    with caplog.at_level(logging.DEBUG):
        answer = client.post(NEW, {"label": "jenkins", "expires_at": "2099-01-31"})
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    page = answer.content.decode()
    text = secret_in(page)
    stored = Secret.objects.get()
    presented = parse(text)
    assert presented is not None
    assert presented.matches(stored.digest)
    assert (stored.label, stored.slot, stored.created_by) == ("jenkins", 1, "mara")
    assert f"ci-{stored.key_id}.txt" in page
    hidden = text.rsplit("_", 2)[1]
    for address in ("/access/machines/ci/", NEW, "/access/machines/", "/"):
        assert hidden not in client.get(address).content.decode(), address
    assert hidden not in repr(list(AuditEntry.objects.values()))
    assert hidden not in repr(dict(client.session))
    assert hidden not in caplog.text
    assert AuditEntry.objects.latest("number").target == f"sp:ci {stored.key_id}"


def test_the_page_says_how_docker_signs_in(maintainer: User, machine: ServicePrincipal) -> None:
    Grant.objects.create(user=maintainer, role=Role.objects.get(name="reader"))
    catalog.registry("elsewhere")
    page = reassured(maintainer).post(NEW, {"expires_at": ""}).content.decode()
    hosts = re.findall(r"docker login (\S+) --username ci --password-stdin", page)
    # Where the machine has nothing to do, it has nothing to sign in for.
    assert set(hosts) == {machine_host("harbour")}


def machine_host(name: str) -> str:
    from registries.models import Registry

    return Registry.objects.get(name=name).host


def test_hosts_that_one_may_not_know_of_are_not_told(
    maintainer: User, machine: ServicePrincipal
) -> None:
    page = reassured(maintainer).post(NEW, {"expires_at": ""}).content.decode()
    assert "docker login harbour" not in page
    assert machine_host("harbour") not in page


def test_who_did_not_just_sign_in_is_asked_who_he_is_first(
    maintainer: User, machine: ServicePrincipal
) -> None:
    client = signed_in(maintainer)
    for asked in (client.get(NEW), client.post(NEW, {"label": "late", "expires_at": ""})):
        assert asked.status_code == 302
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Secret.objects.exists()
    answer = client.post(
        "/accounts/reauthenticate/", {"password": PASSWORD, "next": NEW}, follow=True
    )
    # What was sent before is carried out now, and with the same care.
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret_in(answer.content.decode())
    assert Secret.objects.get().label == "late"


def test_both_places_taken_is_said_in_the_form(maintainer: User, machine: ServicePrincipal) -> None:
    for slot in (1, 2):
        held(machine, slot)
    answer = reassured(maintainer).post(NEW, {"label": "third", "expires_at": ""})
    assert answer.status_code == 422
    assert "Both places hold a live secret" in answer.content.decode()
    assert not TEXT.search(answer.content.decode())
    assert Secret.objects.count() == 2


def test_an_end_in_the_past_is_sent_back(maintainer: User, machine: ServicePrincipal) -> None:
    answer = reassured(maintainer).post(NEW, {"label": "", "expires_at": "2020-01-01"})
    assert answer.status_code == 422
    assert "lies in the future" in answer.content.decode()
    assert not Secret.objects.exists()


def test_rotating_lets_the_old_one_work_on_and_then_end(
    maintainer: User, machine: ServicePrincipal
) -> None:
    old = held(machine, label="jenkins")
    answer = reassured(maintainer).post(
        f"/access/machines/ci/secrets/{old.key_id}/rotate/",
        {"expires_at": "2099-01-31", "overlap": "24"},
    )
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    new = Secret.objects.exclude(pk=old.pk).get()
    assert secret_in(answer.content.decode()).startswith(f"ptl_sp_{new.key_id}_")
    assert (new.slot, new.label) == (2, "jenkins")
    old.refresh_from_db()
    assert old.revoked_at is None
    assert old.expires_at is not None
    assert timedelta(hours=23) < old.expires_at - timezone.now() <= timedelta(hours=24)


def test_rotating_without_overlap_ends_the_old_one_at_once(
    maintainer: User, machine: ServicePrincipal
) -> None:
    old = held(machine)
    client = reassured(maintainer)
    address = f"/access/machines/ci/secrets/{old.key_id}/rotate/"
    assert client.post(address, {"overlap": "9999"}).status_code == 422
    assert client.post(address, {"overlap": "0"}).status_code == 201
    old.refresh_from_db()
    assert old.revoked_at is not None


def test_an_end_comes_closer_and_never_goes_further_away(
    maintainer: User, machine: ServicePrincipal
) -> None:
    soon = timezone.localdate() + timedelta(days=9)
    secret = held(machine, expires_at=end_of(soon))
    client, address = signed_in(maintainer), f"/access/machines/ci/secrets/{secret.key_id}/end/"
    later = client.post(address, {"expires_at": soon + timedelta(days=1)})
    assert later.status_code == 422
    assert "can only come closer" in later.content.decode()
    assert client.post(address, {"expires_at": soon - timedelta(days=1)}).status_code == 302
    secret.refresh_from_db()
    assert secret.expires_at == end_of(soon - timedelta(days=1))


def test_revoking_asks_once_more(maintainer: User, machine: ServicePrincipal) -> None:
    secret = held(machine)
    client, address = signed_in(maintainer), f"/access/machines/ci/secrets/{secret.key_id}/revoke/"
    assert secret.key_id in client.get(address).content.decode()
    assert not Secret.objects.exclude(revoked_at=None).exists()
    assert client.post(address).headers["Location"] == "/access/machines/ci/"
    assert Secret.objects.exclude(revoked_at=None).get() == secret
    assert "Ended secrets" in client.get("/access/machines/ci/").content.decode()


def parts(secret: Secret) -> list[str]:
    return [NEW, *(f"/access/machines/ci/secrets/{secret.key_id}/{part}/" for part in ACTS)]


ACTS = ("rotate", "end", "revoke")


def test_it_takes_the_maintainer_of_this_team(machine: ServicePrincipal, team: Team) -> None:
    """Without, with it elsewhere, and (above) with."""
    secret = held(machine)
    stranger, member, elsewhere = (User.objects.create_user(name) for name in ("s", "m", "e"))
    Membership.objects.create(team=team, user=member)
    other = Team.objects.create(name="other")
    Membership.objects.create(team=other, user=elsewhere, is_maintainer=True)
    for user, status in ((stranger, 404), (elsewhere, 404), (member, 403)):
        for address in parts(secret):
            client = reassured(user)
            fields = {"expires_at": "2099-01-01", "overlap": "0"}
            assert client.get(address).status_code == status, address
            assert client.post(address, fields).status_code == status, address
    assert list(Secret.objects.filter(revoked_at=None, expires_at=None)) == [secret]


def test_who_manages_access_and_could_not_use_it_makes_no_secret(
    machine: ServicePrincipal,
) -> None:
    secret = held(machine)
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    keeper = User.objects.create_user("dora")
    Grant.objects.create(user=keeper, role=role)
    client = reassured(keeper)
    assert client.post(NEW, {"expires_at": ""}).status_code == 403
    assert client.post(parts(secret)[1], {"overlap": "0"}).status_code == 403
    # To stop one, managing access is enough.
    assert client.post(parts(secret)[3]).status_code == 302
    assert not Secret.objects.filter(revoked_at=None).exists()


def test_a_key_id_of_another_machine_is_not_there(
    maintainer: User, machine: ServicePrincipal, team: Team
) -> None:
    foreign = held(ServicePrincipal.objects.create(name="cd"))
    exchanged = Secret.objects.create(
        kind="oidc", service_principal=machine, key_id="x" * 10, expires_at=timezone.now()
    )
    client = reassured(maintainer)
    for secret in (foreign, exchanged):
        for act in ACTS:
            address = f"/access/machines/ci/secrets/{secret.key_id}/{act}/"
            assert client.post(address, {"overlap": "0"}).status_code == 404, act
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def test_nobody_chooses_what_a_secret_is(maintainer: User, machine: ServicePrincipal) -> None:
    extra = {
        "key_id": "chosen",
        "digest": "chosen",
        "kind": "adm",
        "slot": "7",
        "user": str(maintainer.pk),
        "created_by": "somebody",
        "actions": "access manage",
        "last_used_from": "203.0.113.9",
    }
    assert reassured(maintainer).post(NEW, {"expires_at": ""} | extra).status_code == 201
    made = Secret.objects.get()
    assert (made.kind, made.slot, made.user, made.created_by) == ("sp", 1, None, "mara")
    assert "chosen" not in (made.key_id, made.digest)
    assert (made.actions, made.last_used_from) == ([], None)


def test_every_form_needs_its_token(maintainer: User, machine: ServicePrincipal) -> None:
    secret = held(machine)
    client = Client(enforce_csrf_checks=True)
    client.cookies = reassured(maintainer).cookies
    for address in parts(secret):
        assert client.post(address, {"overlap": "0"}).status_code == 403, address
    secret.refresh_from_db()
    assert (secret.revoked_at, Secret.objects.count()) == (None, 1)
