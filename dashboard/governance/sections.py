"""The sections of a governance file, and what is said of each thing in them. Everything else
(reading, writing, comparing, the JSON Schema) follows from this table.

A thing is known by its key: renames do not exist. `members` and `claim_rules` stand in the file
inside their team, and are things of their own here, because they come and go one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from access.actions import Action
from access.principals import Principal
from access.scopes import Scope
from access.trust_rules import LIFETIME_MINUTES, LONGEST_LIFETIME_MINUTES
from dashboard.governance.kinds import (
    Choice,
    Choices,
    Flag,
    Kind,
    Moment,
    Named,
    Secret,
    Span,
    Text,
    Texts,
)
from registries.connectors import CONNECTORS
from registries.registry_settings import (
    LONGEST_INTERVAL,
    OPTION_LIMIT,
    SHORTEST_INTERVAL,
    RegistrySettings,
)
from webhooks.models import Subscription
from webhooks.subscription_settings import CHOOSABLE, NAME_LIMIT, Where

MINUTE = timedelta(minutes=1)
PEM_LIMIT = 200_000


@dataclass(frozen=True)
class Field:
    """One thing that is said. `default` is what holds where the file says nothing of it; what is
    `required` has none, and of a secret nothing said means that the stored one stays."""

    name: str
    kind: Kind
    about: str
    required: bool = False
    default: Any = ""
    # Told by an export, and read only where there is nothing better.
    hint: bool = False

    @property
    def is_secret(self) -> bool:
        return isinstance(self.kind, Secret) or (
            isinstance(self.kind, Named) and isinstance(self.kind.item, Secret)
        )


@dataclass(frozen=True)
class Section:
    """Things of one sort. `title` makes their name for people, of the values of `key`; `whole` is
    the field of a parent section that names all of them."""

    name: str
    about: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    title: str = "{0}"
    parent: str = ""
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.fields})

    def called(self, key: tuple[str, ...]) -> str:
        """What people call the thing with this key."""
        return self.title.format(*key)


def _scope(text: str) -> str:
    return str(Scope.parse(text))


def _place(text: str) -> str:
    """A scope in a registry: the end of a mirror."""
    scope = Scope.parse(text)
    if scope.registry is None:
        raise ValueError("Name the registry, such as harbour/team-a/*.")
    return str(scope)


def _principal(text: str) -> str:
    return str(Principal.parse(text))


def _where(text: str) -> str:
    return str(Where.parse(text))


NAME = Text(
    63, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "use lower-case letters, digits and single hyphens"
)
SLUG = Text(63, r"[-a-zA-Z0-9_]+", "use letters, digits, hyphens and underscores")
PERSON = Text(150)
LINE = Text(255, empty=True)
# What people write about a thing may have been pasted in several lines.
FREE = Text(255, lines=True, empty=True)
PEM = Text(PEM_LIMIT, lines=True, empty=True)
SCOPE = Text(400, parse=_scope)
DEFAULTS = RegistrySettings(name="", url="")

REGISTRIES = Section(
    "registries",
    "Connections to registries.",
    ("name",),
    (
        Field("name", NAME, "Part of addresses and of scopes.", required=True),
        Field("kind", Choice(tuple(CONNECTORS)), "What kind of registry it is.", required=True),
        Field("url", Text(), "Its address, such as https://registry.example.com.", required=True),
        Field(
            "options",
            Named(Text(OPTION_LIMIT)),
            "Settings of its kind; docs/registries.md lists them.",
            default={},
        ),
        Field("public_host", LINE, "The host in pull commands, if people know it by another."),
        Field("allow_private", Flag(), "Private addresses and plain http.", default=False),
        Field("ca_certificate", PEM, "Certificates to trust besides the usual ones, in PEM form."),
        Field(
            "repositories",
            Texts(Text(), ordered=True),
            "Names or patterns; none for the whole catalog.",
            default=(),
        ),
        Field(
            "sync_every",
            Span(SHORTEST_INTERVAL, LONGEST_INTERVAL, never=True),
            "How often it is synced; never: when somebody asks.",
            default=DEFAULTS.sync_interval,
        ),
        Field("username", LINE, "Whom Portolan signs in as."),
        Field("password", Secret(), "env:NAME or file:PATH; left out, the stored one stays."),
        Field("api_username", LINE, "For the vendor's own API, where a kind has a second account."),
        Field("api_secret", Secret(), "env:NAME or file:PATH; left out, the stored one stays."),
    ),
)
ROLES = Section(
    "roles",
    "Roles of one's own; the built-in ones are everywhere.",
    ("name",),
    (
        Field("name", SLUG, "What grants call it.", required=True),
        Field("label", Text(63), "What screens call it.", required=True),
        Field("description", FREE, "What it is for."),
        Field(
            "actions",
            Choices(tuple(action.text for action in Action)),
            "What it allows.",
            required=True,
        ),
    ),
)
TEAMS = Section(
    "teams",
    "Teams, and who is in them.",
    ("name",),
    (
        Field("name", SLUG, "What grants call it, as team:NAME.", required=True),
        Field("description", FREE, "Who they are."),
    ),
)
MEMBERS = Section(
    "members",
    "People in a team, by user name; maintainers may add and remove others.",
    ("team", "user"),
    (
        Field("team", SLUG, "", required=True),
        Field("user", PERSON, "", required=True),
        Field("maintainer", Flag(), "", default=False),
    ),
    title="{1} in {0}",
    parent="teams",
)
CLAIM_RULES = Section(
    "claim_rules",
    "Whoever signs in through a provider with this value in this claim belongs to the team.",
    ("team", "provider", "claim", "value"),
    (
        Field("team", SLUG, "", required=True),
        Field("provider", Text(64), "The sign-on provider's name.", required=True),
        Field("claim", Text(64), "Such as groups.", required=True),
        Field("value", Text(), "What the claim has to hold.", required=True),
    ),
    title="{1} {2}={3} into {0}",
    parent="teams",
)
SERVICE_PRINCIPALS = Section(
    "service_principals",
    "Machines that sign in; their secrets are made on screen or by command.",
    ("name",),
    (
        Field("name", NAME, "What it signs in as.", required=True),
        Field("description", FREE, "What it is."),
        Field("team", Text(63, SLUG.pattern, SLUG.hint), "The team that owns it."),
        Field("disabled", Flag(), "It may do nothing, until enabled.", default=False),
    ),
)
TRUST_RULES = Section(
    "trust_rules",
    "Whose tokens of a CI system are exchanged for a machine's short-lived secret.",
    ("name",),
    (
        Field("name", NAME, "", required=True),
        Field("service_principal", NAME, "The machine.", required=True),
        Field("issuer", Text(), "The CI system's address.", required=True),
        Field("audience", Text(), "For whom the token was made.", required=True),
        Field("subject", Text(512), "Whose job, such as repo:acme/shop:*.", required=True),
        Field(
            "lifetime",
            Span(MINUTE, LONGEST_LIFETIME_MINUTES * MINUTE),
            "How long the secret lives.",
            default=LIFETIME_MINUTES * MINUTE,
        ),
        Field("allow_private", Flag(), "The issuer is on a private network.", default=False),
        Field("ca_certificate", PEM, "Certificates to trust for the issuer, in PEM form."),
        Field("disabled", Flag(), "It takes no token, until enabled.", default=False),
    ),
)
GRANTS = Section(
    "grants",
    "Who has which role where.",
    ("principal", "role", "scope"),
    (
        Field(
            "principal",
            Text(200, parse=_principal),
            "user:NAME, team:NAME, sp:NAME, or anonymous.",
            required=True,
        ),
        Field("role", SLUG, "A built-in role or one's own.", required=True),
        Field(
            "scope",
            SCOPE,
            "*, REGISTRY, REGISTRY/team/* or REGISTRY/team/app.",
            required=True,
        ),
        Field("until", Moment(), "Its end: a day (with all of it) or a moment.", default=None),
        Field("reason", FREE, "For who reviews it, and for the audit log."),
    ),
    title="{0} is {1} on {2}",
)
MIRRORS = Section(
    "mirrors",
    "Places that should hold the same.",
    ("source", "target", "tags"),
    (
        Field("source", Text(400, parse=_place), "Such as hub/library/*.", required=True),
        Field("target", Text(400, parse=_place), "Its copy, such as prod/hub/*.", required=True),
        Field("tags", Text(128, empty=True), "Only tags of this pattern, such as v1.*."),
    ),
    title="{0} → {1} {2}",
)
ADMIN_ACCOUNTS = Section(
    "admin_accounts",
    "Registries whose shared admin account is switched on; its passwords are made on screen.",
    ("registry",),
    (
        Field("registry", NAME, "", required=True),
        Field("enabled", Flag(), "Whether its passwords work.", default=True),
    ),
)
WEBHOOKS = Section(
    "webhooks",
    "Who is told what. The signing secret is made with it, and shown by the apply that makes it.",
    ("name", "where"),
    (
        Field("name", Text(NAME_LIMIT), "What people call it.", required=True),
        Field(
            "where",
            Text(500, parse=_where),
            "A scope, with tags behind a colon: harbour/team/app:v1.*.",
            required=True,
        ),
        Field(
            "topics",
            Choices(tuple(topic.value for topic in CHOOSABLE)),
            "What is sent.",
            required=True,
        ),
        Field("payload", Choice(tuple(Subscription.Form.values)), "In which form.", required=True),
        Field("team", Text(63, SLUG.pattern, SLUG.hint), "Who is told when it stops."),
        Field("paused", Flag(), "What happens is held back.", default=False),
        Field(
            "host",
            Text(270, r"[^\s/]+", "write the host alone"),
            "Where it sends to, as an export tells it; the address itself is a secret.",
            hint=True,
        ),
        Field("url", Secret(literal=True), "env:NAME, file:PATH or https://…; left out: it stays."),
        Field(
            "headers",
            Named(Secret(literal=True)),
            "Headers of one's own, such as Authorization: env:NAME; left out: they stay.",
        ),
    ),
    title="{0} on {1}",
)

# In the order in which things are made: nothing names what comes after it.
SECTIONS = {
    section.name: section
    for section in (
        REGISTRIES,
        MIRRORS,
        ROLES,
        TEAMS,
        MEMBERS,
        CLAIM_RULES,
        SERVICE_PRINCIPALS,
        TRUST_RULES,
        GRANTS,
        ADMIN_ACCOUNTS,
        WEBHOOKS,
    )
}
# What a file has at its top, in its order.
TOP = tuple(name for name, section in SECTIONS.items() if not section.parent)
