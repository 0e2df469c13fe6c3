"""The shell: machines, tokens and grants without a browser."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from access.management.granting import end_of
from access.models import AuditEntry, Grant, Secret, ServicePrincipal, Team, User
from access.policy import rights_of
from access.scopes import Scope
from access.secrets import parse
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_a_service_principals_secret_stands_alone_on_standard_output() -> None:
    Team.objects.create(name="platform")
    text = printed("service_principal", "ci", "--team", "platform", "--days", "90")
    presented = parse(text)
    assert presented is not None
    secret = Secret.objects.get(key_id=presented.key_id)
    assert presented.matches(secret.digest)
    assert secret.service_principal == ServicePrincipal.objects.get(
        name="ci", team__name="platform"
    )
    entry = AuditEntry.objects.latest("number")
    assert (entry.actor_kind, entry.way) == ("shell", "shell")
    assert entry.agent == "manage.py service_principal"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ci", "--team", "nobody"], "no team"),
        (["Bad Name"], "lower-case"),
        (["ci", "--days", "0"], "between"),
        (["taken"], "already"),
    ],
)
def test_a_service_principal_that_cannot_be_is_not_made(arguments: list[str], says: str) -> None:
    ServicePrincipal.objects.create(name="taken")
    with pytest.raises(CommandError, match=says):
        printed("service_principal", *arguments)
    assert ServicePrincipal.objects.count() == 1
    assert not Secret.objects.exists()


def test_a_token_is_issued_for_somebody(viewer: User) -> None:
    catalog.registry("harbour")
    text = printed(
        "issue_token", "viktor", "--name", "laptop", "--action", "content read",
        "--scope", "harbour/team-a/*", "--days", "7",
    )  # fmt: skip
    presented = parse(text)
    assert presented is not None
    token = Secret.objects.get(key_id=presented.key_id)
    assert (token.user, token.label) == (viewer, "laptop")
    assert (token.actions, token.scopes) == (["content read"], ["harbour/team-a/*"])
    assert token.expires_at is not None
    assert token.expires_at < timezone.now() + timedelta(days=8)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "nobody called"),
        (["viktor", "--days", "10000"], "between"),
        (["viktor", "--action", "fly"], "not an action"),
        (["viktor", "--scope", "a//b"], "harbour|repository|name"),
        (["viktor", "--scope", "nowhere"], "no registry"),
        (["viktor", "--action", "content write"], "none of this"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    viewer: User, arguments: list[str], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        printed("issue_token", *arguments)
    assert not Secret.objects.exists()


def test_a_role_is_granted_and_revoked(outsider: User) -> None:
    catalog.registry("harbour")
    said = printed("grant", "user:otto", "pusher", "harbour/team-a/*", "--until", "2099-12-31")
    assert said == "user:otto is pusher on harbour/team-a/* until 2100-01-01 00:00 UTC."
    grant = Grant.objects.get(user=outsider)
    assert grant.scope == Scope("harbour", "team-a/*")
    assert grant.until == datetime(2100, 1, 1, tzinfo=UTC)
    with pytest.raises(CommandError, match="exactly harbour"):
        printed("revoke", "user:otto", "pusher", "harbour")
    printed("revoke", "user:otto", "pusher", "harbour/team-a/*", "--reason", "moved on")
    assert not Grant.objects.filter(user=outsider).exists()
    assert rights_of(User.objects.get(pk=outsider.pk)).entitlements == ()
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.way) == ("access revoked", "shell")


def test_a_team_a_machine_and_everybody_are_principals() -> None:
    Team.objects.create(name="platform")
    ServicePrincipal.objects.create(name="ci")
    for principal in ("team:platform", "sp:ci", "anonymous"):
        printed("grant", principal, "reader", "*")
    assert Grant.objects.count() == 3
    printed("revoke", "anonymous", "reader", "*")
    assert not Grant.objects.filter(is_public=True).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["otto", "reader", "*"], "is nobody"),
        (["user:nobody", "reader", "*"], "no user:nobody"),
        (["user:otto", "emperor", "*"], "no role emperor"),
        (["user:otto", "reader", "nowhere"], "no registry"),
        (["user:otto", "reader", "a/*/b"], "star"),
        (["user:otto", "reader", "*", "--until", "yesterday"], "no date"),
        (["user:otto", "reader", "*", "--until", "2001-01-01"], "future"),
    ],
)
def test_what_cannot_be_granted_is_said(outsider: User, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        printed("grant", *arguments)
    assert not Grant.objects.exists()


def test_the_last_owner_is_not_revoked_from_a_shell_either(outsider: User) -> None:
    give(outsider, "owner")
    with pytest.raises(CommandError, match="last owner"):
        printed("revoke", "user:otto", "owner", "*")
    assert Grant.objects.filter(user=outsider).exists()


def test_a_day_is_meant_with_all_of_it_and_a_moment_is_that_moment() -> None:
    assert end_of("2027-01-31") == datetime(2027, 2, 1, tzinfo=UTC)
    assert end_of("2027-01-31T18:00") == datetime(2027, 1, 31, 18, tzinfo=UTC)
    assert end_of("2027-01-31T18:00+02:00") == datetime(2027, 1, 31, 16, tzinfo=UTC)
    assert end_of(None) is None
