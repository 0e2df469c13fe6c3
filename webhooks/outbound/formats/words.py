"""What an event says to people, and where they read on: for messages that are read, not parsed.

Names of repositories and tags are what registries sent: each form escapes them in its own way.
"""

from __future__ import annotations

from urllib.parse import quote

from django.utils.translation import gettext as _

from webhooks.catalog import Topic
from webhooks.models import Event

# Topics after which a tag or manifest has no page any more.
_GONE = frozenset({Topic.DELETE, Topic.CHART_DELETE, Topic.TAG_DELETED, Topic.REPOSITORY_GONE})
_SHORT_DIGEST = len("sha256:") + 12


def title(event: Event) -> str:
    """One short line: what happened."""
    titles = {
        Topic.PUSH: _("Image pushed"),
        Topic.PULL: _("Image pulled"),
        Topic.DELETE: _("Image deleted"),
        Topic.TAG_CREATED: _("Tag created"),
        Topic.TAG_MOVED: _("Tag moved"),
        Topic.TAG_DELETED: _("Tag deleted"),
        Topic.REPOSITORY_APPEARED: _("Repository appeared"),
        Topic.REPOSITORY_GONE: _("Repository gone"),
        Topic.CHART_PUSH: _("Chart pushed"),
        Topic.CHART_DELETE: _("Chart deleted"),
        Topic.QUARANTINE: _("Image quarantined"),
        Topic.SYNC_FAILED: _("Sync failed"),
        Topic.CREDENTIAL_EXPIRING: _("Credential expiring"),
        Topic.ACCESS_GRANTED: _("Access granted"),
        Topic.ACCESS_REVOKED: _("Access revoked"),
        Topic.PING: _("Test message from Portolan"),
    }
    return titles[Topic(event.topic)]


def subject(event: Event) -> str:
    """What it happened to, as one would write it: `team/app:1.2`, `team/app@sha256:…`, a registry,
    an owner of a credential. Empty where it is about nothing."""
    if event.repository:
        return reference(event)
    return str(event.data.get("owner") or event.data.get("scope") or event.registry)


def reference(event: Event) -> str:
    """Repository with tag, or with digest where there is no tag."""
    if event.tag:
        return f"{event.repository}:{event.tag}"
    digest = event.digest or event.old_digest
    return f"{event.repository}@{digest}" if digest else event.repository


def facts(event: Event) -> list[tuple[str, str]]:
    """What else it tells, as name and value, for people."""
    data = event.data
    told = [
        (_("Registry"), event.registry),
        (_("Digest"), _short(event.digest)),
        (_("Before"), _short(event.old_digest)),
        (_("Who"), str(data.get("principal", ""))),
        (_("Role"), str(data.get("role", ""))),
        (_("Where"), str(data.get("scope", ""))),
        (_("Until"), str(data.get("until", ""))),
        (_("Name"), str(data.get("name", ""))),
        (_("Key"), str(data.get("key_id", ""))),
        (_("Expires"), str(data.get("expires", ""))),
        (_("Reason"), str(data.get("reason", ""))),
        (_("By"), event.actor_label),
    ]
    return [(name, value) for name, value in told if value]


def link(event: Event, public_url: str) -> str:
    """The page to read on at: the tag or image if it still is, else what is above it."""
    if not event.registry:
        return f"{public_url}/"
    registry = f"{public_url}/r/{quote(event.registry)}/"
    if not event.repository or event.topic == Topic.REPOSITORY_GONE:
        return registry
    repository = registry + quote(event.repository)
    if event.topic in _GONE:
        return repository
    if event.tag:
        return f"{repository}/-/tags/{quote(event.tag)}"
    return f"{repository}/-/manifests/{quote(event.digest)}" if event.digest else repository


def _short(digest: str) -> str:
    return digest[:_SHORT_DIGEST]
