"""What a person says about a webhook, checked before anything is stored; and what it takes to say so.

Screens and API go through `cleaned`, so that they refuse the same things in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from access.actions import Action
from access.models import Team
from access.policy import Rights
from access.scopes import Extent, InvalidScope, Scope
from registries.oci.reference import is_tag
from webhooks.catalog import Topic
from webhooks.models import Subscription
from webhooks.targets import checked_headers, parse_target

NAME_LIMIT = 100
_TAG_BEGINNING = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,126}\*")

# What happens in repositories: tags, digests and who did it, as their activity has it.
OF_REPOSITORIES = (
    Topic.PUSH,
    Topic.PULL,
    Topic.DELETE,
    Topic.TAG_CREATED,
    Topic.TAG_MOVED,
    Topic.TAG_DELETED,
    Topic.REPOSITORY_APPEARED,
    Topic.REPOSITORY_GONE,
    Topic.CHART_PUSH,
    Topic.CHART_DELETE,
    Topic.QUARANTINE,
)
# What a topic tells takes this right beside the one to manage webhooks.
TAKES: dict[Topic, Action] = {
    **dict.fromkeys(OF_REPOSITORIES, Action.CONTENT_READ),
    Topic.ACCESS_GRANTED: Action.ACCESS_MANAGE,
    Topic.ACCESS_REVOKED: Action.ACCESS_MANAGE,
    Topic.CREDENTIAL_EXPIRING: Action.ACCESS_MANAGE,
    Topic.SYNC_FAILED: Action.REGISTRY_READ,
}
# Not about one tag, so that a filter of tags would leave them all out.
TAGLESS = frozenset(
    {
        Topic.DELETE,
        Topic.CHART_DELETE,
        Topic.REPOSITORY_APPEARED,
        Topic.REPOSITORY_GONE,
        *(topic for topic in TAKES if topic not in OF_REPOSITORIES),
    }
)
# About a registry as a whole, so that a path in it would leave them out.
PATHLESS = frozenset({Topic.SYNC_FAILED, Topic.CREDENTIAL_EXPIRING})
# A ping is sent by a button, and to one webhook alone.
CHOOSABLE = tuple(topic for topic in Topic if topic is not Topic.PING)


@dataclass(frozen=True, slots=True)
class Where:
    """A scope and a filter of tags, in one text: `harbour/team/app:v1.*`, `harbour/team/*`, `*`.

    The same as in webhooks of Azure Container Registry, where `repo:*` and `repo` are one.
    """

    scope: Scope
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> Where:
        """Raises ValidationError with a sentence for people."""
        place, colon, tag = text.strip().partition(":")
        try:
            scope = Scope.parse(place)
        except InvalidScope as error:
            raise ValidationError(str(error)) from None
        return cls(scope, cleaned_tag(tag) if colon else "")

    def __str__(self) -> str:
        return f"{self.scope}:{self.tag}" if self.tag else str(self.scope)


def cleaned_tag(text: str) -> str:
    """A filter of tags in its stored form, empty for all; raises ValidationError."""
    text = text.strip()
    if text == "*":
        return ""
    if is_tag(text) or _TAG_BEGINNING.fullmatch(text):
        return text
    raise ValidationError(
        _(
            "“%s” filters no tags. Write a tag, or how tags begin with a star at the end: v1.*; of"
            " all tags, nothing."
        )
        % text[:128]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings:
    """One webhook as its maker describes it.

    `url` and `headers` are None to leave what is stored as it is: both are secrets, and are not
    shown again.
    """

    name: str
    where: Where
    topics: tuple[Topic, ...]
    form: Subscription.Form
    url: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    team: Team | None = None


def cleaned(given: SubscriptionSettings) -> SubscriptionSettings:
    """The same settings in their stored form; raises ValidationError with every mistake, by the
    field's name."""
    errors: dict[str, list[str]] = {}
    name = given.name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        errors["name"] = [_("A name has 1 to %d printable characters.") % NAME_LIMIT]
    try:
        _check_topics(given)
    except ValidationError as error:
        errors["topics"] = list(error.messages)
    for place, check in (("url", _check_url), ("headers", _check_headers)):
        try:
            check(given)
        except ValidationError as error:
            errors[place] = list(error.messages)
    if errors:
        raise ValidationError(errors)
    url = given.url.strip() if given.url is not None else None
    return replace(given, name=name, url=url, topics=in_order(given.topics))


def in_order(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """Each once, as the catalog lists them."""
    wanted = set(topics)
    return tuple(topic for topic in Topic if topic in wanted)


def allows_http() -> bool:
    """Whether the operator opened networks of his own to webhooks; which of them, the socket judges."""
    return bool(django_settings.WEBHOOK_ALLOWED_NETWORKS)


def require_for(rights: Rights, scope: Scope, topics: Iterable[Topic]) -> None:
    """Raises PermissionDenied unless who has these rights may have all of this sent out."""
    rights.require(Action.WEBHOOK_MANAGE, scope)
    for action in dict.fromkeys(TAKES[topic] for topic in topics if topic in TAKES):
        rights.require(action, scope)


def _check_topics(given: SubscriptionSettings) -> None:
    topics = in_order(given.topics)
    if not topics or Topic.PING in topics:
        raise ValidationError(_("Choose what is sent: at least one topic."))
    if given.where.tag and (without := [topic for topic in topics if topic in TAGLESS]):
        raise ValidationError(
            _("With a filter of tags these would never be sent, they are not about a tag: %s.")
            % ", ".join(str(topic.label) for topic in without)
        )
    whole = given.where.scope.extent in (Extent.EVERYTHING, Extent.REGISTRY)
    if not whole and (wide := [topic for topic in topics if topic in PATHLESS]):
        raise ValidationError(
            _("These are told of a whole registry only, not of a path in it: %s.")
            % ", ".join(str(topic.label) for topic in wide)
        )


def _check_url(given: SubscriptionSettings) -> None:
    if given.url is not None:
        parse_target(given.url, allow_http=allows_http())


def _check_headers(given: SubscriptionSettings) -> None:
    if given.headers is not None:
        checked_headers(given.headers)
