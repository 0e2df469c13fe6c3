"""The first owner: there is no default password, a one-time link lets the owner set one."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from access.models import User

NAME = "owner"


class FirstRunTokens(PasswordResetTokenGenerator):
    """Tokens over the account's password: setting it ends every link, as does the time-out of
    PASSWORD_RESET_TIMEOUT. The salt keeps them apart from links that reset a password."""

    key_salt = "dashboard.first_run"


tokens = FirstRunTokens()


def ensure_owner() -> User | None:
    """The owner who has yet to set a password, made if there is none; None if some owner has one.

    Raises ValidationError when the name is taken by a person who is no owner: a link to set a
    password must never make somebody one.
    """
    owners = User.objects.filter(is_superuser=True, is_active=True)
    waiting = owners.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    if owners.difference(waiting).exists():
        return None
    if owner := waiting.order_by("pk").first():
        return owner
    if User.objects.filter(username=NAME).exists():
        raise ValidationError(
            f"No owner can sign in, and the name {NAME} belongs to somebody else: make an owner"
            " with `manage.py createsuperuser`."
        )
    return User.objects.create_superuser(NAME)  # without a password: an unusable one


def link(base_url: str, owner: User) -> str:
    """The address under `base_url` where `owner` sets the first password, good for one use."""
    key = urlsafe_base64_encode(force_bytes(owner.pk))
    return base_url.rstrip("/") + reverse("first-run", args=[key, tokens.make_token(owner)])


def owner_for(uidb64: str, token: str) -> User | None:
    """Whom a link is for, or None if it is not (or no longer) good."""
    try:
        key = int(urlsafe_base64_decode(uidb64))
    except ValueError:
        return None
    owner = User.objects.filter(pk=key, is_superuser=True, is_active=True).first()
    if owner is None or owner.has_usable_password() or not tokens.check_token(owner, token):
        return None
    return owner
