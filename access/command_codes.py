"""A code that a browser hands to the command `portolan` beside it, and that is changed into a token.

As OAuth does it for programs on people's machines: the code goes to an address of that machine
(RFC 8252, 7.3), holds for two minutes and once, and is worth nothing without the verifier, which
never left the command (RFC 7636). So nobody gains by reading it on the way, and nothing is stored.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from django.core import signing
from django.core.cache import cache
from django.utils.translation import gettext as _

from access.models import User

LIFE_SECONDS = 120
_SALT = "access.command_codes"


class WrongCode(Exception):  # noqa: N818  named for what happened
    """The text is a sentence for who waits at the command."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to: a token of his with this label."""

    user: User
    label: str


def issue(user: User, *, challenge: str, label: str) -> str:
    """A code for the command that sent this challenge."""
    said = [user.pk, challenge, label, secrets.token_urlsafe(12)]
    return signing.dumps(said, salt=_SALT)


def redeem(code: str, verifier: str) -> Consent:
    """What the code stands for, once; raises WrongCode."""
    try:
        pk, challenge, label, number = signing.loads(code, salt=_SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature:
        raise WrongCode(_("This code does not hold, or no longer: begin again.")) from None
    if not secrets.compare_digest(challenge_of(verifier), challenge):
        raise WrongCode(_("This code was made for another command."))
    if not cache.add(f"command-code:{number}", 1, 2 * LIFE_SECONDS):
        raise WrongCode(_("This code was used before: begin again."))
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None:
        raise WrongCode(_("This account is switched off."))
    return Consent(user, label)


def challenge_of(verifier: str) -> str:
    """RFC 7636, 4.2: `S256`."""
    digest = hashlib.sha256(verifier.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
