"""An issuer on this machine, a machine that trusts it, and nothing remembered from before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from access.models import ServicePrincipal, TrustRule
from access.tokens.issuers import STORE
from tests.fakes.oidc_issuer import AUDIENCE, OidcIssuer, serving


@pytest.fixture(autouse=True)
def no_keys_remembered() -> Iterator[None]:
    yield
    STORE.forget()


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    with serving() as running:
        yield running


@pytest.fixture
def machine(db: None) -> ServicePrincipal:
    return ServicePrincipal.objects.create(name="ci")


@pytest.fixture
def rule(machine: ServicePrincipal, issuer: OidcIssuer) -> TrustRule:
    return TrustRule.objects.create(
        name="shop-main",
        service_principal=machine,
        issuer=issuer.url,
        audience=AUDIENCE,
        subject="repo:acme/shop:ref:refs/heads/*",
        allow_private=True,
    )
