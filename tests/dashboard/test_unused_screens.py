"""Unused rights on screen: what is listed, what is offered, and who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Grant, Use, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
TEAM_A, TEAM_B = Scope("harbour", "team-a/*"), Scope("harbour", "team-b/*")
UNUSED, SHRINK = "/access/unused/", "/access/unused/give-less/"


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def grant(outsider: User) -> Grant:
    """Pusher of otto on team-a/*, two hundred days old."""
    return old(give(outsider, "pusher", TEAM_A))


@pytest.fixture
def as_owner_of_b(db: None) -> Client:
    user = User.objects.create_user("berta")
    give(user, "owner", TEAM_B)
    return signed_in(user)


def old(grant: Grant) -> Grant:
    at = timezone.now() - timedelta(days=200)
    Grant.objects.filter(pk=grant.pk).update(granted_at=at)
    return grant


def use(verb: str, days_ago: int = 1) -> None:
    Use.objects.create(
        principal="user:otto",
        registry=Registry.objects.get(),
        path="team-a/app",
        verb=verb,
        last_at=timezone.now() - timedelta(days=days_ago),
    )


def rows(client: Client, query: str = "") -> str:
    response = client.get(f"{UNUSED}?{query}")
    assert response.status_code == 200
    return response.content.decode().partition('id="results"')[2]


def test_nothing_is_called_used_while_no_grant_is_old_enough(
    as_owner: Client, outsider: User
) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    assert "Nothing can be judged yet" in rows(as_owner)
    old(grant)
    for verb in ("pull", "push"):
        use(verb)
    assert "Everything granted is in use" in rows(as_owner)
    assert "Everything granted is in use" in rows(as_owner, "show=nothing")


def test_what_nobody_used_is_listed_and_can_be_revoked(as_owner: Client, grant: Grant) -> None:
    shown = rows(as_owner)
    assert "it could be revoked" in shown
    assert "nothing was ever heard from this registry" in shown
    assert f'form="revoke-form" name="grant" value="{grant.pk}"' in shown


def test_the_smaller_role_is_offered_and_given(
    as_owner: Client, grant: Grant, outsider: User
) -> None:
    use("pull")
    shown = rows(as_owner)
    assert "Give Puller instead" in shown
    assert "otto" not in rows(as_owner, "show=nothing")
    response = as_owner.post(SHRINK, {"grant": grant.pk, "role": "puller"})
    assert response.status_code == 302
    assert [one.role.name for one in Grant.objects.filter(user=outsider)] == ["puller"]


def test_the_days_decide_what_is_old(as_owner: Client, grant: Grant) -> None:
    use("pull", 100)
    use("push", 100)
    assert "otto" in rows(as_owner, "days=90")
    assert "otto" not in rows(as_owner, "days=180")
    assert "otto" not in rows(as_owner, "days=365")
    for nonsense in ("days=7", "days=x", "days=" + "9" * 40):
        assert "otto" in rows(as_owner, nonsense)


def test_who_manages_no_access_sees_and_takes_nothing(as_viewer: Client, grant: Grant) -> None:
    assert as_viewer.get(UNUSED).status_code == 403
    form = {"grant": grant.pk, "role": "puller"}
    assert as_viewer.post(SHRINK, form).status_code == 403
    assert Grant.objects.filter(pk=grant.pk).exists()


def test_who_manages_access_elsewhere_sees_and_takes_nothing_here(
    as_owner_of_b: Client, grant: Grant
) -> None:
    assert "otto" not in rows(as_owner_of_b)
    form = {"grant": grant.pk, "role": "puller"}
    assert as_owner_of_b.post(SHRINK, form).status_code == 404
    assert Grant.objects.filter(pk=grant.pk).exists()


@pytest.mark.parametrize(
    "form",
    [{}, {"grant": "x", "role": "puller"}, {"grant": "1", "role": "emperor"}, {"role": "puller"}],
)
def test_nonsense_is_not_found(as_owner: Client, grant: Grant, form: dict[str, str]) -> None:
    assert as_owner.post(SHRINK, form).status_code == 404
    assert as_owner.get(SHRINK).status_code == 405


def test_many_take_as_many_statements_as_few(as_owner: Client, grant: Grant) -> None:
    def statements() -> int:
        rows(as_owner)
        with CaptureQueriesContext(connection) as captured:
            rows(as_owner)
        return len(captured)

    few = statements()
    for number in range(30):
        old(give(User.objects.create_user(f"u{number}"), "pusher", TEAM_A))
    assert statements() == few == 3
