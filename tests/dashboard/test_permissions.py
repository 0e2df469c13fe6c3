"""Every address, asked by a stranger, without the right, with it, and with it elsewhere.

The table is in `endpoints.py`; an address that it does not know fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from access.actions import ALL, texts
from access.models import Membership, Role, Team, User
from access.scopes import EVERYTHING, Scope
from tests.cast import PASSWORD, give, signed_in
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import APART, LINES, OF_ALLAUTH, Being, Line, Maintaining, Needs
from tests.dashboard.ground import ground, made
from tests.dashboard.test_anonymous_endpoints import screens

__all__ = ["ground", "made"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ground")]
ELSEWHERE = Scope("elsewhere")
EVIL = ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]
# What stands for values of addresses that are only resolved.
SOME = dict.fromkeys(
    (
        "run",
        "grant",
        "person",
        "member",
        "rule",
        "request",
        "review",
        "item",
        "delivery",
        "follow",
        "mirror",
    ),
    "1",
) | {
    "digest": f"sha256:{'a' * 64}",
    "start": "sha256:aaaaaa",
    "entry": "1",
    "key": "0123456789",
    "token": "0123456789",
    "webhook": "12345678-1234-4234-8234-123456789012",
    "inbound": "12345678-1234-4234-8234-123456789012",
}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registries.tasks.sync_registry.delay", lambda _run: None)


# Who asks ---------------------------------------------------------------------------------------


def somebody(name: str, *, may: Any = (), on: Scope = EVERYTHING) -> User:
    """A person with a role of just these actions."""
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD)
    if actions := texts(may):
        role = Role.objects.create(name=f"role-of-{name}", label=name, actions=actions)
        give(user, role.name, on)
    return user


def member(name: str, team: str, *, is_maintainer: bool) -> User:
    user = somebody(name)
    Membership.objects.create(
        team=Team.objects.get(name=team), user=user, is_maintainer=is_maintainer
    )
    return user


def cast_of(line: Line | ApiLine) -> dict[str, User]:
    """The three people of a line, who has the right last: he may change what the others see."""
    match line.needs:
        case Needs(actions, scope, besides):
            # All rights but those that are needed; of what any right opens, none.
            lacking = ALL - actions if actions else ()
            return {
                "without": somebody("without", may=lacking, on=scope),
                "elsewhere": somebody("elsewhere", may=ALL, on=ELSEWHERE),
                "granted": somebody(
                    "granted",
                    may=actions | besides or {next(iter(ALL))},
                    on=scope,
                ),
            }
        case Being():
            return {
                "without": User.objects.create_superuser("without"),
                "elsewhere": somebody("elsewhere", may=ALL, on=ELSEWHERE),
                "granted": User.objects.get(username="paula"),
            }
        case Maintaining():
            return {
                "without": member("without", "crew", is_maintainer=False),
                "elsewhere": member("elsewhere", "others", is_maintainer=True),
                "granted": member("granted", "crew", is_maintainer=True),
            }
        case _:
            return {
                "without": somebody("without"),
                "elsewhere": somebody("elsewhere", may=ALL, on=ELSEWHERE),
                "granted": somebody("granted", may=ALL),
            }


def ask(client: Client, line: Line, values: dict[str, object]) -> HttpResponse:
    address = line.address.format(**values)
    if line.method == "GET":
        return client.get(address)  # type: ignore[return-value]  # as good as one
    data = {name: str(value).format(**values) for name, value in line.data.items()}
    return client.post(address, data)  # type: ignore[return-value]  # as good as one


@pytest.mark.parametrize("line", LINES, ids=str)
def test_an_address_answers_as_the_table_says(line: Line, ground: dict[str, object]) -> None:
    stranger = ask(Client(), line, ground)
    assert stranger.status_code == 302
    assert stranger.headers["Location"].startswith("/accounts/login/")
    found = {
        who: ask(signed_in(user), line, ground).status_code for who, user in cast_of(line).items()
    }
    wanted = {who: getattr(line, who) for who in found}
    assert found == wanted


# The table is complete --------------------------------------------------------------------------


def routes() -> Iterator[tuple[str, str]]:
    """Pairs of a route and its name, or the route again where it has none."""
    for route, entry in screens():
        yield route, entry.name or route


def known(method: str = "") -> set[str]:
    """The names of what the table has a line for."""
    addresses = [line.address for line in LINES if line.method == method or not method]
    found = (resolve(address.partition("?")[0].format(**SOME)) for address in addresses)
    return {match.url_name or match.route for match in found}


def test_the_table_knows_every_address() -> None:
    names = {name for _, name in routes()}
    assert names - known() - set(APART) - OF_ALLAUTH == set(), "give these a line in endpoints.py"
    assert (set(APART) | OF_ALLAUTH) - names == set(), "these are gone"


def test_the_table_knows_every_address_that_takes_a_form(
    as_owner: Client, ground: dict[str, object]
) -> None:
    forms = known("POST")
    for line in LINES:
        address = line.address.format(**ground)
        match = resolve(address.partition("?")[0])
        if (match.url_name or match.route) not in forms:
            assert as_owner.post(address).status_code == 405, f"{address} takes a form"


def test_what_has_an_id_is_found_only_where_it_lies(
    as_owner: Client, ground: dict[str, object]
) -> None:
    """Also by who may see everything: one registry's run is none of another's."""
    run = ground["run"]
    assert as_owner.get(f"/registries/elsewhere/runs/{run}/").status_code == 404
    assert as_owner.post(f"/registries/elsewhere/runs/{run}/cancel/").status_code == 404
    for address in (
        f"/access/teams/others/members/{ground['member']}/remove/",
        f"/access/teams/others/rules/{ground['rule']}/remove/",
    ):
        assert as_owner.post(address).status_code == 404, address


@pytest.mark.parametrize("line", [line for line in LINES if "{" in line.address], ids=str)
def test_an_id_that_nothing_has_is_not_found(as_owner: Client, line: Line) -> None:
    catalogued = dict.fromkeys(SOME, "999999999") | {
        "digest": SOME["digest"],
        "start": SOME["start"],
        "key": "nobodyhas1",
        "webhook": SOME["webhook"],
        "inbound": SOME["webhook"],
        "token": "nobodyhas1",
    }
    assert ask(as_owner, line, dict(catalogued)).status_code == 404


# Forms come from our own pages ------------------------------------------------------------------


@pytest.mark.parametrize("line", [line for line in LINES if line.method == "POST"], ids=str)
def test_a_form_without_the_token_of_our_page_is_refused(
    line: Line, owner: User, ground: dict[str, object]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = ask(client, line, ground)
    assert response.status_code == 403
    assert "CSRF" in response.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/login/",
        "/accounts/logout/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/change/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/3rdparty/",
        "/accounts/sessions/",
        "/theme/",
    ],
)
def test_so_is_one_of_allauth_and_of_strangers(address: str, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    for sign_in in (False, True):
        if sign_in:
            client.force_login(owner)
        assert client.post(address).status_code == 403


def test_what_machines_alone_post_to_takes_forms_without_it() -> None:
    exempt = {entry.name for _, entry in screens() if getattr(entry.callback, "csrf_exempt", False)}
    assert exempt == {"command-token", "docker-token", "token-exchange", "notifications-in"}


# Nobody is led away -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", EVIL)
def test_the_sign_in_leads_nowhere_else(target: str, owner: User) -> None:
    form = {"login": owner.username, "password": PASSWORD, "next": target}
    for address in ("/accounts/login/", f"/accounts/login/?next={target}"):
        response = Client().post(address, form)
        assert response.status_code == 302
        assert re.match(r"/(?![/\\])", response.headers["Location"]), response.headers["Location"]


@pytest.mark.parametrize("target", EVIL)
@pytest.mark.parametrize("address", ["/theme/", "/accounts/logout/", "/accounts/reauthenticate/"])
def test_no_other_form_does_either(address: str, target: str, owner: User) -> None:
    client = signed_in(owner)
    response = client.post(f"{address}?next={target}", {"next": target, "password": PASSWORD})
    assert "evil" not in response.headers.get("Location", "")
    assert "alert" not in response.headers.get("Location", "")
