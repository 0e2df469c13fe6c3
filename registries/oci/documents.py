"""Manifests of every kind, read into one frozen value.

OCI Image specification 1.1 (manifest, index), Docker image manifest V2 schemas 1 and 2, and the
short-lived OCI artifact manifest.
"""

from dataclasses import dataclass, field
from typing import Any

from registries.oci import mediatypes, schema1, untrusted
from registries.oci.configs import ImageConfig
from registries.oci.descriptors import (
    Child,
    Descriptor,
    list_or_null,
    parse_child,
    parse_descriptor,
    parse_descriptors,
)
from registries.oci.errors import InvalidDocument
from registries.oci.kinds import Kind, artifact_type_of, predicate_types, recognise
from registries.oci.reference import Digest, digest_of

_SINGLE_KEYS = ("layers", "config", "fsLayers", "blobs")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest: what it is, what it holds, and the bytes its digest names.

    `size` is in bytes, of the document itself. `layers` are oldest first. `children` are an
    index's. `image_config` is there only for schema 1, which carries its config inside.
    """

    digest: Digest
    media_type: str
    kind: Kind
    raw: bytes = field(repr=False)
    size: int
    artifact_type: str | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Child, ...] = ()
    subject: Descriptor | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    predicate_types: tuple[str, ...] = ()
    image_config: ImageConfig | None = None


def parse_manifest(raw: bytes, media_type: str | None, *, digest: Digest | None = None) -> Manifest:
    """Return the manifest in `raw`, or raise `InvalidDocument`.

    `media_type` is the Content-Type it came with. `digest` is given by a caller who has verified
    the bytes against it already, else the sha256 of the bytes (for schema 1, of what was signed)
    is taken.
    """
    document = untrusted.load_object(raw, "manifest")
    media_type = _media_type(document, mediatypes.bare(media_type))
    if media_type in mediatypes.SCHEMA1_TYPES:
        return _schema1(raw, media_type, document)
    digest = digest or digest_of(raw)
    annotations = untrusted.text_map(document.get("annotations"))
    artifact_type = untrusted.text(document.get("artifactType"))
    subject = document.get("subject")
    if mediatypes.is_index(media_type):
        entries = list_or_null(document.get("manifests"), "manifest list entry")
        return Manifest(
            digest=digest,
            media_type=media_type,
            kind=Kind.INDEX,
            raw=raw,
            size=len(raw),
            artifact_type=artifact_type,
            children=tuple(parse_child(entry) for entry in entries),
            subject=None if subject is None else parse_descriptor(subject, "subject"),
            annotations=annotations,
        )
    # The OCI artifact manifest of 2022 says `blobs` where all others say `layers`.
    held = document.get("blobs" if media_type == mediatypes.OCI_ARTIFACT else "layers")
    layers = tuple(parse_descriptors(held, "layer"))
    config = document.get("config")
    config = None if config is None else parse_descriptor(config, "config")
    return Manifest(
        digest=digest,
        media_type=media_type,
        kind=recognise(media_type, artifact_type, config, layers, annotations),
        raw=raw,
        size=len(raw),
        artifact_type=artifact_type_of(media_type, artifact_type, config),
        config=config,
        layers=layers,
        subject=None if subject is None else parse_descriptor(subject, "subject"),
        annotations=annotations,
        predicate_types=predicate_types(annotations, layers),
    )


def _schema1(raw: bytes, media_type: str, document: dict[str, Any]) -> Manifest:
    payload = schema1.payload_of(raw, document)
    if payload is not raw:
        # What the digest does not cover could be anything.
        document = untrusted.load_object(payload, "signed manifest")
        if "signatures" in document or _media_type(document, media_type) != media_type:
            raise InvalidDocument("The document is not of the type it is given as.")
    layers, image_config = schema1.layers_and_config(document)
    return Manifest(
        digest=digest_of(payload),
        media_type=media_type,
        kind=Kind.IMAGE,
        raw=raw,
        size=len(raw),
        layers=layers,
        image_config=image_config,
    )


def _media_type(document: dict[str, Any], announced: str) -> str:
    """Return what a document is, or raise `InvalidDocument` if it can be read as two things.

    A document that is an index to one reader and a manifest to another lets one digest mean two
    contents (CVE-2021-41190). The body's own `mediaType` goes first: unlike the header it is part
    of what the digest covers, so every registry gives the same answer.
    """
    lists = document.get("manifests") is not None
    holds = any(document.get(key) is not None for key in _SINGLE_KEYS)
    if lists and holds:
        raise InvalidDocument("The document is a manifest and a list of manifests at once.")
    declared = document.get("mediaType")
    named = [
        name
        for name in (declared, announced)
        if isinstance(name, str) and (mediatypes.is_index(name) or mediatypes.is_manifest(name))
    ]
    media_type = named[0] if named else _by_shape(document)
    is_index = mediatypes.is_index(media_type)
    if any(mediatypes.is_index(name) != is_index for name in named) or (
        holds if is_index else lists
    ):
        raise InvalidDocument("The document is not of the type it is given as.")
    if (media_type in mediatypes.SCHEMA1_TYPES) != ("fsLayers" in document):
        raise InvalidDocument("The document is not of the type it is given as.")
    # Its layers would be read as none, on the word of a header that no digest covers.
    if media_type == mediatypes.OCI_ARTIFACT != declared and "layers" in document:
        raise InvalidDocument("The document is not of the type it is given as.")
    return media_type


def _by_shape(document: dict[str, Any]) -> str:
    if "manifests" in document:
        return mediatypes.OCI_INDEX
    if "fsLayers" in document:
        signed = "signatures" in document
        return mediatypes.DOCKER_SIGNED_SCHEMA1 if signed else mediatypes.DOCKER_SCHEMA1
    if "layers" in document or "config" in document:
        return mediatypes.OCI_MANIFEST
    raise InvalidDocument("The document is JSON, but no manifest of a known kind.")
