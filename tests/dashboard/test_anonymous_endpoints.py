"""Who adds an address to this list decides that strangers may ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

OPEN = {
    "access/command/token": "the command portolan, which brings a code that somebody agreed to",
    "accounts/2fa/authenticate/": "the second factor, for who has given the first",
    "accounts/2fa/webauthn/login/": "signing in with a passkey",
    "accounts/3rdparty/login/cancelled/": "says that one turned back at the provider",
    "accounts/3rdparty/signup/": "leads who did not come from a provider to the sign-in",
    "accounts/github/login/": "signing in through GitHub",
    "accounts/github/login/callback/": "coming back from there",
    "accounts/oidc/<provider_id>/login/": "signing in through a provider",
    "accounts/oidc/<provider_id>/login/callback/": "coming back from there",
    "accounts/confirm-email/": "allauth's, which nobody reaches: ours stands before it, and is closed",
    "accounts/confirm-email/<key>/": "the same",
    "accounts/inactive/": "tells somebody that the account is switched off",
    "accounts/login/": "signing in",
    "accounts/login/code/confirm/": "allauth's, for codes by mail, which are switched off",
    "accounts/logout/": "leads who is out already to the start",
    "accounts/password/reset/": "asking for a new password",
    "accounts/password/reset/done/": "the same",
    "accounts/password/reset/key/<uidb36>-<key>/": "the same, for who has the link",
    "accounts/password/reset/key/done/": "the same",
    "accounts/signup/": "says that there is no sign-up",
    "auth/jwks.json": "the keys that registries trust",
    "auth/token": "docker clients; who gives no secret gets what the public may do",
    "auth/token/exchange": "CI jobs, which bring a token of their issuer as the proof",
    "feeds/<str:token>.atom": "feed readers; the secret in the address is the right",
    "first-run/<uidb64>/<token>/": "the first owner's password, for who has the link",
    "hooks/in/<slug:name>": "registries, which show a secret of their own",
    "invitation/<uidb64>/<token>/": "a first or a new password, for who has the link",
    "livez": "the orchestrator",
    "readyz": "the load balancer",
    "theme/": "the sign-in page has the switch, too",
}


def patterns(
    resolver: URLResolver | None = None, before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + readable(entry)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


def screens() -> Iterator[tuple[str, URLPattern]]:
    """All but the REST API's resources, which sign in their own way (tests/dashboard/api/)."""
    for route, entry in patterns():
        if not hasattr(entry.callback, "cls"):
            yield route, entry


def readable(entry: URLPattern | URLResolver) -> str:
    if isinstance(entry.pattern, RoutePattern):
        return str(entry.pattern)
    groups = {
        r"^confirm-email/(?P<key>[-:\w]+)/$": "confirm-email/<key>/",
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": (
            "password/reset/key/<uidb36>-<key>/"
        ),
        r"^(?P<provider_id>[^/]+)/": "<provider_id>/",
        "^/": "/",
    }
    text = str(entry.pattern)
    return groups.get(text, text)


def test_these_addresses_and_no_others_are_open_to_strangers() -> None:
    open_ones = {
        route for route, entry in screens() if not getattr(entry.callback, "login_required", True)
    }
    assert open_ones == set(OPEN)


@pytest.mark.django_db
def test_all_others_lead_strangers_to_the_sign_in() -> None:
    """The marks are read above; this asks, for every address that needs no values."""
    client = Client()
    for route, _ in screens():
        if "<" in route or route in OPEN:
            continue
        for response in (client.get(f"/{route}"), client.post(f"/{route}")):
            assert response.status_code == 302, route
            assert response.headers["Location"].startswith("/accounts/login/"), route
