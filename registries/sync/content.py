"""Content by digest into Postgres: manifests with their layers and children, image configs.

Content is immutable, so a digest that is there already is left alone; rows go in by order of
digest, so that two writers wait for each other and never in a circle.

How large a blob is, no digest tells: each manifest claims it. The smallest claim counts for all,
in whatever order they come, so that nobody makes what others hold larger than they say themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from registries.oci.configs import ImageConfig
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest
from registries.oci.kinds import Kind
from registries.oci.reference import Digest
from registries.sync.staging import execute, fetch, stage

# What a bigint column holds. Registries may claim any size; a sum of claims must not end a run.
MOST_BYTES = 2**63 - 1
# Layers or children of one manifest that are kept: what a smallint column can number.
MOST_ENTRIES = 2**15 - 1


def store_manifests(manifests: Iterable[Manifest]) -> None:
    """Store what is new of these, with the blobs they name; inside the caller's transaction."""
    unique = {manifest.digest: manifest for manifest in manifests}
    if not unique:
        return
    stage(
        "incoming_manifest",
        {
            "digest": "text",
            "media_type": "text",
            "artifact_type": "text",
            "kind": "text",
            "size": "int8",
            "total_size": "int8",
            "config_digest": "text",
            "subject_digest": "text",
            "platforms": "text",
            "annotations": "text",
            "raw": "bytea",
        },
        (_manifest_row(manifest) for manifest in unique.values()),
    )
    # What only a listing had described gives way, with the platforms that it named.
    listed = [
        manifest
        for (manifest,) in fetch("""
            SELECT manifest.id FROM incoming_manifest incoming
              JOIN registries_manifest manifest ON manifest.digest = incoming.digest
             WHERE manifest.raw IS NULL
        """)
    ]
    if listed:
        execute(
            "DELETE FROM registries_manifestchild WHERE parent_id = ANY(%(listed)s)",
            {"listed": listed},
        )
    execute("""
        INSERT INTO registries_manifest (
            digest, media_type, artifact_type, kind, size, total_size, config_digest,
            subject_digest, os, architecture, variant, platforms, annotations, raw)
        SELECT digest, media_type, artifact_type, kind, size, total_size, config_digest,
               subject_digest, '', '', '', platforms::jsonb, annotations::jsonb, raw
          FROM incoming_manifest incoming
         WHERE NOT EXISTS (SELECT FROM registries_manifest held
                            WHERE held.digest = incoming.digest AND held.raw IS NOT NULL)
         ORDER BY digest
            ON CONFLICT (digest) DO UPDATE
           SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
               kind = excluded.kind, size = excluded.size, total_size = excluded.total_size,
               config_digest = excluded.config_digest, subject_digest = excluded.subject_digest,
               os = '', architecture = '', variant = '', created = NULL,
               platforms = excluded.platforms, annotations = excluded.annotations,
               raw = excluded.raw
         WHERE registries_manifest.raw IS NULL
    """)
    copy_sizes(listed)
    _store_layers(unique.values())
    stage_children((m.digest, m.children) for m in unique.values() if m.children)
    store_children()
    # Schema 1 carries its config inside; it is kept under the manifest's own digest.
    store_configs({m.digest: m.image_config for m in unique.values() if m.image_config})
    describe_images([digest for digest, m in unique.items() if m.image_config])


def copy_sizes(manifests: Sequence[int]) -> None:
    """Give artifacts of these manifests (by id) the total size that these have now.

    In other registries, too, whose syncs have no reason to look. Rows are locked in order of their
    ids, so that two who do this wait for each other.
    """
    if not manifests:
        return
    execute(
        """
        UPDATE registries_artifact artifact SET size = other.size
          FROM (SELECT held.id, manifest.total_size AS size
                  FROM registries_artifact held
                  JOIN registries_manifest manifest ON manifest.id = held.manifest_id
                 WHERE manifest.id = ANY(%(manifests)s) AND held.size <> manifest.total_size
                 ORDER BY held.id FOR NO KEY UPDATE OF held) other
         WHERE artifact.id = other.id
        """,
        {"manifests": list(manifests)},
    )


def _store_layers(manifests: Iterable[Manifest]) -> None:
    stage(
        "incoming_layer",
        {
            "manifest": "text",
            # The config is staged as position -1: a blob to be counted, and no layer.
            "position": "int4",
            "digest": "text",
            "size": "int8",
            "media_type": "text",
        },
        (row for manifest in manifests for row in _blob_rows(manifest)),
    )
    execute("""
        INSERT INTO registries_blob (digest, size)
        -- schema 1 does not say how large its layers are
        SELECT digest, coalesce(min(size) FILTER (WHERE size > 0), 0)
          FROM incoming_layer GROUP BY digest ORDER BY digest
            ON CONFLICT (digest) DO UPDATE SET size = excluded.size
         WHERE excluded.size > 0
           AND (registries_blob.size = 0 OR registries_blob.size > excluded.size)
    """)
    execute("""
        INSERT INTO registries_manifestlayer (manifest_id, position, blob_id, media_type)
        SELECT manifest.id, layer.position, blob.id, layer.media_type
          FROM incoming_layer layer
          JOIN registries_manifest manifest ON manifest.digest = layer.manifest
          JOIN registries_blob blob ON blob.digest = layer.digest
         WHERE layer.position >= 0
         ORDER BY manifest.digest, layer.position
            ON CONFLICT (manifest_id, position) DO NOTHING
    """)


