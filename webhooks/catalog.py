"""The topics that people subscribe to, and what each event of the product says under them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Topic(models.TextChoices):
    """What a message is about. The text form is what is stored, sent and written in files.

    `push` and `delete` are Azure Container Registry's words for what `tag.created`, `tag.moved` and
    a vanished manifest are here: who subscribes to both is told both, with ids of their own.
    """

    PUSH = "push", _("push")
    PULL = "pull", _("pull")
    DELETE = "delete", _("image deleted")
    TAG_CREATED = "tag.created", _("tag created")
    TAG_MOVED = "tag.moved", _("tag moved")
    TAG_DELETED = "tag.deleted", _("tag deleted")
    REPOSITORY_APPEARED = "repository.appeared", _("repository appeared")
    REPOSITORY_GONE = "repository.gone", _("repository gone")
    CHART_PUSH = "chart.push", _("chart push")
    CHART_DELETE = "chart.delete", _("chart deleted")
    QUARANTINE = "quarantine", _("image quarantined")
    SYNC_FAILED = "sync.failed", _("sync failed")
    CREDENTIAL_EXPIRING = "credential.expiring", _("credential expiring")
    ACCESS_GRANTED = "access.granted", _("access granted")
    ACCESS_REVOKED = "access.revoked", _("access revoked")
    PING = "ping", _("ping")
