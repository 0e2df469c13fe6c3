"""What Azure tells of a registry, in Portolan's words. Pure: from answers to values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from registries.connectors.reports import NativeGrant, NativeWebhook, Usage, Warned
from registries.oci import untrusted

ADMIN_ON, ADMIN_OFF = "acr-admin-enabled", "acr-admin-disabled"
ANONYMOUS = "acr-anonymous-pull"

# What the roles mean for content ("Registry roles and permissions"), by the names they have in
# every subscription; their ids are read from the definitions.
_MEANING: Mapping[str, tuple[str, ...]] = {
    "Owner": ("pull", "push", "delete", "manage", "give roles"),
    "Contributor": ("pull", "push", "delete", "manage"),
    "Reader": ("pull",),
    "AcrPull": ("pull",),
    "AcrPush": ("pull", "push"),
    "AcrDelete": ("delete",),
    "AcrImageSigner": ("sign",),
    "Container Registry Repository Reader": ("pull",),
    "Container Registry Repository Writer": ("pull", "push"),
    "Container Registry Repository Contributor": ("pull", "push", "delete"),
    "Container Registry Repository Catalog Lister": ("list repositories",),
}
_BUDGETS = {"basic": 5_000, "standard": 5_000, "premium": 10_000}
_PROVIDER = "microsoft.containerregistry/"
_JOINT = re.compile("(?<=[a-z])(?=[A-Z])")


def facts_of(registry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return tier, place and switches, each a label and a word."""
    properties = untrusted.mapping(registry.get("properties"))
    found = [
        ("Service tier", untrusted.text(untrusted.mapping(registry.get("sku")).get("name"))),
        ("Location", untrusted.text(registry.get("location"))),
        ("Address", untrusted.text(properties.get("loginServer"))),
        ("Admin user", _on(properties.get("adminUserEnabled"))),
        ("Anonymous pull", _on(properties.get("anonymousPullEnabled"))),
        ("Public network access", untrusted.text(properties.get("publicNetworkAccess"))),
        ("Permissions", untrusted.text(properties.get("roleAssignmentMode"))),
    ]
    return tuple((label, value) for label, value in found if value)


def budget_of(registry: Mapping[str, Any]) -> int | None:
    """Return how many reads a minute one identity has in the tier, None for an unknown one."""
    return budget_of_tier(untrusted.text(untrusted.mapping(registry.get("sku")).get("name")) or "")


def budget_of_tier(tier: str) -> int | None:
    """Return the reads a minute by the tier's name (MicrosoftDocs: container-registry-skus.md)."""
    return _BUDGETS.get(tier.strip().lower())


def warnings_of(registry: Mapping[str, Any]) -> tuple[Warned, ...]:
    """Return what is better changed."""
    properties = untrusted.mapping(registry.get("properties"))
    warnings = []
    if properties.get("adminUserEnabled") is True:
        warnings.append(
            Warned(
                ADMIN_ON,
                "The admin user is on: one password, shared by all who know it, may do everything"
                " and says nothing of who did it.",
            )
        )
    if properties.get("anonymousPullEnabled") is True:
        warnings.append(Warned(ANONYMOUS, "Anybody may pull everything without signing in."))
    return tuple(warnings)


