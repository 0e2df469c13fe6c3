"""The built-in roles, and making, changing and removing one's own.

Named as in Azure Container Registry where it has the same: Puller is AcrPull, Pusher AcrPush,
Deleter AcrDelete, Signer AcrImageSigner (there, too, given beside the right to push), Catalog Lister
"Container Registry Repository Catalog Lister".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from access.actions import ALL, Action, texts
from access.events import RoleChanged, RoleCreated, RoleRemoved
from access.models import Role
from access.policy import Rights
from access.scopes import EVERYTHING
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable

_SEEING = frozenset({Action.REGISTRY_READ, Action.CATALOG_LIST, Action.METADATA_READ})
_PULLING = frozenset({Action.CONTENT_READ, Action.METADATA_READ})


@dataclass(frozen=True, slots=True)
class BuiltIn:
    name: str
    label: str
    description: str
    actions: frozenset[Action]


BUILT_IN = (
    BuiltIn(
        "owner",
        gettext_noop("Owner"),
        gettext_noop("Everything, granting access included."),
        ALL,
    ),
    BuiltIn(
        "contributor",
        gettext_noop("Contributor"),
        gettext_noop("Everything but granting access and reading the audit log."),
        ALL - {Action.ACCESS_MANAGE, Action.AUDIT_READ},
    ),
    BuiltIn(
        "reader",
        gettext_noop("Reader"),
        gettext_noop("Browse and pull, and nothing else."),
        _SEEING | _PULLING,
    ),
    BuiltIn(
        "puller",
        gettext_noop("Puller"),
        gettext_noop("Pull, for machines that run images (AcrPull)."),
        _PULLING,
    ),
    BuiltIn(
        "pusher",
        gettext_noop("Pusher"),
        gettext_noop("Pull and push, for pipelines (AcrPush)."),
        _PULLING | {Action.CONTENT_WRITE},
    ),
    BuiltIn(
        "deleter",
        gettext_noop("Deleter"),
        gettext_noop("Delete tags, images and repositories (AcrDelete)."),
        frozenset({Action.CONTENT_DELETE, Action.METADATA_READ}),
    ),
    BuiltIn(
        "signer",
        gettext_noop("Signer"),
        gettext_noop("Sign images; pushing the signature needs Pusher beside it (AcrImageSigner)."),
        _PULLING | {Action.CONTENT_SIGN},
    ),
    BuiltIn(
        "catalog-lister",
        gettext_noop("Catalog Lister"),
        gettext_noop("List repositories and tags, without looking into them."),
        frozenset({Action.CATALOG_LIST}),
    ),
    BuiltIn(
        "auditor",
        gettext_noop("Auditor"),
        gettext_noop("Browse everything and read the audit log; pull nothing."),
        _SEEING | {Action.AUDIT_READ},
    ),
)


def ensure_built_in(**_kwargs: object) -> None:
    """After each migration: the built-in roles are there, as this version defines them."""
    for role in BUILT_IN:
        Role.objects.update_or_create(
            name=role.name,
            defaults={
                "label": role.label,
                "description": role.description,
                "actions": texts(role.actions),
                "is_built_in": True,
            },
        )


@durable
def create_role(
    *,
    name: str,
    label: str,
    description: str,
    actions: Iterable[Action],
    rights: Rights,
    actor: Actor,
) -> Role:
    """A custom role. Raises ValidationError for bad fields, PermissionDenied for who may not."""
    wanted = frozenset(actions)
    _authorise(rights, wanted)
    role = Role(name=name, label=label, description=description, actions=texts(wanted))
    role.full_clean()
    role.save(force_insert=True)
    created = RoleCreated("", timezone.now(), role.name, tuple(role.actions))
    emit([created], actor=actor)
    return role


@durable
def change_role(
    role: Role,
    *,
    label: str,
    description: str,
    actions: Iterable[Action],
    rights: Rights,
    actor: Actor,
) -> Role:
    """A custom role with other words or actions, at once for everybody who has it."""
    role = Role.objects.select_for_update().get(pk=role.pk)
    _refuse_built_in(role)
    wanted = frozenset(actions)
    # Who has the role gets what is new in it: that is granting.
    _authorise(rights, wanted | role.allowed)
    old = tuple(role.actions)
    role.label, role.description, role.actions = label, description, texts(wanted)
    role.full_clean()
    role.save(update_fields=["label", "description", "actions"])
    changed = RoleChanged("", timezone.now(), role.name, old, tuple(role.actions))
    emit([changed], actor=actor)
    return role


@durable
def remove_role(role: Role, *, rights: Rights, actor: Actor) -> None:
    """Raises ValidationError while somebody has it."""
    role = Role.objects.select_for_update().get(pk=role.pk)
    _refuse_built_in(role)
    _authorise(rights, frozenset())
    try:
        role.delete()
    except ProtectedError:
        raise ValidationError(
            _("Somebody still has the role %s: revoke its grants first.") % role.label
        ) from None
    emit([RoleRemoved("", timezone.now(), role.name, tuple(role.actions))], actor=actor)


def lets_grant_more(role: Role, actions: Iterable[Action], rights: Rights) -> bool:
    """Whether whoever has this role could grant in turn once it allows these actions, where he could
    not, or not so much. Raises PermissionDenied for who may not change it so."""
    if role.is_built_in:
        return False  # nor will it ever be changed
    wanted = frozenset(actions)
    _authorise(rights, wanted | role.allowed)
    return Action.ACCESS_MANAGE in wanted and not wanted <= role.allowed


def _authorise(rights: Rights, actions: frozenset[Action]) -> None:
    for action in (Action.ACCESS_MANAGE, *actions):
        rights.require(action, EVERYTHING)


def _refuse_built_in(role: Role) -> None:
    if role.is_built_in:
        raise ValidationError(_("Built-in roles are the same everywhere and cannot be changed."))
