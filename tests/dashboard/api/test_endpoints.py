"""Every address of the API, asked by nobody, without the right, with it, and with it elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from access.models import User
from dashboard.api.sign_in import SignedIn
from tests.cast import signed_in
from tests.dashboard.api.client import PREFIX, Api
from tests.dashboard.api.endpoints import LINES
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.api.test_description import APART, operations, resources
from tests.dashboard.ground import ground, made
from tests.dashboard.test_permissions import SOME, cast_of, no_worker
from tests.reassured import reassured

__all__ = ["ground", "made", "no_worker"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ground")]


# All of which the description says 412; what nobody of the table may do is in its area's tests.
CONDITIONAL = [
    line
    for line in LINES
    if line.method in ("PATCH", "PUT", "DELETE") and line.granted not in (403, 404)
]
# What changes at a registry is compared before that is asked, which takes seconds.
DIALLED = re.compile("/repositories/|/vendor/|/settings$")


@pytest.fixture(autouse=True)
def nothing_was_logged() -> None:
    """Before the ground was made; its own entries are to be found."""


def ask(
    user: User | None,
    line: ApiLine,
    values: dict[str, object],
    headers: dict[str, str] | None = None,
) -> int:
    """Also by session, as being a maintainer counts only there."""
    sign_in = reassured if line.reassured else signed_in
    api = Api(client=sign_in(user)) if user else Api()
    path = line.path.format(**values)
    return api.ask(line.method, path, filled(line.body, values), headers).status_code


def filled(body: Any, values: dict[str, object]) -> Any:
    if isinstance(body, str):
        return body.format(**values)
    if isinstance(body, list):
        return [filled(one, values) for one in body]
    if isinstance(body, dict):
        return {name: filled(value, values) for name, value in body.items()}
    return body


@pytest.mark.parametrize("line", LINES, ids=str)
def test_an_address_answers_as_the_table_says(line: ApiLine, ground: dict[str, object]) -> None:
    assert ask(None, line, ground) == 401
    found = {who: ask(user, line, ground) for who, user in cast_of(line).items()}
    assert found == {who: getattr(line, who) for who in found}


@pytest.mark.parametrize("line", CONDITIONAL, ids=str)
def test_a_change_of_what_changed_since_it_was_read_is_refused(
    line: ApiLine, ground: dict[str, object]
) -> None:
    stale = {"If-Match": '"as it was once"'}
    with CaptureQueriesContext(connection) as sent:
        assert ask(cast_of(line)["granted"], line, ground, stale) == 412
    # Compared under a lock, or else somebody comes between looking and changing.
    assert any("FOR UPDATE" in one["sql"] for one in sent) or DIALLED.search(line.path)


def test_the_table_knows_every_address_and_method() -> None:
    known = {(line.method.lower(), template(line)) for line in LINES}
    there = {(method, path) for path, method, _ in operations()}
    assert there - known == set(), "give these a line in endpoints_*.py"
    assert known - there == set(), "these are gone"


def template(line: ApiLine) -> str:
    path = line.path.partition("?")[0].format(**SOME)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", resolve(f"{PREFIX}{path}").route)


@pytest.mark.parametrize("line", [line for line in LINES if "{" in line.path], ids=str)
def test_an_id_that_nothing_has_is_not_found(line: ApiLine, owner: User) -> None:
    nothing = {name: "999999999" if value == "1" else value for name, value in SOME.items()}
    assert ask(owner, line, dict(nothing)) == 404


def test_every_resource_asks_who_it_is() -> None:
    for route, view in resources():
        assert view.permission_classes == [SignedIn], route
        if "<" not in route:
            api = Api()
            path = route.removeprefix("api/v1")
            status = (api.send if route in APART else api.ask)("GET", path).status_code
            assert status == 401, route
