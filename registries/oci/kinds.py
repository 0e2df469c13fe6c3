"""What a manifest is, from the types it names.

Conventions: sigstore/cosign specs (signature, attestation and bundle), moby/buildkit
docs/attestations, helm/community hip-0006, notaryproject specifications, in-toto/attestation.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from registries.oci import mediatypes
from registries.oci.descriptors import Descriptor

# The predicate cosign 3 gives to a plain image signature inside a bundle.
COSIGN_SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"

_PREDICATE_ANNOTATIONS = (
    "in-toto.io/predicate-type",
    "predicateType",
    "dev.sigstore.bundle.predicateType",
)
_BUNDLE_CONTENT = "dev.sigstore.bundle.content"

# Nearly every manifest names nothing else, and is then recognised at once.
_PLAIN_IMAGE = mediatypes.IMAGE_CONFIG_TYPES | {
    "",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
}


class Kind(StrEnum):
    """What a manifest is, in the words shown to people."""

    IMAGE = "image"
    INDEX = "index"
    CHART = "chart"
    SIGNATURE = "signature"
    SBOM = "sbom"
    ATTESTATION = "attestation"
    ARTIFACT = "artifact"


def artifact_type_of(
    media_type: str, artifact_type: str | None, config: Descriptor | None
) -> str | None:
    """Return the artifact type: the manifest's own, else its config's; None for plain images.

    OCI Distribution 1.1, "Listing Referrers".
    """
    if artifact_type is not None or config is None or mediatypes.is_index(media_type):
        return artifact_type
    is_image = config.media_type in mediatypes.IMAGE_CONFIG_TYPES
    return None if is_image else config.media_type or None


def predicate_types(
    annotations: Mapping[str, str], layers: Iterable[Descriptor]
) -> tuple[str, ...]:
    """Return the predicate types an attestation names, each once, in order."""
    sources = [item for item in (annotations, *(it.annotations for it in layers)) if item]
    found = (source.get(name) for source in sources for name in _PREDICATE_ANNOTATIONS)
    return tuple(dict.fromkeys(name for name in found if name))


def recognise(
    media_type: str,
    artifact_type: str | None,
    config: Descriptor | None,
    layers: Sequence[Descriptor],
    annotations: Mapping[str, str],
) -> Kind:
    """Return what a manifest is; `artifact_type` is the one it declares itself.

    Layers come before the config: cosign and BuildKit give their documents an image's config.
    """
    if mediatypes.is_index(media_type):
        return Kind.INDEX
    if media_type in mediatypes.SCHEMA1_TYPES:
        return Kind.IMAGE
    config_type = config.media_type if config is not None else ""
    named = {artifact_type or "", config_type, *(layer.media_type for layer in layers)}
    if config_type in mediatypes.IMAGE_CONFIG_TYPES and named <= _PLAIN_IMAGE:
        return Kind.IMAGE
    if bundle := _bundle_kind(named, annotations, layers):
        return bundle
    if named & {mediatypes.COSIGN_SIGNATURE, mediatypes.NOTATION_SIGNATURE}:
        return Kind.SIGNATURE
    if named & {
        mediatypes.DOCKER_ATTESTATION,
        mediatypes.IN_TOTO,
        mediatypes.DSSE_ENVELOPE,
    }:
        return Kind.ATTESTATION
    if any(map(mediatypes.is_sbom, named)):
        return Kind.SBOM
    if config_type == mediatypes.HELM_CONFIG:
        return Kind.CHART
    is_image = config_type in mediatypes.IMAGE_CONFIG_TYPES and artifact_type is None
    return Kind.IMAGE if is_image else Kind.ARTIFACT


def _bundle_kind(
    named: Iterable[str], annotations: Mapping[str, str], layers: Sequence[Descriptor]
) -> Kind | None:
    """Tell signatures from attestations among sigstore bundles, which share one type."""
    if not any(name.startswith(mediatypes.SIGSTORE_BUNDLE_PREFIX) for name in named):
        return None
    predicates = set(predicate_types(annotations, layers)) - {COSIGN_SIGN_PREDICATE}
    is_message = annotations.get(_BUNDLE_CONTENT) == "message-signature"
    return Kind.ATTESTATION if predicates and not is_message else Kind.SIGNATURE
