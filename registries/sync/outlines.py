"""Manifests that a registry's listing describes into Postgres, until their documents are read.

An outline is a claim: it never changes what a document told, and gives way to the document
(`content.store_manifests`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registries.oci.outlines import Outline
from registries.sync.content import MOST_BYTES, cut, json_text, stage_children, store_children
from registries.sync.staging import execute, fetch, stage


def store_outlines(outlines: Iterable[Outline]) -> None:
    """Store those of which nothing is known; inside the caller's transaction."""
    unique = {outline.digest: outline for outline in outlines}
    if not unique:
        return
    for (digest,) in fetch(
        "SELECT digest FROM registries_manifest WHERE digest = ANY(%(digests)s)",
        {"digests": list(unique)},
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
    execute("""
        INSERT INTO registries_manifest (
            digest, media_type, artifact_type, kind, size, total_size, config_digest,
            subject_digest, os, architecture, variant, platforms, created, annotations)
        SELECT digest, media_type, artifact_type, kind, size, total_size, '', subject_digest,
               os, architecture, variant, platforms::jsonb, created, '{}'
          FROM incoming_outline
         ORDER BY digest
            ON CONFLICT (digest) DO NOTHING
    """)
    if with_children := [outline for outline in unique.values() if outline.children]:
        stage_children((outline.digest, outline.children) for outline in with_children)
        store_children()


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
