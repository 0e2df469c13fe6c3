"""What somebody follows for himself, and the address of his feed.

Following gives no right: what is told is cut to what one may see when it is told. So it takes none
but to know of the place, and the audit log has nothing to say of it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access.models import User
from access.policy import SEEING, rights_of
from access.scopes import Scope
from registries.models import Registry
from registries.transactions import durable
from webhooks.catalog import Topic
from webhooks.models import Event, Follow, Reader
from webhooks.readable import happened_in, seen_by
from webhooks.settled import settled_before

# What people are told. Pushes and pulls are for machines: a push is a tag created or moved.
TOLD = (
    Topic.TAG_CREATED,
    Topic.TAG_MOVED,
    Topic.TAG_DELETED,
    Topic.DELETE,
    Topic.CHART_DELETE,
    Topic.REPOSITORY_APPEARED,
    Topic.REPOSITORY_GONE,
    Topic.QUARANTINE,
)
FOLLOWS_LIMIT = 500
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@durable
def follow(user: User, scope: Scope, *, mail: Follow.Mail) -> Follow:
    """Follow a registry, all below a path, or a repository; once more changes how it is mailed.

    Raises ValidationError for a place that this person does not know of.
    """
    registry = _known(user, scope)
    _lock(user)
    if user.follows.count() >= FOLLOWS_LIMIT:
        raise ValidationError(_("Nobody follows more than %d places.") % FOLLOWS_LIMIT)
    _begin(user, mail)
    made, _created = Follow.objects.update_or_create(
        user=user, registry=registry, path=scope.path, defaults={"mail": mail}
    )
    return made


@durable
def set_mail(followed: Follow, mail: Follow.Mail) -> None:
    """How it is mailed from now on; what happened before is not told again."""
    _lock(followed.user)
    _begin(followed.user, mail)
    Follow.objects.filter(pk=followed.pk).update(mail=mail)


@durable
def unfollow(followed: Follow) -> None:
    followed.delete()


def follows(user: User, scope: Scope) -> bool:
    """Whether this person follows this very place."""
    return user.follows.filter(registry__name=scope.registry, path=scope.path).exists()


def told_to(user: User, followed: Iterable[Follow]) -> QuerySet[Event]:
    """The events of what is followed that this person may know of at this moment."""
    places = [Scope(one.registry.name, one.path) for one in followed]
    return _readable(user).filter(happened_in(places))


def told_in(user: User, scope: Scope) -> QuerySet[Event]:
    """The events in a place that this person may know of at this moment, followed or not."""
    return _readable(user).filter(happened_in([scope]))


# The feed -------------------------------------------------------------------------------------


@durable
def make_feed(user: User) -> str:
    """A new secret for the feed's address, to be shown this once; the one before ends."""
    token = secrets.token_urlsafe(32)
    reader, _created = Reader.objects.get_or_create(user=user)
    reader.feed_digest = _digest(token)
    reader.save(update_fields=["feed_digest"])
    return token


@durable
def end_feed(user: User) -> None:
    Reader.objects.filter(user=user).update(feed_digest="")


def has_feed(user: User) -> bool:
    """Whether there is an address that opens this person's feed."""
    return Reader.objects.filter(user=user).exclude(feed_digest="").exists()


def reader_of(token: str) -> User | None:
    """Whose feed the secret opens, None if nobody's; a person who was switched off has none."""
    if not _TOKEN.fullmatch(token):
        return None
    reader = Reader.objects.select_related("user").filter(feed_digest=_digest(token)).first()
    return reader.user if reader is not None and reader.user.is_active else None


# Inside a transaction -------------------------------------------------------------------------


def _begin(user: User, mail: Follow.Mail) -> None:
    """Mails of a kind that this person had none of begin now, and not where they once stopped."""
    if mail is Follow.Mail.NONE or user.follows.filter(mail=mail).exists():
        return
    start: dict[str, int | datetime] = {"mailed_up_to": settled_before()}
    if mail is Follow.Mail.DAILY:
        start = {"digest_up_to": settled_before(), "digest_at": timezone.now()}
    Reader.objects.update_or_create(user=user, defaults=start)


def _known(user: User, scope: Scope) -> Registry:
    rights = rights_of(user)
    registry = Registry.objects.filter(name=scope.registry).first()
    seen = any(one.touches(scope) for one in rights.scopes(*SEEING))
    if registry is None or not seen:
        raise ValidationError(_("There is nothing called “%s” that you may see.") % scope)
    return registry


def _lock(user: User) -> None:
    """Take turns, so that the limit holds and a cursor begins once."""
    User.objects.select_for_update().get(pk=user.pk)


def _readable(user: User) -> QuerySet[Event]:
    told = Q(topic__in=[topic.value for topic in TOLD])
    return Event.objects.filter(told, seen_by(rights_of(user)))


def _digest(token: str) -> str:
    # 256 random bits need neither salt nor slowness.
    return hashlib.sha256(token.encode()).hexdigest()
