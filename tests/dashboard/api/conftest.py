"""The cast, each with a token."""

from __future__ import annotations

import pytest

from access.models import ServicePrincipal, User
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db


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
