"""Images and other artifacts as values, made of a few bytes: what real tools push, in small.

A `Manifest` carries what must be in the registry before it: its blobs and its children.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
OCI_MANIFEST = f"{OCI}.manifest.v1+json"
OCI_INDEX = f"{OCI}.index.v1+json"
DOCKER_MANIFEST = f"{DOCKER}.distribution.manifest.v2+json"
DOCKER_LIST = f"{DOCKER}.distribution.manifest.list.v2+json"

Document = dict[str, Any]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Blob:
    media_type: str
    data: bytes
    diff_id: str = ""  # of a layer: the digest of what it unpacks to

    @cached_property
    def digest(self) -> str:
        return digest_of(self.data)

    def descriptor(self, **more: Any) -> Document:
        return {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": len(self.data),
            **more,
        }


EMPTY = Blob("application/vnd.oci.empty.v1+json", b"{}")


@dataclass(frozen=True)
class Manifest:
    media_type: str
    data: bytes
    blobs: tuple[Blob, ...] = ()
    children: tuple["Manifest", ...] = ()
    platform: str = ""  # "linux/arm64/v8"
    subject: str = ""  # digest of what it refers to

    @cached_property
    def digest(self) -> str:
        return digest_of(self.data)

    @property
    def document(self) -> Document:
        document: Document = json.loads(self.data)
        return document

    def descriptor(self, **more: Any) -> Document:
        return {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": len(self.data),
            **more,
        }


def layer(files: Mapping[str, bytes], *, docker: bool = False) -> Blob:
    """A layer that holds these files; the same files give the same digest."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    media_type = f"{DOCKER}.image.rootfs.diff.tar.gzip" if docker else f"{OCI}.layer.v1.tar+gzip"
    plain = unpacked.getvalue()
    return Blob(media_type, gzip.compress(plain, mtime=0), digest_of(plain))


def image(
    *layers: Blob,
    platform: str = "linux/amd64",
    created: str = "2026-01-02T03:04:05Z",
    config: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    docker: bool = False,
) -> Manifest:
    """A single-platform image. `config` is the run configuration (`Env`, `Labels`, ...)."""
    os, architecture, *variant = platform.split("/")
    document = {
        "created": created,
        "os": os,
        "architecture": architecture,
        **({"variant": variant[0]} if variant else {}),
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
        "history": [
            {"created": created, "created_by": f"COPY layer-{number} / # buildkit"}
            for number, _ in enumerate(layers, start=1)
        ],
    }
    config_type = f"{DOCKER}.container.image.v1+json" if docker else f"{OCI}.config.v1+json"
    return _manifest(
        Blob(config_type, _json(document)),
        layers,
        media_type=DOCKER_MANIFEST if docker else OCI_MANIFEST,
        platform=platform,
        annotations=annotations,
    )


def index(
    *images: Manifest, annotations: Mapping[str, str] | None = None, docker: bool = False
) -> Manifest:
    """A multi-platform image of single-platform ones."""
    return _index(
        images,
        [one.descriptor(platform=_platform(one.platform)) for one in images],
        media_type=DOCKER_LIST if docker else OCI_INDEX,
        annotations=annotations,
    )


def buildx_index(*images: Manifest) -> Manifest:
    """What `docker buildx build --provenance` pushes: each image and an attestation of it.

    https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
    """
    attestations = [_attestation(one) for one in images]
    return _index(
        (*images, *attestations),
        [one.descriptor(platform=_platform(one.platform)) for one in images]
        + [
            attestation.descriptor(
                platform=_platform("unknown/unknown"),
                annotations={
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": one.digest,
                },
            )
            for one, attestation in zip(images, attestations, strict=True)
        ],
    )


def artifact(
    artifact_type: str,
    body: bytes,
    *,
    subject: Manifest | None = None,
    annotations: Mapping[str, str] | None = None,
    body_type: str = "",
) -> Manifest:
    """Anything that is no image, as OCI 1.1 has it: typed, with an empty config."""
    return _manifest(
        EMPTY,
        [Blob(body_type or artifact_type, body)],
        artifact_type=artifact_type,
        subject=subject,
        annotations=annotations,
    )


def sbom(subject: Manifest) -> Manifest:
    """A bill of materials that refers to `subject`, as `oras attach` pushes it."""
    body = _json({"spdxVersion": "SPDX-2.3", "name": subject.digest, "packages": []})
    return artifact("application/spdx+json", body, subject=subject)


def cosign_signature(subject: Manifest) -> Manifest:
    """A signature as cosign stores it, under the tag `cosign_tag(subject)`.

    https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
    """
    payload = _json(
        {"critical": {"image": {"docker-manifest-digest": subject.digest}}, "optional": None}
    )
    signed = Blob("application/vnd.dev.cosign.simplesigning.v1+json", payload)
    config = Blob(f"{OCI}.config.v1+json", _json({"rootfs": {"type": "layers", "diff_ids": []}}))
    return _manifest(
        config, [signed], layer_annotations={"dev.cosignproject.cosign/signature": "MEUCIQ=="}
    )


def cosign_tag(subject: Manifest, suffix: str = "sig") -> str:
    return f"{fallback_tag(subject.digest)}.{suffix}"


def fallback_tag(digest: str) -> str:
    """The tag that lists what refers to `digest` where a registry has no referrers API.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
    """
    return digest.replace(":", "-")


def helm_chart(name: str, version: str) -> Manifest:
    """A chart as `helm push` stores it: https://helm.sh/docs/topics/registries/"""
    chart = _json({"apiVersion": "v2", "name": name, "version": version})
    content = layer({f"{name}/Chart.yaml": chart})
    return _manifest(
        Blob("application/vnd.cncf.helm.config.v1+json", chart),
        [Blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", content.data)],
        annotations={
            "org.opencontainers.image.title": name,
            "org.opencontainers.image.version": version,
        },
    )


def _attestation(subject: Manifest) -> Manifest:
    statement = Blob(
        "application/vnd.in-toto+json",
        _json(
            {
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": "https://slsa.dev/provenance/v0.2",
                "subject": [{"digest": {"sha256": subject.digest.removeprefix("sha256:")}}],
            }
        ),
        "sha256:" + "0" * 64,
    )
    return image(statement, platform="unknown/unknown")


def _manifest(
    config: Blob,
    layers: Sequence[Blob],
    *,
    media_type: str = OCI_MANIFEST,
    artifact_type: str = "",
    subject: Manifest | None = None,
    platform: str = "",
    annotations: Mapping[str, str] | None = None,
    layer_annotations: Mapping[str, str] | None = None,
) -> Manifest:
    on_layers = {"annotations": dict(layer_annotations)} if layer_annotations else {}
    document: Document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        **({"artifactType": artifact_type} if artifact_type else {}),
        "config": config.descriptor(),
        "layers": [one.descriptor(**on_layers) for one in layers],
        **({"subject": subject.descriptor()} if subject else {}),
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Manifest(
        media_type,
        _json(document),
        blobs=(config, *layers),
        platform=platform,
        subject=subject.digest if subject else "",
    )


def _index(
    children: Sequence[Manifest],
    descriptors: Sequence[Document],
    *,
    media_type: str = OCI_INDEX,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    document: Document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": list(descriptors),
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Manifest(media_type, _json(document), children=tuple(children))


def _platform(text: str) -> Document:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def _json(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
