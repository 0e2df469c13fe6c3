"""From events of the product to rows of the outbox, in the transaction of the change.

However many events and subscriptions there are, it is a handful of statements; for events that say
nothing to subscribers (sign-ins, teams, …) it is none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from django.db import DataError, IntegrityError, transaction

from registries.actor import Actor
from registries.events import Event
from registries.models import Registry
from registries.sync.staging import execute, fetch
from webhooks import tasks, wake
from webhooks.catalog import OF_CHARTS, Message, messages_of

log = logging.getLogger(__name__)

# A subscription's row is locked against removal (not against anything else) until its deliveries
# are in: removed at the same moment, it would otherwise fail the change by its foreign key.
_INSERT = """
    WITH news AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS one(
            uid uuid, topic text, at timestamptz, registry text, path text, repository text,
            tag text, digest text, old_digest text, data jsonb)
    ), place AS (
        SELECT * FROM unnest(
            %(place_paths)s::text[], %(place_scopes)s::text[]
        ) AS one(path, scope)
    ), subscriber AS MATERIALIZED (
        SELECT s.id, s.state, s.topics, s.path, r.name AS registry,
               CASE WHEN s.tag = '*' THEN '' ELSE s.tag END AS tag
          FROM webhooks_subscription s
          LEFT JOIN registries_registry r ON r.id = s.registry_id
         WHERE s.topics && %(distinct_topics)s::varchar[]
           AND s.path = ANY(%(distinct_scopes)s::text[])
           AND (r.name IS NULL OR r.name = ANY(%(distinct_registries)s::text[]))
           FOR KEY SHARE OF s
    ), told AS MATERIALIZED (
        SELECT news.uid, subscriber.id, subscriber.state
          FROM news
          JOIN place ON place.path = news.path
          JOIN subscriber ON subscriber.path = place.scope
           AND news.topic = ANY(subscriber.topics)
           AND (subscriber.registry IS NULL OR subscriber.registry = news.registry)
           AND (subscriber.tag = '' OR subscriber.tag = news.tag
                OR right(subscriber.tag, 1) = '*'
                   AND starts_with(news.tag, left(subscriber.tag, -1)))
    ), stored AS (
        INSERT INTO webhooks_event (
            uid, topic, registry, repository, tag, digest, old_digest, at,
            actor_kind, actor_id, actor_label, data)
        SELECT uid, topic, registry, repository, tag, digest, old_digest, at,
               %(actor_kind)s, %(actor_id)s, %(actor_label)s, data
          FROM news
         -- Pulls come by the thousand: they are kept for who asked to hear of them.
         WHERE topic <> 'pull' OR uid IN (SELECT uid FROM told)
        RETURNING id, uid
    )
    INSERT INTO webhooks_delivery (
        event_id, subscription_id, state, tries, due_at, created_at, reason)
    SELECT stored.id, told.id, CASE told.state WHEN 'active' THEN 'waiting' ELSE 'held' END,
           0, clock_timestamp(), clock_timestamp(), ''
      FROM told JOIN stored USING (uid)
     -- In the order of the indexes that begin with the subscription.
     ORDER BY told.id, stored.id
"""


@dataclass(frozen=True, slots=True)
class _Manifest:
    media_type: str
    size: int
    kind: str


def record(events: Sequence[Event], actor: Actor, **_signal: object) -> None:
    """Insert messages and their deliveries for those of the events that anybody subscribes to."""
    messages = list(_messages(events))
    if not messages:
        return
    try:
        with transaction.atomic():
            told = _insert(list(_completed(messages)), actor)
    except (DataError, IntegrityError):
        # It happened, whether it can be told or not.
        log.exception("These events could not be told to subscribers: %s", events[:3])
        return
    if told:
        wake.after_commit(tasks.deliver)


def _messages(events: Iterable[Event]) -> Iterator[Message]:
    for event in events:
        try:
            yield from messages_of(event)
        except ValueError:
            log.exception("This event could not be told to subscribers: %s", event)


def _completed(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages with what is known of their manifests and registries: by one query each."""
    digests = {message.about for message in messages if message.about}
    manifests = _manifests(digests) if digests else {}
    hosts = _hosts({message.registry for message in messages if message.repository})
    for message in messages:
        manifest = manifests.get(message.about)
        data = dict(message.data)
        if host := hosts.get(message.registry):
            data["host"] = host
        if manifest is not None:
            data |= {"media_type": manifest.media_type, "size": manifest.size}
            data["kind"] = manifest.kind
            if manifest.kind == "chart" and message.topic in OF_CHARTS:
                message = message.as_chart()  # noqa: PLW2901  the same, better known
        yield Message(
            message.topic,
            message.at,
            message.registry,
            message.path,
            message.repository,
            message.tag,
            message.digest,
            message.old_digest,
            data,
        )


def _manifests(digests: set[str]) -> dict[str, _Manifest]:
    rows = fetch(
        "SELECT digest, media_type, size, kind FROM registries_manifest WHERE digest = ANY(%(d)s)",
        {"d": list(digests)},
    )
    return {digest: _Manifest(media_type, size, kind) for digest, media_type, size, kind in rows}


def _hosts(names: set[str]) -> dict[str, str]:
    if not names:
        return {}
    found = Registry.objects.filter(name__in=names).only("name", "public_host", "url")
    return {registry.name: registry.host for registry in found}


def _insert(messages: Sequence[Message], actor: Actor) -> int:
    """Returns how many deliveries there are to make or hold."""
    paths = {message.path for message in messages}
    places = [(path, scope) for path in paths for scope in scopes_above(path)]
    return execute(
        _INSERT,
        {
            "rows": orjson.dumps([_row(message) for message in messages]).decode(),
            "place_paths": [path for path, _ in places],
            "place_scopes": [scope for _, scope in places],
            "distinct_topics": list({message.topic.value for message in messages}),
            "distinct_scopes": list({scope for _, scope in places}),
            "distinct_registries": list({message.registry for message in messages}),
            "actor_kind": _clean(actor.kind, 32),
            "actor_id": _clean(actor.id, 255),
            "actor_label": _clean(actor.label, 255),
        },
    )


def scopes_above(path: str) -> list[str]:
    """The paths of subscriptions that cover `path`, as they are stored: all, the patterns that it
    lies below, itself. For `a/b`: ``""``, ``a/*``, ``a/b``."""
    if not path:
        return [""]
    parts = path.removesuffix("/*").split("/")
    above = ["/".join(parts[:end]) + "/*" for end in range(1, len(parts))]
    return ["", *above, path]


def _row(message: Message) -> dict[str, Any]:
    return {
        "uid": uuid4(),
        "topic": message.topic.value,
        "at": message.at,
        "registry": _clean(message.registry, 63),
        "path": message.path,
        "repository": _clean(message.repository, 255),
        "tag": _clean(message.tag, 128),
        "digest": _clean(message.digest, 140),
        "old_digest": _clean(message.old_digest, 140),
        "data": {
            key: _clean(value) if isinstance(value, str) else value
            for key, value in message.data.items()
        },
    }


def _clean(text: str, length: int | None = None) -> str:
    """Without what Postgres cannot store, and cut to the column."""
    return text.replace("\x00", "")[:length]
