"""Answering a request for a token: who it is, what of it he may have, the signed token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from access.authentication import Caller
from access.events import AdminAccountUsed, TokenRefused
from access.models import ServicePrincipal
from access.policy import NO_RIGHTS
from access.secret_owners import rights_of_public
from access.sign_ins import account_shown
from access.tokens import limits, log
from access.tokens.claims import claims
from access.tokens.scope import REPOSITORY, Allowed, Asked, allow, is_refusal
from access.tokens.signing import signer
from registries.actor import ANONYMOUS
from registries.events import emit
from registries.models import Registry

# What a registry may be called; anything else is no service of anybody's.
SERVICE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_NAME = 150  # of an account, in Django


@dataclass(frozen=True, slots=True)
class Request:
    """`service` is the name of a registry, if there is one of that name."""

    service: str
    asked: Sequence[Asked]
    address: str | None


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    access: tuple[Allowed, ...]
    issued_at: datetime
    expires_in: int

    def __repr__(self) -> str:
        return f"Token({self.access})"


def issue(request: Request, caller: Caller | None) -> Token:
    """A token with as much of what was asked as the caller (None is the public) may do.

    For a service that is no registry it allows nothing, and looks the same as for one where nothing
    was granted: nobody finds out the names of registries here.
    """
    registry = registry_id(request.service)
    judged = _judge(request, caller, known=registry is not None)
    access = tuple(entry for _asked, entry in judged if entry)
    refused = [str(asked) for asked, entry in judged if is_refusal(asked, entry)]
    if refused:
        _tell_refused(request, caller, refused, known=registry is not None)
    if caller and caller.admin_of:
        _tell_admin(request, caller)
    now = timezone.now()
    text = signer().sign(
        claims(
            issuer=settings.PUBLIC_URL,
            service=request.service,
            subject=caller.subject if caller else "",
            access=access,
            now=int(now.timestamp()),
            lifetime=settings.TOKEN_LIFETIME_SECONDS,
        )
    )
    if registry:
        _note(request, caller, registry, access, now)
    return Token(text, access, now, settings.TOKEN_LIFETIME_SECONDS)


def _judge(
    request: Request, caller: Caller | None, *, known: bool
) -> list[tuple[Asked, Allowed | None]]:
    if not request.asked:  # a login check
        return []
    rights = (caller.rights if caller else rights_of_public()) if known else NO_RIGHTS
    return [(asked, allow(asked, rights, request.service)) for asked in request.asked]


def tell_wrong(request: Request, account: str, because: str) -> None:
    """Enter a wrong secret in the audit log."""
    if not limits.is_worth_an_entry(request.address, f"{account} {because}", by_stranger=True):
        return
    registry = request.service if registry_id(request.service) else ""
    asked = " ".join(map(str, request.asked))
    with transaction.atomic():
        event = TokenRefused(registry, timezone.now(), shown_name(account), asked, because)
        emit([event], actor=ANONYMOUS)


def shown_name(account: str) -> str:
    """A name that somebody has, as it is; of any other only the beginning: people paste secrets
    into the wrong field."""
    name = "".join(character for character in account if character.isprintable())[:LONGEST_NAME]
    is_ours = registry_id(name) or ServicePrincipal.objects.filter(name=name).exists()
    return name if is_ours else account_shown(name)


def _tell_refused(
    request: Request, caller: Caller | None, refused: Sequence[str], *, known: bool
) -> None:
    account = caller.principal if caller else "anonymous"
    asked = " ".join(refused)
    what = f"{account} {request.service} {asked}"
    if not limits.is_worth_an_entry(request.address, what, by_stranger=caller is None):
        return
    because = "not granted" if known else "there is no registry of this name"
    registry = request.service if known else ""
    with transaction.atomic():
        emit(
            [TokenRefused(registry, timezone.now(), account, asked, because)],
            actor=caller.actor if caller else ANONYMOUS,
        )


def _tell_admin(request: Request, caller: Caller) -> None:
    asked = " ".join(map(str, request.asked)) or "login"
    with transaction.atomic():
        event = AdminAccountUsed(caller.admin_of, timezone.now(), caller.key_id, asked)
        emit([event], actor=caller.actor)


def _note(
    request: Request,
    caller: Caller | None,
    registry: int,
    access: Sequence[Allowed],
    now: datetime,
) -> None:
    log.note(
        log.Issued(
            now,
            caller.principal if caller else "anonymous",
            caller.key_id if caller else "",
            registry,
            request.address,
            tuple(
                (entry.name if entry.type == REPOSITORY else "*", entry.actions) for entry in access
            ),
        )
    )


# Names of registries ----------------------------------------------------------------------------

# A registry's name cannot change, and its id is only for the log: it may be some seconds old. Only
# what is there is remembered, so that a registry works as soon as it is connected.
_NAMES_SECONDS = 5.0
_names: dict[str, tuple[int, float]] = {}


def registry_id(service: str) -> int | None:
    """The id of the registry of this name, from memory if it was read a moment ago."""
    known = _names.get(service)
    if known is not None and monotonic() < known[1]:
        return known[0]
    found = Registry.objects.filter(name=service).values_list("pk", flat=True).first()
    if found is not None:
        _names[service] = (found, monotonic() + _NAMES_SECONDS)
    return found


def forget_registries() -> None:
    """For tests, which reuse names."""
    _names.clear()
