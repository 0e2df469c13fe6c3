"""The cast, each with a token."""

from __future__ import annotations

import pytest

from access.models import ServicePrincipal, User
from tests.audit_log import begin_anew
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_was_logged(request: pytest.FixtureRequest) -> None:
    """Entries of tests before are not seen, save where a test commits and cannot take that back."""
    mark = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (
        mark and mark.kwargs.get("transaction")
    )
    if mark is None or commits:
        return
    request.getfixturevalue("db")
    begin_anew()


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
