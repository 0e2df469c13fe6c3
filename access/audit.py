"""The audit log: every change of access and registries, who made it, from where, old and new.

A receiver of `registries.events.emit`: entries are inserted in the transaction of the change, or
neither happens. The database numbers them and chains each to the one before (migration 0003).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from access import events as access
from access import origin
from registries import events
from registries.actor import Actor
from registries.events import Event

# What each audited event is about, in its own fields' words. What is not here is not audited:
# tags that move have a history of their own.
TARGETS: dict[type[Event], str] = {
    events.RegistryConnected: "{registry}",
    events.RegistryChanged: "{registry}",
    events.RegistryRemoved: "{registry}",
    events.VendorSettingChanged: "{registry}",
    events.VendorWebhookCreated: "{registry} {webhook}",
    events.VendorWebhookRemoved: "{registry} {webhook}",
    events.TagTakenAway: "{repository}:{tag}",
    events.ImageDeleted: "{repository}@{old_digest}",
    events.RepositoryDeleted: "{repository}",
    events.LocksChanged: "{repository}{part}",
    events.ChangeRefused: "{repository}",
    events.MirrorCreated: "{mirror}",
    events.MirrorChanged: "{mirror}",
    events.MirrorRemoved: "{mirror}",
    access.AccessGranted: "{principal} {role} {scope}",
    access.AccessRevoked: "{principal} {role} {scope}",
    access.RoleCreated: "{role}",
    access.RoleChanged: "{role}",
    access.RoleRemoved: "{role}",
    access.TeamCreated: "team:{team}",
    access.TeamChanged: "team:{team}",
    access.TeamRemoved: "team:{team}",
    access.MemberAdded: "team:{team} user:{user}",
    access.MemberRemoved: "team:{team} user:{user}",
    access.MachineCreated: "sp:{machine}",
    access.MachineChanged: "sp:{machine}",
    access.MachineRemoved: "sp:{machine}",
    access.SecretCreated: "{owner} {key_id}",
    access.SecretRevoked: "{owner} {key_id}",
    access.SecretEnds: "{owner} {key_id}",
    access.CredentialExpiring: "{owner} {key_id}",
    access.TrustRuleCreated: "{rule} sp:{machine}",
    access.TrustRuleChanged: "{rule} sp:{machine}",
    access.TrustRuleRemoved: "{rule} sp:{machine}",
    access.AdminAccountSwitched: "admin:{registry}",
    access.AdminAccountUsed: "admin:{registry}",
    access.TokenRefused: "{account}",
    access.SecretRefused: "{account}",
    access.TokenExchanged: "{rule} sp:{machine}",
    access.ExchangeRefused: "{issuer} {subject} {rule}",
    access.SignedIn: "user:{user}",
    access.SignInFailed: "{account}",
    access.SignedOut: "user:{user}",
    access.PersonInvited: "user:{user}",
    access.PersonChanged: "user:{user}",
    access.AccessRequested: "user:{user} {role} {scope}",
    access.RequestAnswered: "user:{user} {role} {scope}",
    access.ReviewOpened: "{scope}",
    access.ReviewDecided: "{principal} {role} {scope}",
    access.ReviewClosed: "{scope}",
    access.SigningKeyMade: "{kid}",
    access.SigningKeyRetired: "{kid}",
    access.LogTrimmed: "{log}",
}

_INSERT = """
    INSERT INTO access_auditentry (
        at, actor_kind, actor_id, actor_label, way, address, agent, event, registry, target, old, new)
    VALUES (clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# A value longer than this is cut: the log tells what changed, it is no store.
VALUE_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What an event tells the log."""

    event: str
    registry: str
    target: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


def also(targets: Mapping[type[Event], str]) -> None:
    """Audit these events of an app above this one, too."""
    TARGETS.update(targets)


def record(events: Sequence[Event], actor: Actor, **_signal: object) -> None:
    """Insert entries for those of the events that are audited."""
    entries = [told for event in events if (told := tell(event)) is not None]
    if not entries:
        return
    here = origin.current()
    with connection.cursor() as cursor:
        for told in entries:
            cursor.execute(
                _INSERT,
                [
                    actor.kind,
                    _clean(actor.id)[:255],
                    _clean(actor.label)[:255],
                    here.way,
                    here.address,
                    _clean(here.agent)[:255],
                    told.event,
                    _clean(told.registry)[:63],
                    _clean(told.target)[:512],
                    json.dumps(told.old) if told.old else None,
                    json.dumps(told.new) if told.new else None,
                ],
            )


def tell(event: Event) -> Told | None:
    """An event as the log keeps it, None if it does not."""
    pattern = TARGETS.get(type(event))
    if pattern is None:
        return None
    fields = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)
        if field.name != "at"
    }
    old, new = _before_and_after(fields)
    target = pattern.format(**fields).strip()
    return Told(name_of(type(event)), event.registry, target, old, new)


def name_of(event: type[Event]) -> str:
    """`AccessGranted` as "access granted"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", event.__name__).lower()


def _before_and_after(
    fields: Mapping[str, Any],
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Fields by what they say: `old…` of before, all others of after."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "registry":
            continue
        if name == "changes":  # of a registry: (setting, old, new)
            old.update({setting: _plain(before) for setting, before, _after in value})
            new.update({setting: _plain(after) for setting, _before, after in value})
        elif name in ("old", "new"):
            (old if name == "old" else new).update(_plain(value))
        elif name.startswith("old_"):
            old[name.removeprefix("old_")] = _plain(value)
        elif value != "":
            new[name.removeprefix("new_")] = _plain(value)
    return old or None, new or None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _clean(value)[:VALUE_LIMIT] if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Without what Postgres cannot store, and without what forges lines in an export."""
    return "".join(character if character.isprintable() else "�" for character in text)
