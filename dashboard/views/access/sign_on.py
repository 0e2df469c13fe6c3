"""Leaving for a provider of OpenID Connect, and coming back: allauth's views, with a nonce.

The ID token must name the browser's own sign-in (OpenID Connect Core 3.1.3.7, 11). PKCE says the
same, but the provider judges that, and not every provider does.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter, login
from allauth.utils import get_request_param
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import urlencode
from requests import RequestException

BAD_GATEWAY = 502
_log = logging.getLogger(__name__)


class WithNonce(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth publishes no types
    """Takes no answer without an ID token for this very sign-in."""

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: object, **kwargs: Any
    ) -> SocialLogin:
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("There is no ID token.")
        return super().complete_login(request, app, token, **kwargs)

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = super()._decode_id_token(app, id_token)
        wanted = nonce_for(str(get_request_param(self.request, "state")))
        if not constant_time_compare(str(claims.get("nonce", "")), wanted):
            raise OAuth2Error("The ID token is of another sign-in.")
        return claims


def nonce_for(state: str) -> str:
    """The nonce of a sign-in. Its `state` is bound to the session already, so this is, too."""
    return salted_hmac("dashboard.sign_on.nonce", state, algorithm="sha256").hexdigest()


@login_not_required
def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider, once the button is pressed. Where it is down, a page says so."""
    try:
        response: HttpResponse = login(request, provider_id)
    except RequestException as error:
        _log.warning("The sign-on provider %s does not answer: %s", provider_id, error)
        page = "socialaccount/authentication_error.html"
        return render(request, page, status=BAD_GATEWAY)
    address = response.headers.get("Location", "")
    if state := parse_qs(urlsplit(address).query).get("state"):
        response.headers["Location"] = f"{address}&{urlencode({'nonce': nonce_for(state[0])})}"
    return response


@login_not_required
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """From the provider, with its answer."""
    try:
        view = OAuth2CallbackView.adapter_view(WithNonce(request, provider_id))
        response: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return response
