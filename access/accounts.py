"""How accounts come to be, and who is let in: what allauth asks us, and what we answer.

Nobody signs up by himself: the first owner comes from the one-time link, the others are invited,
or come by single sign-on with an address of a domain that is let in (SIGNUP_DOMAINS).
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import render

from access import claims_to_teams, sign_ins
from access.models import User
from access.tokens import limits
from registries.fields import decrypt, encrypt

# Where second factors are kept. Not bound to the row as other secrets are: allauth encrypts before
# there is one.
_MFA_CONTEXT = "mfa_authenticator:data"
CONFLICT = 409
FORBIDDEN = 403


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    """Local accounts: closed to strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What wrong passwords are counted by: account and address together. By the account alone,
        as allauth has it, anybody could keep its owner out from anywhere."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)} {get_ip(request)}"


class SignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    """Accounts by single sign-on."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Before anybody is in: a leaver must not come in with the teams he had."""
        _require_one_person(request, sociallogin)
        _judge_addresses(sociallogin)
        if sociallogin.is_existing and sociallogin.user.is_active:
            _follow_claims(sociallogin)
        elif sociallogin.is_existing:
            _tell_refused(sociallogin, sociallogin.user.get_username())

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """What came back proved nobody: tampered with, out of date, or meant for another browser.

        Anybody can send such a thing, so that the same from one address is told once a minute.
        """
        super().on_authentication_error(
            request, provider, error=error, exception=exception, extra_context=extra_context
        )
        told = f"single sign-on {provider}"
        if error != AuthError.CANCELLED and limits.is_worth_an_entry(
            get_ip(request), told, by_stranger=True
        ):
            sign_ins.was_refused("somebody", getattr(provider, "sub_id", str(provider)))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether a new account may come of it: only with an address that the provider verified, of
        a domain that is let in. One that an account here has already takes that account over for
        nobody: its owner signs in and connects the two himself."""
        address = _address_let_in(sociallogin)
        if address is None:
            _tell_refused(sociallogin, str(sociallogin.user.email or sociallogin.account.uid))
            return False
        if address_taken(address):
            _tell_refused(sociallogin, address)
            context = {"email": address, "provider": sociallogin.provider}
            raise ImmediateHttpResponse(
                render(request, "socialaccount/known_address.html", context, status=CONFLICT)
            )
        # The others are not asked about, and must not sign in or reset a password here.
        sociallogin.email_addresses = [
            one for one in sociallogin.email_addresses if one.email == address
        ]
        sociallogin.user.email = address
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        _follow_claims(sociallogin)
        return user


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth publishes no types
    """Seeds of apps and of recovery codes are encrypted at rest, like all secrets."""

    def encrypt(self, text: str) -> str:
        return encrypt(text, context=_MFA_CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text, context=_MFA_CONTEXT)

    def get_totp_issuer(self) -> str:
        return "Portolan"


class ResetForm(ResetPasswordForm):  # type: ignore[misc]  # allauth publishes no types
    """Mails a link to those who have a password. Who comes by single sign-on, or has yet to open the
    invitation, gets none by mail: a leaver would keep a way in that his company cannot close."""

    users: list[User]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.has_usable_password()]
        return email


def address_taken(email: str, *, by_other_than: User | None = None) -> bool:
    """Whether somebody's account has this address, in whatever case it was typed."""
    people = User.objects.filter(Q(email__iexact=email) | Q(emailaddress__email__iexact=email))
    if by_other_than is not None and by_other_than.pk is not None:
        people = people.exclude(pk=by_other_than.pk)
    return people.exists()


def set_address(user: User, email: str) -> None:
    """The one address of an account; older ones no longer sign in or reset a password."""
    EmailAddress.objects.filter(user=user).delete()
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    user.email = email
    user.save(update_fields=["email"])


def claims_of(sociallogin: SocialLogin) -> dict[str, Any]:
    """All claims. Userinfo is the fresher one, but some providers (Entra ID) put groups into the
    ID token only."""
    data = sociallogin.account.extra_data
    if "userinfo" in data or "id_token" in data:
        return {**(data.get("id_token") or {}), **(data.get("userinfo") or {})}
    return dict(data)


def _address_let_in(sociallogin: SocialLogin) -> str | None:
    """An address that the provider says it has verified, of a domain that is let in."""
    for address in sociallogin.email_addresses:
        domain = str(address.email).rpartition("@")[2].lower()
        if address.verified is True and domain in settings.SIGNUP_DOMAINS:
            return str(address.email)
    return None


def _judge_addresses(sociallogin: SocialLogin) -> None:
    """Some providers write the claim as text, and "false" would count as true."""
    for address in sociallogin.email_addresses:
        address.verified = address.verified is True or address.verified == "true"


def _require_one_person(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Userinfo of another person than the ID token's must not be used (OpenID Connect Core 5.3.2)."""
    data = sociallogin.account.extra_data
    subjects = {
        str(data[part]["sub"])
        for part in ("id_token", "userinfo")
        if isinstance(data.get(part), dict) and "sub" in data[part]
    }
    if len(subjects) > 1:
        page = render(request, "socialaccount/authentication_error.html", status=FORBIDDEN)
        raise ImmediateHttpResponse(page)


def _tell_refused(sociallogin: SocialLogin, account: str) -> None:
    sign_ins.was_refused(account, sociallogin.account.provider)


def _follow_claims(sociallogin: SocialLogin) -> None:
    claims_to_teams.follow(
        sociallogin.user, provider=sociallogin.account.provider, claims=claims_of(sociallogin)
    )
