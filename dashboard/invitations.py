"""One-time links by which somebody sets a password: for who was invited, or has lost his way in."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from access.models import User


class InvitationTokens(PasswordResetTokenGenerator):
    """Tokens over the password, the address and the last sign-in: each of them ends every link, as
    does the time-out of PASSWORD_RESET_TIMEOUT. The salt keeps them apart from other links."""

    key_salt = "dashboard.invitations"


tokens = InvitationTokens()


def link(person: User) -> str:
    """The address where this person sets a password, good for one use."""
    key = urlsafe_base64_encode(force_bytes(person.pk))
    return settings.PUBLIC_URL + reverse("invitation", args=[key, tokens.make_token(person)])


def person_for(uidb64: str, token: str) -> User | None:
    """Whom a link is for, or None if it is not (or no longer) good."""
    try:
        key = int(urlsafe_base64_decode(uidb64))
    except ValueError:
        return None
    person = User.objects.filter(pk=key, is_active=True).first()
    return person if person is not None and tokens.check_token(person, token) else None


def mail(person: User, address: str, *, invited_by: str) -> bool:
    """Send the link where mail is set up; returns whether it was sent. That it could not be is no
    error: whoever invites can hand it over himself."""
    if not settings.EMAIL_CONFIG_SET or not person.email:
        return False
    context = {"person": person, "link": address, "invited_by": invited_by}
    body = render_to_string("access/people/invitation.txt", context)
    try:
        return send_mail(_("Your link to Portolan"), body, None, [person.email]) == 1
    except (OSError, SMTPException):
        return False
