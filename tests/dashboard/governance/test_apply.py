"""A plan made true: whole or not at all, through the actions of the screens, told in the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from access.models import AuditEntry, Grant, Membership, ServicePrincipal, Team, User
from access.policy import SHELL, rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from dashboard.governance import apply as applying_module
from dashboard.governance.apply import CHANGED, apply
from dashboard.governance.document import parse
from dashboard.governance.plan import plan
from dashboard.governance.problems import Refused
from dashboard.governance.secrets import sent_along
from dashboard.governance.state import read
from registries.connections import settings_of
from registries.models import Mirror, Registry, RegistryCredential, SyncRun
from tests.cast import give
from tests.dashboard.governance import house
from tests.dashboard.governance.applying import (
    AT_SHELL,
    applied,
    exported,
    people,
    planned,
    told,
)
from tests.fakes import doors
from webhooks.models import Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def furnished() -> None:
    house.furnish()


@pytest.fixture
def address() -> Iterator[str]:
    with doors.served(doors.SmallRegistry) as address:
        yield f"http://{address}"


def small(address: str, more: str = "") -> str:
    return (
        f"registries: [{{name: small, kind: distribution, url: '{address}', allow_private: true,"
        f" username: {doors.USER}{more}}}]\n"
    )


def refusal(said: str, **options: Any) -> str:
    before = exported()
    with pytest.raises(Refused) as refused:
        applied(said, **options)
    assert exported() == before
    return str(refused.value)


# Done -----------------------------------------------------------------------------------------


def test_what_is_done_is_told_in_the_audit_log_as_if_done_on_screen(furnished: None) -> None:
    before = set(AuditEntry.objects.values_list("number", flat=True))
    applied(
        "teams: [{name: shop, members: [bert]}]\n"
        "grants: [{principal: team:shop, role: reader, scope: yard, reason: They sell}]\n"
    )
    applied("service_principals: []\ntrust_rules: []", prune=True)
    entries = AuditEntry.objects.exclude(number__in=before).order_by("number")
    assert [entry.event for entry in entries] == [
        "team created",
        "member added",
        "access granted",
        "access revoked",
        "trust rule removed",
        "machine removed",
    ]
    assert {entry.actor_label for entry in entries} == {"root at a shell"}
    assert Grant.objects.get(team__name="shop").granted_by == "root at a shell"
    assert not ServicePrincipal.objects.exists()


def test_applying_twice_changes_nothing_the_second_time(furnished: None) -> None:
    applied(house.FILE.partition("version: 1")[2].replace("Who runs it", "Others"), prune=True)
    entries = AuditEntry.objects.count()
    again = applied(house.FILE.partition("version: 1")[2].replace("Who runs it", "Others"))
    assert again.changes == ()
    assert AuditEntry.objects.count() == entries


def test_a_member_by_sign_on_whom_a_file_names_is_one_by_hand_from_then_on(furnished: None) -> None:
    applied("teams: [{name: platform, description: Who runs it, members: [carla]}]")
    assert Membership.objects.get(user__username="carla").source == "manual"
    assert Membership.objects.count() == 3


def test_a_new_webhook_has_its_signing_secret_shown_once(furnished: None) -> None:
    done = applied(
        "webhooks: [{name: w, where: yard, topics: [push], payload: acr, url: env:URL}]",
        secrets={"env:URL": "https://ci.example.com/secret-path"},
    )
    (shown,) = done.shown
    assert shown.secret.startswith("whsec_")
    assert shown.secret not in repr(done)
    made = Subscription.objects.get(name="w")
    assert made.signing_secrets(timezone.now()) == (shown.secret,)
    assert made.url.reveal() == "https://ci.example.com/secret-path"
    assert made.state == Subscription.State.ACTIVE


def test_a_webhook_without_address_goes_on_when_a_file_brings_it(furnished: None) -> None:
    said = "webhooks: [{name: w, where: yard, topics: [push], payload: acr, MORE}]"
    applied(said.replace("MORE", "host: ci.example.com"))
    assert Subscription.objects.get(name="w").state == Subscription.State.STOPPED
    url = "https://ci.example.com/secret-path"
    applied(said.replace("MORE", "url: env:URL"), secrets={"env:URL": url})
    assert Subscription.objects.get(name="w").state == Subscription.State.ACTIVE
    assert Subscription.objects.get(name="w").url.reveal() == url


def test_changed_headers_leave_the_address_as_it_is(furnished: None) -> None:
    applied(
        "webhooks: [{name: deploys, where: harbour/team-a/*, topics: [push], payload: slack,"
        " paused: true, headers: {Authorization: env:TOKEN, X-From: portolan}}]",
        secrets={"env:TOKEN": "Bearer new"},
    )
    stored = Subscription.objects.get()
    assert json.loads(stored.headers.reveal()) == {
        "Authorization": "Bearer new",
        "X-From": "portolan",
    }
    assert stored.url.reveal() == "https://hooks.example.com/hook-of-slack"
    assert stored.state == Subscription.State.PAUSED


def test_a_trust_rule_for_another_machine_is_another_rule_of_the_name(furnished: None) -> None:
    said = house.FILE.partition("version: 1")[2]
    moved = said.replace("service_principal: ci", "service_principal: cd").replace(
        "  - name: ci\n", "  - name: cd\n  - name: ci\n"
    )
    done = applied(moved)
    assert told(planned(moved)) == []
    assert [change.name for change in done.changes] == ["cd", "shop"]


def test_a_mirror_is_made_and_pruned(furnished: None) -> None:
    applied("mirrors: [{source: yard, target: harbour, tags: v1.*}]", prune=True)
    assert str(Mirror.objects.get()) == "yard → harbour"


# Connections ----------------------------------------------------------------------------------


def test_a_new_registry_is_tried_out_with_the_secret_from_where_it_is(address: str) -> None:
    people()
    secrets = {"file:/run/secrets/small": doors.PASSWORD}
    said = small(address, ", password: 'file:/run/secrets/small'")
    applied(said, secrets=secrets, check=True)
    stored = Registry.objects.get()
    assert stored.connection().credentials == (doors.USER, doors.PASSWORD)
    assert applied(said, secrets=secrets, check=True).changes == ()


def test_a_connection_that_fails_refuses_the_whole_file_in_the_words_of_its_check(
    address: str,
) -> None:
    people()
    said = f"teams: [{{name: t}}]\n{small(address, ', password: env:P')}"
    told = refusal(said, secrets={"env:P": "a-wrong-one"}, check=True)
    assert "line 3: registries[0]: " in told
    assert "Check the user name and the password" in told
    assert "a-wrong-one" not in told
    assert not Team.objects.exists()


def test_it_is_stored_all_the_same_where_nobody_wants_it_tried_out(address: str) -> None:
    people()
    applied(small(address, ", password: env:P"), secrets={"env:P": "a-wrong-one"}, check=False)
    assert Registry.objects.exists()


def test_a_registry_without_its_secret_is_stored_without_being_dialled() -> None:
    people()
    applied(small("http://192.0.2.1"), check=True)
    assert settings_of(Registry.objects.get()).username == doors.USER
    assert not RegistryCredential.objects.get().secret


def test_a_stored_password_is_led_nowhere_else_by_a_file(address: str) -> None:
    people()
    applied(small(address, ", password: env:P"), secrets={"env:P": doors.PASSWORD}, check=True)
    for check in (True, False):
        assert "Enter the password again" in refusal(small("http://evil.example"), check=check)
    assert Registry.objects.get().connection().credentials == (doors.USER, doors.PASSWORD)


def test_what_is_not_dialled_changes_without_a_secret_or_a_check(furnished: None) -> None:
    done = applied(
        "registries: [{name: harbour, kind: distribution, url: https://harbour.example.com,"
        " username: robot, sync_every: 2h, password: env:P}]",
        secrets={"env:P": "a-password"},
        check=True,
    )
    assert [one.name for one in done.changes[0].fields] == ["sync_every"]
    assert RegistryCredential.objects.get().secret.reveal() == "a-password"


# Not done -------------------------------------------------------------------------------------


def test_a_plan_with_problems_is_not_applied(furnished: None) -> None:
    said = "teams: [{name: new}]\ngrants: [{principal: user:nobody, role: reader, scope: '*'}]"
    assert "nobody of the user name “nobody”" in refusal(said)


def test_what_an_action_refuses_takes_back_all_that_was_done(furnished: None) -> None:
    User.objects.filter(username="carla").update(is_active=False)
    said = "teams: [{name: new, members: [carla]}]"
    assert refusal(said) == "line 2: teams[0].members[0]: carla is deactivated."


def test_a_registry_that_is_being_synced_is_not_pruned(furnished: None) -> None:
    SyncRun.objects.create(registry=Registry.objects.get(name="yard"), state="running")
    said = house.FILE.partition("version: 1")[2]
    without = said.replace(said[said.index("  - name: yard") : said.index("mirrors:")], "\n")
    told = refusal(without.partition("mirrors:")[0], prune=True)
    assert "A sync of it is running" in told


def test_what_somebody_changed_meanwhile_is_not_overwritten_unseen(furnished: None) -> None:
    shown = planned("teams: [{name: platform, description: From the file}]")
    Team.objects.update(description="By hand, a moment ago")
    with pytest.raises(Refused, match=CHANGED):
        apply(shown, rights=SHELL, actor=AT_SHELL, secrets=sent_along({}))
    assert Team.objects.get().description == "By hand, a moment ago"


def test_what_an_action_alone_knows_is_refused_with_its_place(
    furnished: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: object) -> None:
        raise Team.DoesNotExist

    monkeypatch.setitem(applying_module._ACTS, "grants", gone)
    said = "teams: [{name: x}]\ngrants: [{principal: user:bert, role: reader, scope: yard}]"
    assert refusal(said) == f"line 3: grants[0]: {CHANGED}"


def test_a_plan_of_more_rights_than_who_applies_it_has_is_refused(furnished: None) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    by_shell = planned("grants: [{principal: user:dora, role: owner, scope: '*'}]")
    with pytest.raises(Refused, match="access manage"):
        apply(
            by_shell,
            rights=rights_of(dora),
            actor=actor_of(dora),
            secrets=sent_along({}),
            user=dora,
        )
    assert Grant.objects.filter(user=dora).count() == 1


def test_who_owns_one_registry_applies_what_is_his_and_the_rest_stays(furnished: None) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    document = parse(
        "version: 1\n"
        "grants: [{principal: user:dora, role: owner, scope: harbour}]\n"
        "webhooks: []\nadmin_accounts: []\n"
    )
    mine = plan(document, rights=rights_of(dora), user=dora, prune=True)
    done = apply(
        mine, rights=rights_of(dora), actor=actor_of(dora), secrets=sent_along({}), user=dora
    )
    assert [f"{one.verb} {one.name}" for one in done.changes] == [
        "delete deploys on harbour/team-a/*",
        "delete harbour",
        "delete team:platform is releaser on harbour/team-a/*",
    ]
    # What she cannot see was not hers to leave out.
    assert Grant.objects.filter(user__username="anna", role__name="owner").exists()
    assert Grant.objects.filter(service_principal__name="ci").exists()


@pytest.mark.parametrize(
    "said",
    [
        "registries: [{name: new, kind: zot, url: a.example.com}]",
        "registries: [{name: yard, kind: acr, url: https://yard.example.com, sync_every: 1h}]",
        "registries: []",
        "roles: [{name: r, label: R, actions: [content read]}]",
        "teams: [{name: t}]",
        "teams: [{name: platform, description: Who runs it, members: [carla]}]",
        "service_principals: [{name: x}]",
        "trust_rules: []",
        "grants: [{principal: anonymous, role: owner, scope: '*'}]",
        "webhooks: [{name: w, where: '*', topics: [push], payload: acr, host: a.b}]",
        "mirrors: [{source: harbour, target: yard}]",
        "admin_accounts: [{registry: yard}]",
    ],
)
def test_each_act_judges_again_whatever_a_plan_let_pass(
    furnished: None, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr("dashboard.governance.plan.lacking", lambda *_args: ())
    monkeypatch.setattr("dashboard.governance.plan.missing", lambda *_args, **_more: ())
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    give(dora, "reader", Scope("yard"))
    rights = rights_of(dora)
    # As planned by who may see everything, and done by who may not.
    monkeypatch.setattr("dashboard.governance.plan.there.read", lambda _rights, _user: read(SHELL))
    shown = plan(parse(f"version: 1\n{said}"), rights=rights, prune=said.endswith("[]"))
    assert shown.changes
    before = exported()
    with pytest.raises(Refused, match=r"needs the right to|cannot give|cannot grant"):
        apply(shown, rights=rights, actor=actor_of(dora), secrets=sent_along({}), check=False)
    assert exported() == before
