"""Mirrors: made, changed, removed. Whoever calls has asked whether the actor may do so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.actor import Actor
from registries.events import Event, MirrorChanged, MirrorCreated, MirrorRemoved, emit
from registries.models import Mirror, Registry
from registries.transactions import durable

TAGS_LIMIT = 128
BELOW = "/*"
# What tags are made of (OCI Distribution 1.1, "Pulling manifests"), and two wildcards.
_TAGS = re.compile(r"[a-zA-Z0-9._*?-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings:
    """What is compared with what: a path is empty for a whole registry, `library/*`, or exact."""

    source: Registry
    source_path: str
    target: Registry
    target_path: str
    tags: str = ""


def cleaned(settings: MirrorSettings) -> MirrorSettings:
    """The same settings in their stored form; raises ValidationError by the field's name."""
    tags = settings.tags.strip()
    if tags == "*":
        tags = ""
    if tags and (len(tags) > TAGS_LIMIT or not _TAGS.fullmatch(tags)):
        raise ValidationError(
            {"tags": _("“%s” is no pattern of tags, such as v1.* or *-alpine.") % tags[:80]}
        )
    if is_pattern(settings.source_path) != is_pattern(settings.target_path):
        raise ValidationError(
            {
                "target": _(
                    "Either both are one repository, or both end with a star: what it stands for is"
                    " the same on both sides."
                )
            }
        )
    if (settings.source, settings.source_path) == (settings.target, settings.target_path):
        raise ValidationError({"target": _("These are the same place.")})
    return replace(settings, tags=tags)


def is_pattern(path: str) -> bool:
    """Whether a path stands for many repositories: it ends with a star, or is a whole registry."""
    return not path or path.endswith(BELOW)


@durable
def create_mirror(settings: MirrorSettings, *, actor: Actor) -> Mirror:
    """Raises ValidationError for settings that make no sense, or that a mirror has already."""
    settings = cleaned(settings)
    made = Mirror(actor_kind=actor.kind, actor_id=actor.id, actor_label=actor.label)
    _fill(made, settings)
    _save(made)
    event = MirrorCreated(_registry(made), timezone.now(), str(made), _told(made))
    emit([event], actor=actor)
    return made


@durable
def change_mirror(mirror: Mirror, settings: MirrorSettings, *, actor: Actor) -> Mirror:
    """Raises as `create_mirror`; where nothing differs, nothing happened."""
    settings = cleaned(settings)
    mirror = _locked(mirror)
    name, registry, old = str(mirror), _registry(mirror), _told(mirror)
    _fill(mirror, settings)
    if new := _differences(old, _told(mirror)):
        _save(mirror)
        # Who audits one registry alone reads of none where another comes into it.
        about = registry if registry == _registry(mirror) else ""
        before = {key: old[key] for key in new}
        emit([MirrorChanged(about, timezone.now(), name, before, new)], actor=actor)
    return mirror


@durable
def remove_mirror(mirror: Mirror, *, actor: Actor) -> None:
    """Compare them no more; what the registries hold is not touched."""
    mirror = _locked(mirror)
    event: Event = MirrorRemoved(_registry(mirror), timezone.now(), str(mirror), _told(mirror))
    mirror.delete()
    emit([event], actor=actor)


def _locked(mirror: Mirror) -> Mirror:
    found = Mirror.objects.select_related("source", "target").select_for_update(of=("self",))
    return found.get(pk=mirror.pk)


def _fill(mirror: Mirror, settings: MirrorSettings) -> None:
    mirror.source, mirror.source_path = settings.source, settings.source_path
    mirror.target, mirror.target_path = settings.target, settings.target_path
    mirror.tags = settings.tags


def _save(mirror: Mirror) -> None:
    try:
        with transaction.atomic():
            mirror.save()
    except IntegrityError as error:
        if "mirror_once" not in str(error):
            raise
        raise ValidationError(_("These two are compared already.")) from None


def _registry(mirror: Mirror) -> str:
    """The registry that an event is about; none where it is about two."""
    return mirror.source.name if mirror.source_id == mirror.target_id else ""


def _told(mirror: Mirror) -> dict[str, str]:
    return {"source": mirror.source_text, "target": mirror.target_text, "tags": mirror.tags}


def _differences(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in new.items() if value != old[key]}
