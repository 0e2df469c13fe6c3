"""Manifests that a registry's listing describes into Postgres, until their documents are read.

An outline is a claim: it never changes what a document told, and gives way to the document
(`content.store_manifests`). Rows are shared by all registries, and none shall describe manifests for
the others: where two tell of one digest, what they tell differently is not kept, and of sizes the
smaller one, whoever came first. A registry's further words about what it told of change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registries.models import Registry
from registries.oci.outlines import Outline
from registries.sync.content import (
    MOST_BYTES,
    MOST_ENTRIES,
    copy_sizes,
    cut,
    json_text,
    stage_children,
    store_children,
)
from registries.sync.staging import execute, fetch, stage


def store_outlines(registry: Registry, outlines: Iterable[Outline]) -> None:
    """Store what this registry tells for the first time; inside the caller's transaction."""
    unique = {outline.digest: outline for outline in outlines}
    if not unique:
        return
    for (digest,) in fetch(
        """
        SELECT manifest.digest FROM registries_manifest manifest
         WHERE manifest.digest = ANY(%(digests)s)
           AND (manifest.raw IS NOT NULL OR EXISTS (
                SELECT FROM registries_artifact artifact
                  JOIN registries_repository repository ON repository.id = artifact.repository_id
                 WHERE artifact.manifest_id = manifest.id
                   AND repository.registry_id = %(registry)s))
        """,
        {"digests": list(unique), "registry": registry.pk},
    ):
        del unique[digest]
    if not unique:
        return
    stage(
        "incoming_outline",
        {
            "digest": "text",
            "media_type": "text",
            "artifact_type": "text",
            "kind": "text",
            "size": "int8",
            "total_size": "int8",
            "subject_digest": "text",
            "os": "text",
            "architecture": "text",
            "variant": "text",
            "platforms": "text",
            "created": "timestamptz",
        },
        (_row(outline) for outline in unique.values()),
    )
    stored = fetch("""
        INSERT INTO registries_manifest AS held (
            digest, media_type, artifact_type, kind, size, total_size, config_digest,
            subject_digest, os, architecture, variant, platforms, created, annotations)
        SELECT digest, media_type, artifact_type, kind, size, total_size, '', subject_digest,
               os, architecture, variant, platforms::jsonb, created, '{}'
          FROM incoming_outline
         ORDER BY digest
            ON CONFLICT (digest) DO UPDATE
           -- an image is what a listing that does not say takes a manifest for
           SET kind = CASE WHEN excluded.kind = held.kind THEN held.kind ELSE 'image' END,
               size = least(held.size, excluded.size),
               total_size = coalesce(least(nullif(held.total_size, 0),
                                           nullif(excluded.total_size, 0)), 0),
               subject_digest = CASE WHEN excluded.subject_digest = held.subject_digest
                                     THEN held.subject_digest ELSE '' END,
               media_type = CASE WHEN excluded.media_type IN ('', held.media_type)
                                 THEN held.media_type ELSE '' END,
               artifact_type = CASE WHEN excluded.artifact_type IN ('', held.artifact_type)
                                    THEN held.artifact_type ELSE '' END,
               os = CASE WHEN excluded.os IN ('', held.os) THEN held.os ELSE '' END,
               architecture = CASE WHEN excluded.architecture IN ('', held.architecture)
                                   THEN held.architecture ELSE '' END,
               variant = CASE WHEN excluded.variant IN ('', held.variant)
                              THEN held.variant ELSE '' END,
               platforms = CASE WHEN excluded.platforms IN ('[]', held.platforms)
                                THEN held.platforms ELSE '[]' END,
               created = CASE WHEN excluded.created = held.created THEN held.created END
         WHERE held.raw IS NULL
     RETURNING id, digest, xmax <> 0
    """)
    merged = [manifest for manifest, _, was_held in stored if was_held]
    copy_sizes(merged)
    children = [(digest, found) for _, digest, _ in stored if (found := unique[digest].children)]
    if children:
        stage_children(children)
        if merged:
            _place_after_others()
        store_children()


def _place_after_others() -> None:
    """Leave places to the entries that another registry's listing named: all of both are kept, for
    what an index holds here must not look untagged because of what was said elsewhere."""
    execute(
        """
        UPDATE incoming_child child SET position = child.position + held.places
          FROM (SELECT parent.digest, max(entry.position) + 1 AS places
                  FROM registries_manifest parent
                  JOIN registries_manifestchild entry ON entry.parent_id = parent.id
                 WHERE parent.digest IN (SELECT parent FROM incoming_child)
                 GROUP BY parent.digest) held
         WHERE held.digest = child.parent
        """
    )
    execute(
        """
        DELETE FROM incoming_child child
         WHERE child.position > %(last)s
            OR EXISTS (SELECT FROM registries_manifest parent
                         JOIN registries_manifestchild entry ON entry.parent_id = parent.id
                        WHERE parent.digest = child.parent AND entry.digest = child.digest)
        """,
        {"last": MOST_ENTRIES - 1},
    )


def _row(outline: Outline) -> tuple[Any, ...]:
    total = min(MOST_BYTES, outline.total_size)
    own = total if outline.own_size is None else min(MOST_BYTES, outline.own_size)
    platforms = outline.platforms or tuple(
        child.platform for child in outline.children if child.platform and not child.attests
    )
    return (
        outline.digest,
        cut(outline.media_type),
        cut(outline.artifact_type),
        outline.kind.value,
        own,
        total,
        outline.subject or "",
        cut(outline.os, 64),
        cut(outline.architecture, 64),
        cut(outline.variant, 64),
        json_text(list(platforms)),
        outline.created,
    )
