"""The cast, each with a token."""

from __future__ import annotations

import pytest
from django.db import connection

from access.models import ServicePrincipal, User
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_was_logged(request: pytest.FixtureRequest) -> None:
    """Entries that tests before committed stay, as the log is made to; here they are not seen.

    Taken away in the test's own transaction, which takes that back at its end.
    """
    mark = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (
        mark and mark.kwargs.get("transaction")
    )
    if mark is None or commits:
        return
    request.getfixturevalue("db")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM access_auditentry")
        cursor.execute(
            "UPDATE access_audithead SET first_number = number + 1, first_previous = hash"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def api_owner(owner: User) -> Api:
    return Api.of(owner)


@pytest.fixture
def api_viewer(viewer: User) -> Api:
    return Api.of(viewer)


@pytest.fixture
def api_outsider(outsider: User) -> Api:
    return Api.of(outsider)


@pytest.fixture
def machine(db: None) -> ServicePrincipal:
    return ServicePrincipal.objects.create(name="ci")