def stage_children(indexes: Iterable[tuple[Digest, Sequence[Child]]]) -> None:
    """Fill table incoming_child with the entries of these indexes."""
    stage(
        "incoming_child",
        {
            "parent": "text",
            "position": "int4",
            "digest": "text",
            "media_type": "text",
            "artifact_type": "text",
            "size": "int8",
            "os": "text",
            "architecture": "text",
            "variant": "text",
            "attests": "text",
        },
        (row for digest, children in indexes for row in _child_rows(digest, children)),
    )


def store_children() -> None:
    """From table incoming_child to the entries of indexes."""
    execute("""
        INSERT INTO registries_manifestchild (
            parent_id, position, digest, media_type, artifact_type, size, os, architecture,
            variant, attests)
        SELECT parent.id, child.position, child.digest, child.media_type, child.artifact_type,
               child.size, child.os, child.architecture, child.variant, child.attests
          FROM incoming_child child
          JOIN registries_manifest parent ON parent.digest = child.parent
         ORDER BY parent.digest, child.position
            ON CONFLICT (parent_id, position) DO NOTHING
    """)


def store_configs(configs: Mapping[Digest, ImageConfig]) -> None:
    """Store image configs by digest; a schema 1 manifest's, by the manifest's own."""
    if not configs:
        return
    stage(
        "incoming_config",
        {"digest": "text", "data": "text"},
        ((digest, json_text(config.as_json())) for digest, config in configs.items()),
    )
    execute("""
        INSERT INTO registries_imageconfig (digest, data)
        SELECT digest, data::jsonb FROM incoming_config ORDER BY digest
            ON CONFLICT (digest) DO NOTHING
    """)


def describe_images(digests: Sequence[str]) -> None:
    """Give these images (by manifest digest) the facts that their stored configs tell."""
    execute(
        """
        UPDATE registries_manifest manifest
           SET os = left(coalesce(config.data->>'os', ''), 64),
               architecture = left(coalesce(config.data->>'architecture', ''), 64),
               variant = left(coalesce(config.data->>'variant', ''), 64),
               created = (config.data->>'created')::timestamptz
          FROM registries_imageconfig config
         WHERE manifest.digest = ANY(%(digests)s) AND config.digest = manifest.config_digest
           AND manifest.architecture = '' AND manifest.created IS NULL
        """,
        {"digests": list(digests)},
    )


def _manifest_row(manifest: Manifest) -> tuple[Any, ...]:
    config = manifest.config.digest if manifest.config else ""
    return (
        manifest.digest,
        cut(manifest.media_type),
        cut(manifest.artifact_type),
        manifest.kind.value,
        manifest.size,
        _total_size(manifest),
        manifest.digest if manifest.image_config else config,
        manifest.subject.digest if manifest.subject else "",
        json_text([child.platform for child in manifest.children if _is_platform(child)]),
        json_text(dict(manifest.annotations)),
        manifest.raw,
    )


def _is_platform(child: Any) -> bool:
    return child.platform is not None and child.attests is None


def _blob_rows(manifest: Manifest) -> Iterable[tuple[Any, ...]]:
    if manifest.config:
        config = manifest.config
        yield manifest.digest, -1, config.digest, config.size, cut(config.media_type)
    for position, layer in enumerate(manifest.layers[:MOST_ENTRIES]):
        # Foreign layers live elsewhere and hold no bytes here.
        size = 0 if layer.is_foreign else layer.size
        yield manifest.digest, position, layer.digest, size, cut(layer.media_type)


def _child_rows(index: Digest, children: Sequence[Child]) -> Iterable[tuple[Any, ...]]:
    for position, child in enumerate(children[:MOST_ENTRIES]):
        yield (
            index,
            position,
            child.digest,
            cut(child.media_type),
            cut(child.artifact_type),
            child.size,
            cut(child.os, 64),
            cut(child.architecture, 64),
            cut(child.variant, 64),
            child.attests or "",
        )


def _total_size(manifest: Manifest) -> int:
    """Bytes of a manifest and the distinct blobs it names; of an index, until its children are read,
    what their descriptors say of their manifests."""
    if manifest.kind is Kind.INDEX:
        return min(MOST_BYTES, manifest.size + sum(child.size for child in manifest.children))
    blobs = {layer.digest: layer.size for layer in manifest.layers if not layer.is_foreign}
    if manifest.config:
        blobs[manifest.config.digest] = manifest.config.size
    return min(MOST_BYTES, manifest.size + sum(blobs.values()))


def cut(text: str | None, length: int = 255) -> str:
    """What a registry says, no longer than its column: an absurd media type must not end a run."""
    return (text or "")[:length]


def json_text(value: object) -> str:
    return orjson.dumps(value).decode()
