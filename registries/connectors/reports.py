"""What a vendor tells of a registry besides its content: who has access there, quotas, webhooks.

Values that are stored as JSON and shown beside Portolan's own; nothing in Portolan decides by them.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class NativeGrant:
    """One right given at the registry itself.

    `principal_kind` is the vendor's word (user, group, robot, token, service principal), `source`
    what it came from (role assignment, member, scope map), `scope` what it holds for there. `actions`
    are the vendor's own words, `ends` an RFC 3339 time or empty.
    """

    principal: str
    principal_kind: str
    role: str
    scope: str
    source: str
    actions: tuple[str, ...] = ()
    ends: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """A figure against its limit; None for no limit. `unit` is bytes or count."""

    name: str
    used: int
    limit: int | None
    unit: Literal["bytes", "count"] = "count"
    scope: str = ""


@dataclass(frozen=True, slots=True)
class NativeWebhook:
    """A webhook that is set up at the registry; `address` may be empty where it is not told."""

    id: str
    name: str
    address: str
    events: tuple[str, ...]
    scope: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to look at: a code for what can be done about it, and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that a vendor tells; what the credential may not read is named in `unread`, a sentence each.

    `offers` are codes of `Connector.remedies` that can be done now. `requests_per_minute` is what the
    vendor grants this registry, where that is told; it becomes `Connection.vendor_budget`.
    """

    facts: tuple[tuple[str, str], ...] = ()
    usage: tuple[Usage, ...] = ()
    access: tuple[NativeGrant, ...] = ()
    webhooks: tuple[NativeWebhook, ...] = ()
    warnings: tuple[Warned, ...] = ()
    unread: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    requests_per_minute: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain lists and dicts."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """Return the report that `as_json` made."""
        return cls(
            facts=tuple((label, value) for label, value in data.get("facts", ())),
            usage=tuple(Usage(**each) for each in data.get("usage", ())),
            access=tuple(
                NativeGrant(**{**each, "actions": tuple(each["actions"])})
                for each in data.get("access", ())
            ),
            webhooks=tuple(
                NativeWebhook(**{**each, "events": tuple(each["events"])})
                for each in data.get("webhooks", ())
            ),
            warnings=tuple(Warned(**each) for each in data.get("warnings", ())),
            unread=tuple(data.get("unread", ())),
            offers=tuple(data.get("offers", ())),
            requests_per_minute=data.get("requests_per_minute"),
        )


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """The webhook that notifies Portolan: where to, and the secret that it brings along.

    `authorization` is the value of the Authorization header where the vendor can send one, `secret`
    what those sign with that sign as GitHub does; `address_with_secret` is for those that can do
    neither. `project` is the part of the registry it is for, where the vendor has one for each.
    """

    name: str
    address: str
    authorization: str = field(repr=False)
    address_with_secret: str = field(repr=False)
    project: str = ""
    secret: str = field(default="", repr=False)
