"""Builds catalogs straight in the database, as a sync would have left them.

Documents are real: a manifest's bytes are JSON that names its layers, and its digest is their hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db.models import Count, Max, Sum

from registries.actor import SYSTEM
from registries.models import (
    Artifact,
    Blob,
    ImageConfig,
    Manifest,
    ManifestChild,
    ManifestLayer,
    Namespace,
    Registry,
    Repository,
    Tag,
    TagMove,
    TagName,
)
from registries.oci import mediatypes
from registries.sync.plan import version_key

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY_CONFIG = "{}"

# A layer: (what is in it, which makes its digest; bytes; the step that made it).
Layer = tuple[str, int, str]
BASE_LAYERS: tuple[Layer, ...] = (
    ("debian bookworm", 28_231_321, "/bin/sh -c #(nop) ADD file:84c5f0 in /"),
    ("ca-certificates", 4_122_090, "RUN apt-get update && apt-get install -y ca-certificates"),
)


def digest_of(text: str | bytes) -> str:
    """The sha256 digest of a text."""
    raw = text.encode() if isinstance(text, str) else text
    return f"sha256:{sha256(raw).hexdigest()}"


def registry(name: str = "harbour", **fields: Any) -> Registry:
    """A registry that was synced at NOON and is well."""
    defaults = {
        "url": f"https://{name}.example.com",
        "health": Registry.Health.HEALTHY,
        "synced_at": NOON,
        "imported_at": NOON - timedelta(days=30),
    }
    return Registry.objects.create(name=name, **(defaults | fields))


def repository(registry: Registry, path: str, **fields: Any) -> Repository:
    """An empty repository; `recount` fills its counters when all is in."""
    defaults = {"namespace": path.rpartition("/")[0], "verified_at": NOON}
    return Repository.objects.create(registry=registry, path=path, **(defaults | fields))


def image(
    repository: Repository,
    name: str = "app",
    *,
    platform: str = "linux/amd64",
    layers: Sequence[Layer] = BASE_LAYERS,
    created: datetime | None = NOON,
    config: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    details: Artifact.Details = Artifact.Details.COMPLETE,
    **fields: Any,
) -> Artifact:
    """An image of one platform; `name` and platform tell it from others with the same layers."""
    data = _image_config(name, platform, layers, created, config or {})
    config_raw = json.dumps(data, sort_keys=True)
    config_digest = digest_of(config_raw)
    raw = _manifest_document(
        mediatypes.OCI_MANIFEST,
        config=_descriptor(mediatypes.OCI_CONFIG, config_digest, len(config_raw)),
        layers=[_descriptor(LAYER, digest_of(content), size) for content, size, _ in layers],
        annotations=annotations,
    )
    os, architecture, variant = [*platform.split("/"), "", ""][:3]
    found, is_new = Manifest.objects.get_or_create(
        digest=digest_of(raw),
        defaults={
            "media_type": mediatypes.OCI_MANIFEST,
            "kind": Manifest.Kind.IMAGE,
            "size": len(raw),
            "total_size": len(raw) + len(config_raw) + sum(size for _, size, _ in layers),
            "config_digest": config_digest,
            "os": os,
            "architecture": architecture,
            "variant": variant,
            "created": created,
            "annotations": dict(annotations or {}),
            "raw": raw,
        },
    )
    if is_new:
        if details == Artifact.Details.COMPLETE:
            ImageConfig.objects.get_or_create(digest=config_digest, defaults={"data": data})
        _put_layers(found, [(content, size, LAYER) for content, size, _ in layers])
    return present(repository, found, details=details, **fields)


def index(
    repository: Repository, images: Iterable[Artifact], *, attested: bool = False, **fields: Any
) -> Artifact:
    """An index of images; with `attested`, each has BuildKit's attestation beside it."""
    members = [artifact.manifest for artifact in images]
    attestations = {
        member.digest: _attestation(repository, member) for member in members if attested
    }
    children = members + list(attestations.values())
    raw = _manifest_document(
        mediatypes.OCI_INDEX,
        manifests=[
            _descriptor(child.media_type, child.digest, child.size)
            | {"platform": {"os": child.os, "architecture": child.architecture}}
            for child in children
        ],
    )
    found, is_new = Manifest.objects.get_or_create(
        digest=digest_of(raw),
        defaults={
            "media_type": mediatypes.OCI_INDEX,
            "kind": Manifest.Kind.INDEX,
            "size": len(raw),
            "total_size": len(raw) + sum(member.total_size for member in members),
            "platforms": [member.platform for member in members],
            "created": max((m.created for m in members if m.created), default=None),
            "raw": raw,
        },
    )
    if is_new:
        subject_of = {child.digest: subject for subject, child in attestations.items()}
        ManifestChild.objects.bulk_create(
            ManifestChild(
                parent=found,
                position=position,
                digest=child.digest,
                media_type=child.media_type,
                size=child.size,
                os="unknown" if child.digest in subject_of else child.os,
                architecture="unknown" if child.digest in subject_of else child.architecture,
                variant=child.variant,
                attests=subject_of.get(child.digest, ""),
            )
            for position, child in enumerate(children)
        )
    return present(repository, found, **fields)


