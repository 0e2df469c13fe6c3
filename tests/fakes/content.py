"""Documents to fill a registry with, small and true to their specifications."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registries.oci import mediatypes


def digest_of(raw: bytes) -> str:
    """Return the sha256 digest, computed here so that the code under test is not its own judge."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON, the way tools push it."""
    return json.dumps(document, indent=2).encode()


@dataclass(frozen=True)
class Pushed:
    """A manifest ready to be pushed, with the blobs it names."""

    raw: bytes
    media_type: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    payload: bytes | None = None

    @property
    def digest(self) -> str:
        """The digest the registry knows it by."""
        return digest_of(self.raw if self.payload is None else self.payload)

    @property
    def document(self) -> dict[str, Any]:
        """The manifest as a document."""
        return dict(json.loads(self.raw))

    def as_referrer_of(self, subject: str) -> dict[str, Any] | None:
        """Return its entry among the referrers of `subject`, None if it is not one."""
        document = self.document
        if document.get("subject", {}).get("digest") != subject:
            return None
        config = document.get("config", {}).get("mediaType")
        return descriptor(
            self.raw,
            self.media_type,
            artifactType=document.get("artifactType", config),
            annotations=document.get("annotations", {}),
        )


@dataclass
class Holdings:
    """What one repository holds."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, Pushed] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


def descriptor(raw: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    """Return a descriptor of `raw`; `more` are further fields such as annotations."""
    return {"mediaType": media_type, "digest": digest_of(raw), "size": len(raw), **more}


def image(
    name: str = "image",
    *,
    os: str = "linux",
    architecture: str = "amd64",
    layers: Sequence[bytes] = (b"base", b"app"),
    labels: Mapping[str, str] | None = None,
    created: str = "2026-03-01T12:00:00.123456789Z",
    docker: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> Pushed:
    """Return an image; another `name` is another image."""
    config = as_bytes(
        {
            "os": os,
            "architecture": architecture,
            "created": created,
            "config": {
                "Cmd": ["/bin/sh"],
                "Env": ["A=b"],
                "Labels": {"name": name, **(labels or {})},
            },
            "rootfs": {"type": "layers", "diff_ids": [digest_of(b"tar" + it) for it in layers]},
            "history": [
                {"created": created, "created_by": f"COPY {n}"} for n in range(len(layers))
            ],
        }
    )
    layer_type = (
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
        if docker
        else "application/vnd.oci.image.layer.v1.tar+gzip"
    )
    media_type = mediatypes.DOCKER_MANIFEST if docker else mediatypes.OCI_MANIFEST
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor(config, mediatypes.DOCKER_CONFIG if docker else mediatypes.OCI_CONFIG),
        "layers": [descriptor(layer, layer_type) for layer in layers],
    }
    if annotations:
        document["annotations"] = dict(annotations)
    blobs = {digest_of(it): it for it in (config, *layers)}
    return Pushed(as_bytes(document), media_type, blobs)


def index(
    children: Sequence[tuple[Pushed, str, str]], *, attested: bool = False, docker: bool = False
) -> tuple[Pushed, list[Pushed]]:
    """Return an index over (image, os, architecture) and every manifest it lists.

    `attested` adds what BuildKit adds: one attestation for each image, listed as no platform.
    """
    manifests = [child for child, _, _ in children]
    entries = [
        descriptor(child.raw, child.media_type, platform={"os": os, "architecture": architecture})
        for child, os, architecture in children
    ]
    for child, _, _ in children if attested else ():
        attestation = buildkit_attestation(child)
        manifests.append(attestation)
        entries.append(
            descriptor(
                attestation.raw,
                attestation.media_type,
                platform={"os": "unknown", "architecture": "unknown"},
                annotations={
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": child.digest,
                },
            )
        )
    media_type = mediatypes.DOCKER_LIST if docker else mediatypes.OCI_INDEX
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return Pushed(as_bytes(document), media_type), manifests


def buildkit_attestation(subject: Pushed) -> Pushed:
    """Return what BuildKit attaches to an image: an image's config, in-toto layers."""
    statement = as_bytes({"_type": "https://in-toto.io/Statement/v0.1", "for": subject.digest})
    layer = descriptor(
        statement,
        mediatypes.IN_TOTO,
        annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
    )
    return artifact(
        config=(b'{"architecture":"unknown","os":"unknown"}', mediatypes.OCI_CONFIG),
        layers=[(statement, layer)],
    )


def artifact(
    artifact_type: str | None = None,
    *,
    config: tuple[bytes, str] = (b"{}", mediatypes.OCI_EMPTY),
    layers: Sequence[tuple[bytes, Mapping[str, Any]]] = (),
    subject: Pushed | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Pushed:
    """Return an OCI artifact; layers are (bytes, descriptor)."""
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_MANIFEST,
        "config": descriptor(*config),
        "layers": [dict(described) for _, described in layers],
    }
    if artifact_type:
        document["artifactType"] = artifact_type
    if subject:
        document["subject"] = descriptor(subject.raw, subject.media_type)
    if annotations:
        document["annotations"] = dict(annotations)
    blobs = {digest_of(raw): raw for raw in (config[0], *(raw for raw, _ in layers))}
    return Pushed(as_bytes(document), mediatypes.OCI_MANIFEST, blobs)


def typed_artifact(layer_type: str, raw: bytes = b"content", **more: Any) -> Pushed:
    """Return an artifact with one layer of the given type."""
    return artifact(layers=[(raw, descriptor(raw, layer_type))], **more)


def chart() -> Pushed:
    """Return a Helm chart."""
    layer = b"chart"
    return artifact(
        config=(b'{"name":"chart"}', mediatypes.HELM_CONFIG),
        layers=[(layer, descriptor(layer, "application/vnd.cncf.helm.chart.content.v1.tar+gzip"))],
    )


def schema1(name: str = "library/old", tag: str = "latest", *, signed: bool = True) -> Pushed:
    """Return a schema 1 image of three steps, the middle one without a layer of its own.

    The signature has the form of a real one (JWS over the payload, given by length and tail)
    without its cryptography, which no registry client checks.
    """
    base, empty, app = (digest_of(it) for it in (b"base", b"", b"app"))
    steps: list[dict[str, Any]] = [
        {
            "id": "c",
            "created": "2016-05-03T10:00:00Z",
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["serve"], "Env": ["PATH=/bin"], "Labels": {"old": "yes"}},
            "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) ADD app"]},
        },
        {
            "id": "b",
            "created": "2016-05-02T10:00:00Z",
            "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) ENV A=b"]},
            "throwaway": True,
        },
        {"id": "a", "created": "2016-05-01T10:00:00Z", "container_config": {"Cmd": ["base"]}},
    ]
    document = {
        "schemaVersion": 1,
        "name": name,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": app}, {"blobSum": empty}, {"blobSum": base}],
        "history": [{"v1Compatibility": json.dumps(step)} for step in steps],
    }
    payload = json.dumps(document, indent=3).encode()
    if not signed:
        return Pushed(payload, mediatypes.DOCKER_SCHEMA1)
    cut = payload.rindex(b"\n}")
    protected = {"formatLength": cut, "formatTail": base64url(payload[cut:]), "time": "2016"}
    signatures = [{"signature": "c2ln", "protected": base64url(json.dumps(protected).encode())}]
    tail = b',\n   "signatures": ' + json.dumps(signatures).encode() + b"\n}"
    return Pushed(payload[:cut] + tail, mediatypes.DOCKER_SIGNED_SCHEMA1, payload=payload)


def base64url(raw: bytes) -> str:
    """Return base64 as JWS writes it: without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
