"""What happened to access: the same kind of values as `registries.events`, emitted the same way.

`registry` is empty where the change is not about one registry. Fields named `old_…` and `new_…`
are what the audit log shows as before and after; nothing secret is ever put into an event.
"""

from __future__ import annotations

from dataclasses import dataclass

from registries.events import Event


@dataclass(frozen=True, slots=True)
class AccessGranted(Event):
    principal: str
    role: str
    scope: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessRevoked(Event):
    principal: str
    role: str
    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoleCreated(Event):
    role: str
    new_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleChanged(Event):
    role: str
    old_actions: tuple[str, ...]
    new_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRemoved(Event):
    role: str
    old_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamCreated(Event):
    team: str
    new_description: str


@dataclass(frozen=True, slots=True)
class TeamChanged(Event):
    team: str
    old_description: str
    new_description: str


@dataclass(frozen=True, slots=True)
class TeamRemoved(Event):
    team: str


@dataclass(frozen=True, slots=True)
class MemberAdded(Event):
    """`because` says how: by whom is the actor, by which sign-on provider is here."""

    team: str
    user: str
    is_maintainer: bool
    because: str


@dataclass(frozen=True, slots=True)
class MemberRemoved(Event):
    team: str
    user: str
    because: str


@dataclass(frozen=True, slots=True)
class MachineCreated(Event):
    machine: str
    new_team: str


@dataclass(frozen=True, slots=True)
class MachineChanged(Event):
    machine: str
    old: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class MachineRemoved(Event):
    machine: str


@dataclass(frozen=True, slots=True)
class SecretCreated(Event):
    """`owner` is user:NAME, sp:NAME or admin:REGISTRY; `key_id` is the part that may be seen."""

    owner: str
    key_id: str
    secret_kind: str
    expires: str


@dataclass(frozen=True, slots=True)
class SecretRevoked(Event):
    owner: str
    key_id: str
    secret_kind: str


@dataclass(frozen=True, slots=True)
class SecretEnds(Event):
    """Somebody gave it an end, or an earlier one: it was replaced, and works on for a while."""

    owner: str
    key_id: str
    old_expires: str
    new_expires: str


@dataclass(frozen=True, slots=True)
class CredentialExpiring(Event):
    """It ends in at most so many days. Told once for each of `expiring.THRESHOLDS`."""

    owner: str
    key_id: str
    secret_kind: str
    label: str
    expires: str
    days: int


@dataclass(frozen=True, slots=True)
class TrustRuleCreated(Event):
    rule: str
    machine: str
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class TrustRuleChanged(Event):
    rule: str
    machine: str
    old: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class TrustRuleRemoved(Event):
    rule: str
    machine: str
    old: dict[str, str]


@dataclass(frozen=True, slots=True)
class AdminAccountSwitched(Event):
    new_enabled: bool


@dataclass(frozen=True, slots=True)
class AdminAccountUsed(Event):
    key_id: str
    asked: str


@dataclass(frozen=True, slots=True)
class TokenRefused(Event):
    """A docker token that was not issued, or with less than was asked; `account` as it was given."""

    account: str
    asked: str
    because: str


@dataclass(frozen=True, slots=True)
class SecretRefused(Event):
    """A secret that the REST API did not take; `account` is the name it came with, if with one."""

    account: str
    because: str


@dataclass(frozen=True, slots=True)
class TokenExchanged(Event):
    """A CI system's token was exchanged for a machine's short-lived secret."""

    rule: str
    machine: str
    subject: str
    key_id: str
    expires: str


@dataclass(frozen=True, slots=True)
class ExchangeRefused(Event):
    """A CI system's token was not taken. Without a rule nobody vouches for issuer and subject:
    they are what the token says."""

    rule: str
    machine: str
    issuer: str
    subject: str
    because: str


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    user: str
    method: str


@dataclass(frozen=True, slots=True)
class SignInFailed(Event):
    """`account` is what was typed, cut short: people type passwords into the wrong field."""

    account: str


@dataclass(frozen=True, slots=True)
class SignedOut(Event):
    user: str


@dataclass(frozen=True, slots=True)
class PersonInvited(Event):
    user: str
    email: str


@dataclass(frozen=True, slots=True)
class PersonChanged(Event):
    user: str
    old: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class AccessRequested(Event):
    user: str
    role: str
    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestAnswered(Event):
    user: str
    role: str
    scope: str
    new_state: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReviewOpened(Event):
    scope: str
    due: str
    grants: int


@dataclass(frozen=True, slots=True)
class ReviewDecided(Event):
    principal: str
    role: str
    scope: str
    new_decision: str


@dataclass(frozen=True, slots=True)
class ReviewClosed(Event):
    scope: str
    confirmed: int
    removed: int
    undecided: int


@dataclass(frozen=True, slots=True)
class SigningKeyMade(Event):
    kid: str
    signs_from: str


@dataclass(frozen=True, slots=True)
class SigningKeyRetired(Event):
    """It signs until then; its last tokens end a little later."""

    kid: str
    signs_until: str


@dataclass(frozen=True, slots=True)
class LogTrimmed(Event):
    """Whole months of a log were dropped, as they were older than the setting lets them grow."""

    log: str
    before: str
    entries: int
