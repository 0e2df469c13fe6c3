"""The topics that people subscribe to, and what each event of the product says under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from django.db import models
from django.utils.translation import gettext_lazy as _

from access import events as access
from access.scopes import Extent, Scope
from registries import events as registries
from registries.events import Event


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


# What is told under another topic where the manifest is a Helm chart.
OF_CHARTS = {Topic.PUSH: Topic.CHART_PUSH, Topic.DELETE: Topic.CHART_DELETE}


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell. `path` is where it happened, as subscriptions' scopes are compared with it:
    a repository, or for grants the pattern they hold on."""

    topic: Topic
    at: datetime
    registry: str
    path: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""
    old_digest: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """The digest of the manifest that it is about, empty for none."""
        return self.digest or self.old_digest

    def as_chart(self) -> Message:
        """The same, said of a Helm chart."""
        return replace(self, topic=OF_CHARTS.get(self.topic, self.topic))


def messages_of(event: Event) -> tuple[Message, ...]:
    """What an event says to subscribers; nothing for most."""
    tell = _TOLD.get(type(event))
    return tell(event) if tell else ()


def _of_image(event: Event, *topics: Topic) -> tuple[Message, ...]:
    """An event that names a repository, and perhaps a tag and digests, under each of the topics."""
    repository = str(getattr(event, "repository", ""))
    return tuple(
        Message(
            topic,
            event.at,
            event.registry,
            path=repository,
            repository=repository,
            tag=str(getattr(event, "tag", "")),
            digest=str(getattr(event, "digest", "")),
            old_digest=str(getattr(event, "old_digest", "")),
        )
        for topic in topics
    )


def _under(*topics: Topic) -> Callable[[Event], tuple[Message, ...]]:
    return lambda event: _of_image(event, *topics)


def _of_sync(event: Event) -> tuple[Message, ...]:
    ended = cast("registries.SyncEnded", event)
    if ended.state != "failed":
        return ()
    return (Message(Topic.SYNC_FAILED, ended.at, ended.registry, data={"run": ended.run}),)


def _of_grant(event: Event) -> tuple[Message, ...]:
    grant = cast("access.AccessGranted | access.AccessRevoked", event)
    scope = Scope.parse(grant.scope)
    data = {"principal": grant.principal, "role": grant.role, "scope": grant.scope}
    data["reason"] = grant.reason
    topic = Topic.ACCESS_REVOKED
    if isinstance(grant, access.AccessGranted):
        topic = Topic.ACCESS_GRANTED
        data["until"] = grant.until
    return (
        Message(
            topic,
            grant.at,
            grant.registry,
            path=scope.path,
            repository=scope.path if scope.extent is Extent.REPOSITORY else "",
            data={key: value for key, value in data.items() if value},
        ),
    )


def _of_credential(event: Event) -> tuple[Message, ...]:
    ending = cast("access.CredentialExpiring", event)
    data = {
        "owner": ending.owner,
        "key_id": ending.key_id,
        "kind": ending.secret_kind,
        "name": ending.label,
        "expires": ending.expires,
        "days": ending.days,
    }
    return (Message(Topic.CREDENTIAL_EXPIRING, ending.at, ending.registry, data=data),)


_TOLD: dict[type[Event], Callable[[Event], tuple[Message, ...]]] = {
    registries.TagCreated: _under(Topic.TAG_CREATED, Topic.PUSH),
    registries.TagMoved: _under(Topic.TAG_MOVED, Topic.PUSH),
    registries.TagDeleted: _under(Topic.TAG_DELETED),
    registries.ArtifactGone: _under(Topic.DELETE),
    registries.RepositoryAppeared: _under(Topic.REPOSITORY_APPEARED),
    registries.RepositoryGone: _under(Topic.REPOSITORY_GONE),
    registries.ImagePulled: _under(Topic.PULL),
    registries.ImageQuarantined: _under(Topic.QUARANTINE),
    registries.SyncEnded: _of_sync,
    access.AccessGranted: _of_grant,
    access.AccessRevoked: _of_grant,
    access.CredentialExpiring: _of_credential,
}
