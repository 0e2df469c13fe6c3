"""Media types of the manifests, configs and layers Portolan knows by name."""

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_SIGNED_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"

COSIGN_SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
SIGSTORE_BUNDLE_PREFIX = "application/vnd.dev.sigstore.bundle"
NOTATION_SIGNATURE = "application/vnd.cncf.notary.signature"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"

SBOM_TYPES = frozenset(
    {
        "text/spdx",
        "text/spdx+json",
        "text/spdx+xml",
        "application/spdx+json",
        "application/vnd.cyclonedx",
        "application/vnd.cyclonedx+json",
        "application/vnd.cyclonedx+xml",
        "application/vnd.syft+json",
    }
)

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMA1_TYPES = frozenset({DOCKER_SIGNED_SCHEMA1, DOCKER_SCHEMA1})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT}) | SCHEMA1_TYPES
IMAGE_CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})

# All of them, always: Distribution reads neither `q` nor `*/*`, answers 404 for an OCI manifest
# asked for without its type, and rewrites a list into another manifest (with another digest) for
# clients that do not name the list types.
ACCEPT = ", ".join(
    (
        OCI_INDEX,
        OCI_MANIFEST,
        DOCKER_LIST,
        DOCKER_MANIFEST,
        DOCKER_SIGNED_SCHEMA1,
        DOCKER_SCHEMA1,
        OCI_ARTIFACT,
    )
)


def bare(content_type: str | None) -> str:
    """Return a Content-Type without its parameters, in lower case; empty if there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_index(media_type: str | None) -> bool:
    """Say whether the type names a list of manifests."""
    return media_type in INDEX_TYPES


def is_manifest(media_type: str | None) -> bool:
    """Say whether the type names a single manifest."""
    return media_type in MANIFEST_TYPES


def is_sbom(media_type: str | None) -> bool:
    """Say whether the type is a software bill of materials, whatever its version parameter."""
    return media_type in SBOM_TYPES or bare(media_type) in SBOM_TYPES
