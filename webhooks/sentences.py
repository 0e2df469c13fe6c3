"""Events in the words of mails and feeds."""

from __future__ import annotations

from django.utils.translation import gettext as _

from webhooks.catalog import Topic
from webhooks.models import Event

SHORT = 12


def place_of(event: Event) -> str:
    """`harbour/team-a/app`, or the registry alone."""
    return f"{event.registry}/{event.repository}" if event.repository else event.registry


def sentence_of(event: Event) -> str:
    """What happened, without where: "tag 1.0 moved from 0123456789ab to ba9876543210"."""
    values = {
        "tag": event.tag,
        "new": _short(event.digest),
        "old": _short(event.old_digest),
    }
    match event.topic:
        case Topic.TAG_CREATED:
            return _("tag %(tag)s created, at %(new)s") % values
        case Topic.TAG_MOVED:
            return _("tag %(tag)s moved from %(old)s to %(new)s") % values
        case Topic.TAG_DELETED:
            return _("tag %(tag)s deleted, it was at %(old)s") % values
        case Topic.DELETE:
            return _("image %(new)s deleted") % values
        case Topic.CHART_DELETE:
            return _("chart %(new)s deleted") % values
        case Topic.REPOSITORY_APPEARED:
            return _("repository appeared")
        case Topic.REPOSITORY_GONE:
            return _("repository gone")
        case Topic.QUARANTINE:
            return _("image %(new)s quarantined") % values
        case _:
            return str(Topic(event.topic).label)


def _short(digest: str) -> str:
    return digest.partition(":")[2][:SHORT] or digest