def referrer(
    repository: Repository,
    subject: Artifact,
    kind: Manifest.Kind = Manifest.Kind.SIGNATURE,
    *,
    artifact_type: str = mediatypes.COSIGN_SIGNATURE,
    content: str = "signature",
) -> Artifact:
    """Something that says of itself that it is about `subject`."""
    digest = subject.manifest.digest
    return artifact(
        repository, f"{content} of {digest}", kind, artifact_type=artifact_type, subject=digest
    )


def artifact(
    repository: Repository,
    content: str,
    kind: Manifest.Kind = Manifest.Kind.ARTIFACT,
    *,
    artifact_type: str = "application/vnd.example.thing",
    subject: str = "",
    annotations: Mapping[str, str] | None = None,
    size: int = 4_096,
) -> Artifact:
    """A manifest that is no image, with one blob: a chart, a signature, whatever its type says."""
    config = _descriptor(artifact_type, digest_of(EMPTY_CONFIG), len(EMPTY_CONFIG))
    raw = _manifest_document(
        mediatypes.OCI_MANIFEST,
        artifactType=artifact_type,
        config=config,
        layers=[_descriptor("application/octet-stream", digest_of(content), size)],
        subject={"digest": subject} if subject else None,
        annotations=annotations,
    )
    found, is_new = Manifest.objects.get_or_create(
        digest=digest_of(raw),
        defaults={
            "media_type": mediatypes.OCI_MANIFEST,
            "artifact_type": artifact_type,
            "kind": kind,
            "size": len(raw),
            "total_size": len(raw) + size,
            "config_digest": digest_of(EMPTY_CONFIG),
            "subject_digest": subject,
            "annotations": dict(annotations or {}),
            "raw": raw,
        },
    )
    if is_new:
        _put_layers(found, [(content, size, "application/octet-stream")])
    return present(repository, found)


def present(repository: Repository, manifest: Manifest, **fields: Any) -> Artifact:
    """The manifest in the repository, first seen at NOON and read completely."""
    defaults = {
        "first_seen_at": NOON,
        "details": Artifact.Details.COMPLETE,
        "size": manifest.total_size,
        "is_untagged": True,  # until it is counted, a candidate
    }
    found, _ = Artifact.objects.get_or_create(
        repository=repository, manifest=manifest, defaults=defaults | fields
    )
    return found


def tag(
    repository: Repository,
    name: str,
    artifact: Artifact,
    *,
    at: datetime = NOON,
    dated_by: Tag.DatedBy = Tag.DatedBy.BUILT,
) -> Tag:
    """A tag that points at the artifact."""
    TagName.objects.get_or_create(name=name)
    return Tag.objects.create(
        repository=repository,
        name=name,
        artifact=artifact,
        version_key=version_key(name),
        size=artifact.manifest.total_size,
        dated_at=at,
        dated_by=dated_by,
        first_seen_at=at,
    )


