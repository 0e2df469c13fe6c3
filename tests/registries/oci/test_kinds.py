"""What each thing is, by the conventions of those who made it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci import mediatypes
from registries.oci.descriptors import Descriptor
from registries.oci.documents import parse_manifest
from registries.oci.kinds import COSIGN_SIGN_PREDICATE, Kind, recognise
from registries.oci.reference import Digest
from tests.fakes import content

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IMAGE_CONFIG = (b"{}", mediatypes.OCI_CONFIG)
PREDICATE = "dev.sigstore.bundle.predicateType"


@pytest.mark.parametrize(
    ("pushed", "kind", "artifact_type"),
    [
        (content.image(), Kind.IMAGE, None),
        (content.image(docker=True), Kind.IMAGE, None),
        (content.chart(), Kind.CHART, mediatypes.HELM_CONFIG),
        # cosign 1 and 2: an image's config, told apart by the layers
        (
            content.typed_artifact(mediatypes.COSIGN_SIGNATURE, config=IMAGE_CONFIG),
            Kind.SIGNATURE,
            None,
        ),
        (
            content.typed_artifact(mediatypes.DSSE_ENVELOPE, config=IMAGE_CONFIG),
            Kind.ATTESTATION,
            None,
        ),
        (content.typed_artifact("text/spdx+json", config=IMAGE_CONFIG), Kind.SBOM, None),
        (
            content.typed_artifact("application/vnd.cyclonedx+json; version=1.5"),
            Kind.SBOM,
            mediatypes.OCI_EMPTY,
        ),
        # cosign 3: one type for all, told apart by annotations
        (content.artifact(BUNDLE), Kind.SIGNATURE, BUNDLE),
        (
            content.artifact(BUNDLE, annotations={PREDICATE: COSIGN_SIGN_PREDICATE}),
            Kind.SIGNATURE,
            BUNDLE,
        ),
        (
            content.artifact(BUNDLE, annotations={PREDICATE: "https://slsa.dev/provenance/v1"}),
            Kind.ATTESTATION,
            BUNDLE,
        ),
        (
            content.artifact(mediatypes.NOTATION_SIGNATURE),
            Kind.SIGNATURE,
            mediatypes.NOTATION_SIGNATURE,
        ),
        (content.artifact("application/spdx+json"), Kind.SBOM, "application/spdx+json"),
        (content.buildkit_attestation(content.image()), Kind.ATTESTATION, None),
        (
            content.artifact(mediatypes.DOCKER_ATTESTATION),
            Kind.ATTESTATION,
            mediatypes.DOCKER_ATTESTATION,
        ),
        (
            content.artifact("application/vnd.example+type"),
            Kind.ARTIFACT,
            "application/vnd.example+type",
        ),
        (
            content.artifact(config=(b"{}", "application/vnd.wasm.config.v1+json")),
            Kind.ARTIFACT,
            "application/vnd.wasm.config.v1+json",
        ),
        (
            content.artifact("application/vnd.example+type", config=IMAGE_CONFIG),
            Kind.ARTIFACT,
            "application/vnd.example+type",
        ),
    ],
)
def test_what_a_manifest_is(pushed: content.Pushed, kind: Kind, artifact_type: str | None) -> None:
    manifest = parse_manifest(pushed.raw, pushed.media_type)
    assert (manifest.kind, manifest.artifact_type) == (kind, artifact_type)


def test_an_attestation_names_what_it_states() -> None:
    buildkit = content.buildkit_attestation(content.image())
    manifest = parse_manifest(buildkit.raw, buildkit.media_type)
    assert manifest.predicate_types == ("https://slsa.dev/provenance/v0.2",)
    sigstore = content.artifact(BUNDLE, annotations={PREDICATE: "https://spdx.dev/Document"})
    manifest = parse_manifest(sigstore.raw, sigstore.media_type)
    assert manifest.predicate_types == ("https://spdx.dev/Document",)


TYPES = st.sampled_from(
    [
        "",
        BUNDLE,
        mediatypes.COSIGN_SIGNATURE,
        mediatypes.DSSE_ENVELOPE,
        mediatypes.IN_TOTO,
        mediatypes.DOCKER_ATTESTATION,
        mediatypes.HELM_CONFIG,
        *sorted(mediatypes.SBOM_TYPES | mediatypes.IMAGE_CONFIG_TYPES),
    ]
) | st.text(max_size=5)


@given(
    st.sampled_from(sorted(mediatypes.MANIFEST_TYPES | mediatypes.INDEX_TYPES)) | st.text(),
    st.none() | TYPES,
    st.none() | TYPES,
    st.lists(TYPES, max_size=3),
    st.dictionaries(st.sampled_from([PREDICATE, "predicateType"]), st.text()),
)
def test_everything_is_something_and_the_order_of_layers_does_not_matter(
    media_type: str,
    artifact_type: str | None,
    config_type: str | None,
    layer_types: list[str],
    annotations: dict[str, str],
) -> None:
    digest = Digest("sha256:" + "a" * 64)
    config = None if config_type is None else Descriptor(digest, config_type)
    layers = [Descriptor(digest, it) for it in layer_types]
    kind = recognise(media_type, artifact_type, config, layers, annotations)
    assert kind is recognise(media_type, artifact_type, config, layers[::-1], annotations)
    if kind is Kind.IMAGE and media_type not in mediatypes.SCHEMA1_TYPES:
        assert config_type in mediatypes.IMAGE_CONFIG_TYPES
        assert mediatypes.IN_TOTO not in layer_types