def offers_of(registry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which way the admin user can be switched now."""
    state = untrusted.mapping(registry.get("properties")).get("adminUserEnabled")
    if not isinstance(state, bool):
        return ()
    return (ADMIN_ON,) if state else (ADMIN_OFF,)


def usage_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Usage, ...]:
    """Return figures against their limits; storage in bytes. Azure's figures lag behind."""
    found = []
    for entry in entries:
        name, used = untrusted.text(entry.get("name")), untrusted.size(entry.get("currentValue"))
        if name is None or used is None:
            continue
        is_bytes = (untrusted.text(entry.get("unit")) or "").lower() == "bytes"
        limit = untrusted.size(entry.get("limit"))
        unit: Any = "bytes" if is_bytes else "count"
        label = "Storage" if name == "Size" else _JOINT.sub(" ", name).capitalize()
        found.append(Usage(label, used, limit or None, unit))
    return tuple(found)


def webhook_of(entry: Mapping[str, Any]) -> NativeWebhook | None:
    """Return a webhook, None for an entry without a name; Azure tells no address in its list."""
    name = untrusted.text(entry.get("name"))
    if name is None:
        return None
    properties = untrusted.mapping(entry.get("properties"))
    return NativeWebhook(
        id=name,
        name=name,
        address=untrusted.text(properties.get("serviceUri")) or "",
        events=untrusted.texts(properties.get("actions")),
        scope=untrusted.text(properties.get("scope")) or "",
        enabled=properties.get("status") != "disabled",
    )


def grants_of_tokens(
    tokens: Iterable[Mapping[str, Any]], scope_maps: Iterable[Mapping[str, Any]]
) -> tuple[NativeGrant, ...]:
    """Return the rights of the registry's tokens, one for each repository or pattern of a map."""
    actions = {
        str(untrusted.text(it.get("id")) or "").lower(): untrusted.texts(
            untrusted.mapping(it.get("properties")).get("actions")
        )
        for it in scope_maps
    }
    grants: list[NativeGrant] = []
    for token in tokens:
        properties = untrusted.mapping(token.get("properties"))
        used = untrusted.text(properties.get("scopeMapId")) or ""
        rights = _by_repository(actions.get(used.lower(), ()))
        for scope, allowed in (rights or {"what its scope map names": []}).items():
            grants.append(
                NativeGrant(
                    principal=untrusted.text(token.get("name")) or "?",
                    principal_kind="token",
                    role=used.rpartition("/")[2],
                    scope=scope,
                    source="scope map",
                    actions=tuple(allowed),
                    ends=_last_end(properties.get("credentials")),
                    enabled=properties.get("status") != "disabled",
                )
            )
    return tuple(grants)


def grants_of_roles(
    assignments: Iterable[Mapping[str, Any]], definitions: Iterable[Mapping[str, Any]]
) -> tuple[NativeGrant, ...]:
    """Return the roles that say something about registries, with who has them and where.

    Azure names people and applications by their object's id here, not by their names.
    """
    roles = {
        (untrusted.text(it.get("name")) or "").lower(): untrusted.mapping(it.get("properties"))
        for it in definitions
    }
    grants: list[NativeGrant] = []
    for assignment in assignments:
        given = untrusted.mapping(assignment.get("properties"))
        role_id = (untrusted.text(given.get("roleDefinitionId")) or "").rpartition("/")[2].lower()
        role = roles.get(role_id, {})
        name = untrusted.text(role.get("roleName")) or role_id
        actions = _MEANING.get(name) or _about_registries(role)
        if not actions:
            continue
        grants.append(
            NativeGrant(
                principal=untrusted.text(given.get("principalId")) or "?",
                principal_kind=_kind(given.get("principalType")),
                role=name,
                scope=_place(given),
                source="role assignment",
                actions=tuple(actions),
            )
        )
    return tuple(grants)


def grants_of_admin(registry: Mapping[str, Any]) -> tuple[NativeGrant, ...]:
    """Return what the admin user may do, if it is on."""
    if untrusted.mapping(registry.get("properties")).get("adminUserEnabled") is not True:
        return ()
    name = untrusted.text(registry.get("name")) or "admin"
    everything = ("pull", "push", "delete")
    return (NativeGrant(name, "admin user", "admin user", "everything", "password", everything),)


def answer_to(event_id: str, events: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the status that a webhook's event was answered with, None if that is not known yet."""
    for event in events:
        if event.get("id") == event_id:
            said = untrusted.mapping(event.get("eventResponseMessage")).get("statusCode")
            text = str(said)
            return int(text) if text.isascii() and text.isdigit() and len(text) == 3 else None
    return None


def _by_repository(actions: Sequence[str]) -> dict[str, list[str]]:
    """Return the verbs by repository, of `repositories/team-a/*/content/read` and the like."""
    found: dict[str, list[str]] = {}
    for action in actions:
        parts = action.split("/")
        if len(parts) >= 4 and parts[0] == "repositories":
            found.setdefault("/".join(parts[1:-2]), []).append("/".join(parts[-2:]))
        else:
            found.setdefault("the registry", []).append(action)
    return found


def _about_registries(role: Mapping[str, Any]) -> list[str]:
    """Return what a role of the company's own allows with registries."""
    return [
        action
        for permission in untrusted.objects(role.get("permissions"))
        for key in ("actions", "dataActions")
        for action in untrusted.texts(permission.get(key))
        if action == "*" or action.lower().startswith(_PROVIDER)
    ][:20]


def _place(given: Mapping[str, Any]) -> str:
    scope = untrusted.text(given.get("scope")) or ""
    lowered = scope.lower()
    if "/microsoft.containerregistry/" in lowered:
        place = "this registry"
    elif "/resourcegroups/" in lowered:
        place = f"resource group {scope.rpartition('/')[2]}"
    elif lowered.startswith("/subscriptions/"):
        place = "the subscription"
    else:
        place = "a management group" if "managementgroups" in lowered else "the whole tenant"
    return f"{place}, where its condition holds" if given.get("condition") else place


def _kind(value: object) -> str:
    kinds = {"ServicePrincipal": "service principal", "User": "user", "Group": "group"}
    said = untrusted.text(value) or "principal"
    return kinds.get(said, said)


def _last_end(credentials: object) -> str:
    """Return when the last password of a token ends, empty if one never does."""
    passwords = list(untrusted.objects(untrusted.mapping(credentials).get("passwords")))
    ends = [untrusted.moment(it.get("expiry")) for it in passwords]
    known = [end for end in ends if end is not None]
    return max(known).isoformat() if known and len(known) == len(ends) else ""


def _on(value: object) -> str | None:
    return ("On" if value else "Off") if isinstance(value, bool) else None