def move(
    repository: Repository,
    tag: str,
    old: Artifact | None,
    new: Artifact | None,
    *,
    at: datetime = NOON,
    source: TagMove.Source = TagMove.Source.SYNC,
) -> TagMove:
    """A change of a tag; no old artifact is a tag that came, no new one a tag that went."""
    return TagMove.objects.create(
        registry=repository.registry,
        repository=repository,
        tag=tag,
        old_digest=old.manifest.digest if old else "",
        new_digest=new.manifest.digest if new else "",
        at=at,
        source=source,
        actor_kind=SYSTEM.kind,
        actor_id=SYSTEM.id,
        actor_label=SYSTEM.label,
    )


def recount(registry: Registry) -> None:
    """Sets the stored counters and the namespaces to what the rows say."""
    for one in registry.repositories.all():
        sizes = one.artifacts.aggregate(Count("id"), Sum("manifest__total_size"))
        one.artifact_count = sizes["id__count"]
        one.logical_bytes = sizes["manifest__total_size__sum"] or 0
        blobs = Blob.objects.filter(
            id__in=ManifestLayer.objects.filter(manifest__artifacts__repository=one).values("blob")
        )
        one.unique_bytes = blobs.aggregate(Sum("size"))["size__sum"] or 0
        one.tag_count = one.tags.count()
        one.pushed_at = one.tags.aggregate(Max("dated_at"))["dated_at__max"]
        one.save()
    registry.namespaces.all().delete()
    for path in sorted(_namespaces(registry)):
        below = registry.repositories.under(path).present()
        totals = below.aggregate(Count("id"), Sum("tag_count"), Sum("logical_bytes"))
        Namespace.objects.create(
            registry=registry,
            path=path,
            parent=path.rpartition("/")[0],
            repository_count=totals["id__count"],
            tag_count=totals["tag_count__sum"] or 0,
            logical_bytes=totals["logical_bytes__sum"] or 0,
        )
    present = registry.repositories.present()
    registry.repository_count = present.count()
    registry.tag_count = present.aggregate(Sum("tag_count"))["tag_count__sum"] or 0
    registry.unique_bytes = present.aggregate(Sum("unique_bytes"))["unique_bytes__sum"] or 0
    registry.save()


def _namespaces(registry: Registry) -> set[str]:
    found: set[str] = set()
    for path in registry.repositories.present().values_list("namespace", flat=True):
        parts = path.split("/") if path else []
        found |= {"/".join(parts[: end + 1]) for end in range(len(parts))}
    return found


def _image_config(
    name: str,
    platform: str,
    layers: Sequence[Layer],
    created: datetime | None,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    os, architecture, variant = [*platform.split("/"), None, None][:3]
    moment = created.isoformat() if created else None
    steps = [
        {"created": moment, "created_by": step, "comment": None, "empty_layer": False}
        for _, _, step in layers
    ]
    # As builders do it: what only changes the config makes no layer.
    last = {"created": moment, "created_by": f'CMD ["{name}"]', "comment": None}
    return {
        "os": os,
        "architecture": architecture,
        "variant": variant,
        "os_version": None,
        "created": moment,
        "author": None,
        "entrypoint": [f"/usr/bin/{name}"],
        "cmd": ["--serve"],
        "env": ["PATH=/usr/local/bin:/usr/bin", f"APP={name}"],
        "labels": {"org.opencontainers.image.title": name},
        "working_dir": "/srv",
        "user": "1000",
        "exposed_ports": ["8080/tcp"],
        "volumes": [],
        "stop_signal": None,
        "history": [*steps, last | {"empty_layer": True}],
        "diff_ids": [digest_of(f"diff {content}") for content, _, _ in layers],
    } | dict(config)


def _attestation(repository: Repository, subject: Manifest) -> Manifest:
    made = artifact(
        repository,
        f"provenance of {subject.digest}",
        Manifest.Kind.ATTESTATION,
        artifact_type=mediatypes.IN_TOTO,
    )
    return made.manifest


def _manifest_document(media_type: str, **parts: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": media_type}
    document |= {name: part for name, part in parts.items() if part}
    return json.dumps(document, indent=2).encode()


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _put_layers(manifest: Manifest, layers: Sequence[tuple[str, int, str]]) -> None:
    for position, (content, size, media_type) in enumerate(layers):
        blob, _ = Blob.objects.get_or_create(digest=digest_of(content), defaults={"size": size})
        ManifestLayer.objects.create(
            manifest=manifest, position=position, blob=blob, media_type=media_type
        )
