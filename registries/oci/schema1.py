"""Docker's schema 1 manifests: deprecated since 2017 and still found in old registries.

A signed one is JSON with its JWS signatures inside; its digest is over the payload alone. The
image's config and history are texts of JSON inside (`v1Compatibility`), newest first.
Specification: distribution/distribution docs/content/spec/manifest-v2-1.md (2.8) and
docker/libtrust jsonsign.go.
"""

import base64
import binascii
from typing import Any

from registries.oci import untrusted
from registries.oci.configs import HistoryStep, ImageConfig, config_from
from registries.oci.descriptors import Descriptor, list_or_null
from registries.oci.errors import InvalidDocument
from registries.oci.reference import Digest, is_digest

_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def payload_of(raw: bytes, document: dict[str, Any]) -> bytes:
    """Return the bytes that were signed, or `raw` itself when there is no signature.

    The digest is over these bytes, so nothing else in `raw` is to be believed: where they end is
    the sender's word, and any bytes at all could follow. Raises `InvalidDocument` when `raw` is not
    what libtrust writes: the signed object with its signatures as one more member, the last.
    """
    signatures = list(untrusted.objects(document.get("signatures")))
    if not signatures:
        return raw
    protected = untrusted.load_object(
        _decode(signatures[0].get("protected")), "signature of the manifest"
    )
    length = untrusted.size(protected.get("formatLength"))
    tail = _decode(protected.get("formatTail"))
    if length is None or tail.strip() != b"}" or not _adds_signatures_alone(raw[length:]):
        raise InvalidDocument("The signature of the manifest does not say what it signs.")
    return raw[:length] + tail


def _adds_signatures_alone(rest: bytes) -> bool:
    """Say whether this ends an object, after its other members, with `signatures`."""
    comma, members = rest.lstrip()[:1], rest.lstrip()[1:]
    if comma != b",":
        return False
    added = untrusted.load_object(b"{" + members, "end of the signed manifest")
    return added.keys() == {"signatures"}


def layers_and_config(document: dict[str, Any]) -> tuple[tuple[Descriptor, ...], ImageConfig]:
    """Return the layers, oldest first and of unknown size, and the config of the image.

    Steps marked `throwaway` changed no file: their empty layers are left out, as Docker does when
    it converts such an image, so that layers and history steps line up.
    """
    if document.get("schemaVersion") != 1:
        raise InvalidDocument("The manifest is not of schema version 1.")
    blobs = [_blob_sum(item) for item in list_or_null(document.get("fsLayers"), "layer")]
    versions = [
        untrusted.load_object(text.encode("utf-8", "replace"), "history of the manifest")
        for entry in untrusted.objects(document.get("history"))
        if isinstance(text := entry.get("v1Compatibility"), str)
    ]
    if len(versions) != len(blobs):
        raise InvalidDocument("The manifest does not have one history step for each layer.")
    oldest_first = list(zip(blobs, versions, strict=True))[::-1]
    layers = tuple(
        Descriptor(digest=blob, media_type=_LAYER)
        for blob, version in oldest_first
        if version.get("throwaway") is not True
    )
    history = tuple(_step(version) for _, version in oldest_first)
    newest = versions[0] if versions else {}
    if "architecture" not in newest and "architecture" in document:
        newest = {**newest, "architecture": document["architecture"]}
    return layers, config_from(newest, history)


def _blob_sum(item: object) -> Digest:
    digest = item.get("blobSum") if isinstance(item, dict) else None
    if not is_digest(digest):
        raise InvalidDocument("A layer has no valid digest.")
    return Digest(str(digest))


def _step(version: dict[str, Any]) -> HistoryStep:
    command = untrusted.texts(untrusted.mapping(version.get("container_config")).get("Cmd"))
    return HistoryStep(
        created=untrusted.moment(version.get("created")),
        created_by=" ".join(command) or None,
        comment=untrusted.text(version.get("comment")),
        empty_layer=version.get("throwaway") is True,
    )


def _decode(value: object) -> bytes:
    if not isinstance(value, str):
        raise InvalidDocument("The signature of the manifest is incomplete.")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise InvalidDocument("The signature of the manifest is not base64.") from None
