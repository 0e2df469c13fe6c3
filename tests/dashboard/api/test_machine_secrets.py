"""Secrets of machines by API: shown once, replaced without a gap, and never made by a stolen session."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Secret, ServicePrincipal, User
from tests.cast import signed_in
from tests.dashboard.api.client import Api, token_of
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
ADDRESS = "/service-principals/ci/secrets"
WRITTEN_KEY = {"Idempotency-Key": "one"}


def key_of(machine: ServicePrincipal) -> str:
    return str(machine.secrets.latest("pk").key_id)


def events() -> list[str]:
    found = AuditEntry.objects.filter(target__startswith="sp:ci").order_by("number")
    return [entry.event for entry in found]


def test_a_secret_is_shown_once_and_works(api_owner: Api, machine: ServicePrincipal) -> None:
    made = api_owner.post(ADDRESS, {"label": "Basel"})
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    body = made.json()
    assert Api(body["secret"]).get("/").json()["principal"] == "sp:ci"
    assert (body["slot"], body["label"], body["created_by"]) == (1, "Basel", "anna")
    assert made.headers["Location"].endswith(f"{ADDRESS}/{body['key_id']}")
    for path in (ADDRESS, f"{ADDRESS}/{body['key_id']}"):
        assert body["secret"] not in api_owner.get(path).content.decode()
    assert events() == ["secret created"]


def test_sent_again_with_its_key_it_is_the_same_one_and_still_kept_nowhere(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    first, again = (api_owner.post(ADDRESS, {}, headers=WRITTEN_KEY) for _ in range(2))
    assert first.json() == again.json()
    assert "no-store" in again.headers["Cache-Control"]
    assert machine.secrets.count() == 1


def test_its_end_is_what_was_said_or_usual_or_none(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    usual = datetime.fromisoformat(api_owner.post(ADDRESS, {}).json()["expires_at"])
    assert abs(usual - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert api_owner.post(ADDRESS, {"expires_at": None}).json()["expires_at"] is None
    full = api_owner.post(ADDRESS, {})
    assert full.status_code == 422
    assert "Both places" in full.json()["detail"]


def test_an_end_in_the_past_is_refused_by_field(api_owner: Api, machine: ServicePrincipal) -> None:
    refused = api_owner.post(ADDRESS, {"expires_at": "2020-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


def test_a_rotation_lets_the_old_one_work_on_and_then_end(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    old = api_owner.post(ADDRESS, {"label": "Basel"}).json()
    rotated = api_owner.post(f"{ADDRESS}/{old['key_id']}/rotation", {"overlap_hours": 2})
    assert rotated.status_code == 201
    new = rotated.json()
    assert (new["slot"], new["label"]) == (2, "Basel")
    assert rotated.headers["Location"].endswith(f"{ADDRESS}/{new['key_id']}")
    assert "no-store" in rotated.headers["Cache-Control"]
    ends = Secret.objects.get(key_id=old["key_id"]).expires_at
    assert ends is not None
    assert abs(ends - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
    assert Api(old["secret"]).get("/").status_code == Api(new["secret"]).get("/").status_code == 200


def test_a_rotation_at_once_ends_the_old_one(api_owner: Api, machine: ServicePrincipal) -> None:
    old = api_owner.post(ADDRESS, {}).json()
    api_owner.post(f"{ADDRESS}/{old['key_id']}/rotation", {"overlap_hours": 0})
    assert Api(old["secret"]).get("/").status_code == 401
    assert [row["state"] for row in api_owner.get(ADDRESS, state="ended").json()["items"]] == [
        "revoked"
    ]
    assert len(api_owner.get(ADDRESS).json()["items"]) == 1
    assert len(api_owner.get(ADDRESS, state="all").json()["items"]) == 2


def test_an_end_comes_closer_and_never_goes_away(api_owner: Api, machine: ServicePrincipal) -> None:
    token_of(machine)
    path = f"{ADDRESS}/{key_of(machine)}"
    near = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api_owner.patch(path, {"expires_at": near}).status_code == 200
    far = (timezone.now() + timedelta(hours=2)).isoformat()
    refused = api_owner.patch(path, {"expires_at": far})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


def test_a_revoked_one_works_no_more_and_the_log_says_so(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    secret = token_of(machine)
    path = f"{ADDRESS}/{key_of(machine)}"
    held = {"If-Match": '"something else"'}
    assert api_owner.delete(path, headers=held).status_code == 412
    assert api_owner.delete(path).status_code == 204
    assert api_owner.delete(path).status_code == 204
    assert Api(secret).get("/").status_code == 401
    assert events() == ["secret created", "secret revoked"]


def test_a_session_has_to_say_once_more_who_it_is(owner: User, machine: ServicePrincipal) -> None:
    token_of(machine)
    rotation = f"{ADDRESS}/{key_of(machine)}/rotation"
    stolen = Api(client=signed_in(owner))
    for path in (ADDRESS, rotation):
        refused = stolen.post(path, {})
        assert refused.status_code == 403
        assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert machine.secrets.count() == 1
    assert Api(client=reassured(owner)).post(ADDRESS, {}).status_code == 201


def test_a_list_takes_as_many_statements_for_many_as_for_one(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    token_of(machine)
    (one,) = Secret.objects.filter(service_principal=machine)
    counts = []
    for more in (0, 29):
        for number in range(more):
            one.pk, one.key_id, one.revoked_at = None, f"k{number}", timezone.now()
            one.save(force_insert=True)
        with CaptureQueriesContext(connection) as captured:
            assert len(api_owner.get(ADDRESS, state="all").json()["items"]) == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]
