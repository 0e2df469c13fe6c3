"""What a person says about a registry, checked before anything is dialled or stored.

Form and command both go through `cleaned`, so that they refuse the same things in the same words.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.connectors import CONNECTORS
from registries.models.registry import SLUG
from registries.oci.connection import InvalidConnection, parse_url
from registries.oci.reference import is_repository
from registries.oci.tls import trust

SHORTEST_INTERVAL = timedelta(minutes=1)
LONGEST_INTERVAL = timedelta(days=31)
URL_LIMIT = 255  # what the column takes
PATTERN_LIMIT = 255
PATTERNS_LIMIT = 10_000
USERNAME_LIMIT = 255
OPTION_LIMIT = 1000
# Fields of a kind that are no options: they are stored as a credential.
_SECOND_CREDENTIAL = frozenset({"api_username", "api_secret"})

# What a change is told of, in this order.
_TOLD = (
    "url",
    "kind",
    "options",
    "public_host",
    "allow_private",
    "ca_certificate",
    "repository_names",
    "sync_interval",
    "username",
    "api_username",
)

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
# What a repository path is made of, and wildcards; anything else could never match one.
_PATTERN = re.compile(r"(?=.*[*?\[])[a-z0-9._/*?\[\]!-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """One connection as its owner describes it.

    `kind` is empty to be found out. `password` and `api_secret` are None to leave a stored one as it
    is. `sync_interval` is None for a registry that is synced only when somebody asks.
    """

    name: str
    url: str
    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    public_host: str = ""
    allow_private: bool = False
    ca_certificate: str = ""
    repository_names: tuple[str, ...] = ()
    sync_interval: timedelta | None = timedelta(minutes=15)
    username: str = ""
    password: str | None = field(default=None, repr=False)
    api_username: str = ""
    api_secret: str | None = field(default=None, repr=False)


def cleaned(settings: RegistrySettings) -> RegistrySettings:
    """The same settings in their stored form.

    Raises ValidationError with every mistake, by the field's name.
    """
    errors: dict[str, list[str]] = {}
    result = settings
    for name, clean in _CLEANERS.items():
        try:
            result = replace(result, **{name: clean(getattr(settings, name))})
        except ValidationError as error:
            errors[name] = list(error.messages)
    if "url" not in errors and result.url.startswith("http://") and not result.allow_private:
        errors["url"] = [
            _(
                "Plain http is only for registries on a private network: use https, or allow"
                " private addresses."
            )
        ]
    if result.password and not result.username:
        errors.setdefault("username", []).append(_("A password needs a user name."))
    if result.kind and "kind" not in errors:
        result = replace(result, options=_of_kind(result, errors))
    if errors:
        raise ValidationError(errors)
    return result


def differences(
    before: RegistrySettings, after: RegistrySettings
) -> tuple[tuple[str, str, str], ...]:
    """(setting, old, new) for each that differs, in words; of the password only that it does."""
    changed = [
        (name, _shown(getattr(before, name)), _shown(getattr(after, name)))
        for name in _TOLD
        if getattr(before, name) != getattr(after, name)
    ]
    if after.password or (before.username and not after.username):
        changed.append(("password", "", ""))
    if after.api_secret:
        changed.append(("api_secret", "", ""))
    return tuple(changed)


def _shown(value: object) -> str:
    match value:
        case None:
            return "never"
        case timedelta():
            return f"every {value // timedelta(minutes=1)} min"
        case tuple():
            return " ".join(value)
        case Mapping():
            return " ".join(f"{name}={text}" for name, text in sorted(value.items()))
        case str() if value.startswith("-----BEGIN"):
            return "PEM sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]
        case _:
            return str(value)


def _clean_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationError(_("Give the registry a name, such as “production”."))
    if len(name) > 63:
        raise ValidationError(_("A name has at most 63 characters."))
    SLUG(name)
    return name


def _of_kind(settings: RegistrySettings, errors: dict[str, list[str]]) -> dict[str, str]:
    """The options that this kind has, in the order of its fields; mistakes go into `errors`."""
    connector = CONNECTORS[settings.kind]
    given = {name: text.strip() for name, text in settings.options.items() if text.strip()}
    fields = [field for field in connector.fields if field.name not in _SECOND_CREDENTIAL]
    if unknown := sorted(given.keys() - {field.name for field in fields}):
        told = _("%(kind)s has no setting %(name)s. It has: %(known)s.") % {
            "kind": connector.label,
            "name": ", ".join(f"“{name[:80]}”" for name in unknown),
            "known": ", ".join(field.name for field in fields) or _("none"),
        }
        errors.setdefault("options", []).append(told)
    for name, text in given.items():
        if len(text) > OPTION_LIMIT or not text.isprintable():
            errors.setdefault(name, []).append(
                _("A setting is one line of at most %d characters.") % OPTION_LIMIT
            )
    for needed in fields:
        if needed.required and needed.name not in given:
            errors.setdefault(needed.name, []).append(
                _("%(kind)s needs “%(name)s”.") % {"kind": connector.label, "name": needed.label}
            )
    return {field.name: given[field.name] for field in fields if field.name in given}


def _clean_kind(kind: str) -> str:
    kind = kind.strip()
    if kind and kind not in CONNECTORS:
        raise ValidationError(
            _("There is no kind “%(kind)s”. Portolan knows: %(known)s.")
            % {"kind": kind, "known": ", ".join(sorted(CONNECTORS))}
        )
    return kind


def _clean_url(url: str) -> str:
    """Scheme, host and port, as the client will dial them."""
    if not url.strip():
        raise ValidationError(_("Give the registry's address, such as registry.example.com."))
    try:
        origin = parse_url(url, allow_private=True)  # plain http is judged above, with its switch
    except InvalidConnection as error:
        raise ValidationError(str(error)) from None
    if len(str(origin)) > URL_LIMIT:
        raise ValidationError(_("An address has at most %d characters.") % URL_LIMIT)
    if not _is_host(origin.raw_host or ""):
        raise ValidationError(_("“%s” is not the name of a host.") % origin.host)
    return str(origin)


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return all(_LABEL.fullmatch(label) for label in host.rstrip(".").lower().split("."))
    return True


def _clean_public_host(host: str) -> str:
    host = host.strip()
    if not host:
        return ""
    if "/" in host.removeprefix("https://").removeprefix("http://").rstrip("/"):
        raise ValidationError(_("Give the host alone, such as registry.example.com:5000."))
    return _clean_url(host).partition("://")[2]


def _clean_ca_certificate(pem: str) -> str:
    pem = pem.strip()
    if not pem:
        return ""
    if not pem.isascii():
        raise ValidationError(
            _(
                "A certificate in PEM form has no characters outside ASCII: paste it without notes"
                " around it."
            )
        )
    try:
        trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)
    except InvalidConnection:
        raise ValidationError(
            _(
                "This is not a certificate in PEM form: paste the whole text from"
                " “-----BEGIN CERTIFICATE-----” to “-----END CERTIFICATE-----”."
            )
        ) from None
    return pem + "\n"


def _clean_repository_names(names: tuple[str, ...]) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(listed) > PATTERNS_LIMIT:
        raise ValidationError(
            _("At most %d repositories can be listed; use patterns.") % PATTERNS_LIMIT
        )
    wrong = [name for name in listed if not _is_name_or_pattern(name)]
    if wrong:
        raise ValidationError(
            ngettext(
                "%s is not a repository name or pattern, such as team-a/api or team-a/*.",
                "%s are not repository names or patterns, such as team-a/api or team-a/*.",
                len(wrong),
            )
            % ", ".join(f"“{name[:80]}”" for name in wrong[:5])
        )
    return listed


def _is_name_or_pattern(text: str) -> bool:
    return is_repository(text) or (len(text) <= PATTERN_LIMIT and bool(_PATTERN.fullmatch(text)))


def _clean_sync_interval(interval: timedelta | None) -> timedelta | None:
    if interval is not None and not SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
        raise ValidationError(_("Sync at least every 31 days and at most every minute."))
    return interval


def _clean_username(username: str) -> str:
    username = username.strip()
    if ":" in username:  # RFC 7617: the colon ends the user name
        raise ValidationError(_("A user name cannot hold a colon."))
    if len(username) > USERNAME_LIMIT:
        raise ValidationError(_("A user name has at most %d characters.") % USERNAME_LIMIT)
    return username


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "name": _clean_name,
    "url": _clean_url,
    "kind": _clean_kind,
    "public_host": _clean_public_host,
    "ca_certificate": _clean_ca_certificate,
    "repository_names": _clean_repository_names,
    "sync_interval": _clean_sync_interval,
    "username": _clean_username,
    "api_username": _clean_username,
}
