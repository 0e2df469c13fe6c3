"""Manifests of every type, and documents that only look like one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci import mediatypes
from registries.oci.documents import Manifest, parse_manifest
from registries.oci.errors import InvalidDocument
from registries.oci.kinds import Kind
from registries.oci.reference import digest_of
from tests.fakes import content
from tests.fakes.content import Pushed

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def parse(document: object, media_type: str | None = None) -> Manifest:
    return parse_manifest(json.dumps(document).encode(), media_type)


def described(**fields: Any) -> dict[str, Any]:
    return {"mediaType": "x/y", "digest": DIGEST, "size": 3, **fields}


def signed(begun: bytes, length: int, tail: bytes) -> bytes:
    """An object that is all but closed, ended with a signature that names its own payload."""
    protected = {"formatLength": length, "formatTail": content.base64url(tail)}
    signature = {"protected": content.base64url(json.dumps(protected).encode())}
    return begun + b',"signatures":' + json.dumps([signature]).encode() + b"}"


@pytest.mark.parametrize("docker", [False, True])
def test_an_image_holds_its_config_and_layers_in_order(docker: bool) -> None:
    pushed = content.image(layers=(b"base", b"middle", b"top"), docker=docker)
    manifest = parse_manifest(pushed.raw, pushed.media_type)
    assert manifest.kind is Kind.IMAGE
    assert manifest.digest == pushed.digest
    assert manifest.size == len(manifest.raw) == len(pushed.raw)
    assert [(it.digest, it.size) for it in manifest.layers] == [
        (content.digest_of(it), len(it)) for it in (b"base", b"middle", b"top")
    ]
    assert manifest.config is not None
    assert manifest.config.digest in pushed.blobs
    assert manifest.artifact_type is None
    assert manifest.image_config is None


def test_an_index_has_platforms_annotations_and_a_subject() -> None:
    platform = {"os": "windows", "architecture": "amd64", "os.version": "10.0.1", "variant": "v1"}
    manifest = parse(
        {
            "schemaVersion": 2,
            "manifests": [described(platform=platform, annotations={"k": "v"}, artifactType="a/b")],
            "subject": described(digest=OTHER),
            "annotations": {"org.opencontainers.image.title": "t"},
        },
        mediatypes.OCI_INDEX,
    )
    (child,) = manifest.children
    assert (child.os, child.architecture, child.variant) == ("windows", "amd64", "v1")
    assert (child.os_version, child.artifact_type) == ("10.0.1", "a/b")
    assert child.annotations == {"k": "v"}
    assert manifest.kind is Kind.INDEX
    assert manifest.subject is not None
    assert manifest.subject.digest == OTHER
    assert manifest.annotations == {"org.opencontainers.image.title": "t"}


def test_a_buildkit_attestation_is_never_a_platform() -> None:
    pushed, _ = content.index([(content.image(), "linux", "amd64")], attested=True)
    image, attestation = parse_manifest(pushed.raw, pushed.media_type).children
    assert image.platform == "linux/amd64"
    assert attestation.platform is None
    assert attestation.attests == image.digest


def test_an_unmarked_entry_for_an_unknown_platform_is_no_platform() -> None:
    unknown = {"os": "unknown", "architecture": "unknown"}
    manifest = parse({"manifests": [described(platform=unknown)]})
    assert manifest.children[0].platform is None


def test_a_signed_schema_1_manifest_is_named_by_what_was_signed() -> None:
    pushed = content.schema1()
    manifest = parse_manifest(pushed.raw, pushed.media_type)
    assert manifest.digest == pushed.digest != digest_of(pushed.raw)
    assert parse_manifest(pushed.raw, "application/json").digest == pushed.digest


def test_an_unsigned_schema_1_manifest_is_named_by_its_bytes() -> None:
    pushed = content.schema1(signed=False)
    assert parse_manifest(pushed.raw, pushed.media_type).digest == digest_of(pushed.raw)


def test_a_schema_1_manifest_gives_layers_config_and_history_oldest_first() -> None:
    pushed = content.schema1()
    manifest = parse_manifest(pushed.raw, pushed.media_type)
    assert manifest.kind is Kind.IMAGE
    assert [(it.digest, it.size) for it in manifest.layers] == [
        (content.digest_of(b"base"), 0),
        (content.digest_of(b"app"), 0),
    ]
    config = manifest.image_config
    assert config is not None
    assert (config.os, config.architecture, config.cmd) == ("linux", "amd64", ("serve",))
    assert config.labels == {"old": "yes"}
    assert config.created is not None
    assert config.created.isoformat() == "2016-05-03T10:00:00+00:00"
    assert [(step.created_by, step.empty_layer) for step in config.history] == [
        ("base", False),
        ("/bin/sh -c #(nop) ENV A=b", True),
        ("/bin/sh -c #(nop) ADD app", False),
    ]


@pytest.mark.parametrize(
    "protected", [None, "", "!!!", "e30", "eyJmb3JtYXRMZW5ndGgiOiA5OTk5OTl9", 7]
)
def test_a_schema_1_signature_that_says_nothing_is_invalid(protected: object) -> None:
    document = content.schema1().document | {"signatures": [{"protected": protected}]}
    with pytest.raises(InvalidDocument):
        parse(document)


OLD = content.schema1(signed=False)


@pytest.mark.parametrize("genuine", [content.image(), content.index([])[0], OLD])
def test_what_a_schema_1_signature_does_not_cover_is_never_believed(genuine: Pushed) -> None:
    forged = OLD.document | {"fsLayers": [{"blobSum": OTHER}] * 3}
    raw = signed(json.dumps(forged).encode()[:-1], 1, genuine.raw[1:])
    with pytest.raises(InvalidDocument):
        parse_manifest(raw, mediatypes.DOCKER_SIGNED_SCHEMA1)


@pytest.mark.parametrize(
    "added", ["}", ',"fsLayers":[]', ',"schemaVersion":1', ',"signatures":[],"fsLayers":[]']
)
def test_a_schema_1_signature_covers_all_but_itself(added: str) -> None:
    cut = OLD.raw.rindex(b"\n}")
    begun, tail = OLD.raw[:cut], OLD.raw[cut:]
    assert parse_manifest(signed(begun, cut, tail), None).digest == OLD.digest
    with pytest.raises(InvalidDocument):
        parse_manifest(signed(begun + added.encode(), cut, tail), None)


@pytest.mark.parametrize("signatures", [[], [{"protected": "e30"}]])
def test_what_was_signed_has_no_signatures_of_its_own(signatures: list[object]) -> None:
    payload = json.dumps(OLD.document | {"signatures": signatures}).encode()
    with pytest.raises(InvalidDocument):
        parse_manifest(signed(payload[:-1], len(payload) - 1, b"}"), None)


def test_a_legacy_oci_artifact_holds_its_blobs() -> None:
    manifest = parse(
        {
            "mediaType": mediatypes.OCI_ARTIFACT,
            "artifactType": "application/example",
            "blobs": [described()],
            "subject": described(digest=OTHER),
        }
    )
    assert (manifest.kind, manifest.artifact_type) == (Kind.ARTIFACT, "application/example")
    assert [it.digest for it in manifest.layers] == [DIGEST]
    assert manifest.subject is not None


@pytest.mark.parametrize(
    ("document", "announced", "expected"),
    [
        ({"manifests": []}, None, mediatypes.OCI_INDEX),
        ({"manifests": None}, None, mediatypes.OCI_INDEX),
        ({"layers": []}, "application/json", mediatypes.OCI_MANIFEST),
        ({"layers": []}, mediatypes.DOCKER_MANIFEST, mediatypes.DOCKER_MANIFEST),
        ({"layers": []}, mediatypes.OCI_MANIFEST + "; charset=utf-8", mediatypes.OCI_MANIFEST),
        (
            {"mediaType": mediatypes.DOCKER_MANIFEST, "layers": []},
            mediatypes.OCI_MANIFEST,
            mediatypes.DOCKER_MANIFEST,
        ),
    ],
)
def test_the_type_is_the_bodys_then_the_headers_then_the_shapes(
    document: dict[str, Any], announced: str | None, expected: str
) -> None:
    assert parse(document, announced).media_type == expected


@pytest.mark.parametrize(
    ("document", "announced"),
    [
        ({"manifests": [], "layers": []}, None),
        ({"manifests": [], "config": described()}, mediatypes.OCI_INDEX),
        ({"manifests": [], "fsLayers": []}, None),
        ({"manifests": []}, mediatypes.OCI_MANIFEST),
        ({"layers": []}, mediatypes.OCI_INDEX),
        ({"mediaType": mediatypes.OCI_INDEX, "layers": []}, None),
        ({"mediaType": mediatypes.OCI_INDEX, "manifests": []}, mediatypes.OCI_MANIFEST),
        ({"mediaType": mediatypes.OCI_MANIFEST, "fsLayers": [], "history": []}, None),
        ({"layers": []}, mediatypes.DOCKER_SIGNED_SCHEMA1),
        ({"layers": [described()], "blobs": []}, mediatypes.OCI_ARTIFACT),
    ],
)
def test_a_document_readable_as_two_things_is_refused(
    document: dict[str, Any], announced: str | None
) -> None:
    with pytest.raises(InvalidDocument):
        parse(document, announced)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"schemaVersion": 2},
        {"layers": {}},
        {"layers": [None]},
        {"layers": [{}]},
        {"layers": [described(digest="sha256:../../x")]},
        {"layers": [described(digest=None)]},
        {"layers": [described(size=-1)]},
        {"layers": [described(size=2**63)]},
        {"layers": [described(size=1.5)]},
        {"layers": [described(size="3")]},
        {"layers": [described(size=True)]},
        {"layers": [], "config": "x"},
        {"layers": [], "subject": []},
        {"manifests": "x"},
        {"manifests": [described(size=None)]},
        *(
            {"schemaVersion": version, "fsLayers": [{"blobSum": blob}], "history": history}
            for version, blob, history in (
                (1, "x", [{"v1Compatibility": "{}"}]),
                (1, DIGEST, []),
                (1, DIGEST, [{"v1Compatibility": "["}]),
                (2, DIGEST, [{"v1Compatibility": "{}"}]),
                (None, DIGEST, [{"v1Compatibility": "{}"}]),
            )
        ),
    ],
)
def test_wrong_shapes_and_values_are_invalid_documents(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        parse(document)


def test_texts_are_safe_to_store() -> None:
    raw = (
        b'{"layers": [], "annotations": {"a\\u0000b": "c\\u0000d", "e": "\\ud800f", "g": 7}, '
        b'"artifactType": "x\\u0000/y"}'
    )
    manifest = parse_manifest(raw, None)
    assert manifest.annotations == {"ab": "cd", "e": "f"}
    assert manifest.artifact_type == "x/y"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "blobs",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
    "history",
    "signatures",
    "architecture",
    "digest",
    "size",
    "platform",
    "blobSum",
    "v1Compatibility",
    "os",
    "protected",
]
VALUES = st.recursive(
    JSON | st.sampled_from([DIGEST, *sorted(mediatypes.INDEX_TYPES | mediatypes.MANIFEST_TYPES)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5).map(json.dumps)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES), st.sampled_from([None, "", *FIELDS]))
def test_any_document_is_a_manifest_or_invalid_and_nothing_else(
    document: dict[str, Any], media_type: str | None
) -> None:
    try:
        manifest = parse(document, media_type)
    except InvalidDocument:
        return
    stored = f"{manifest.annotations}{manifest.artifact_type}{manifest.children}"
    assert "\x00" not in stored
    stored.encode()


@given(st.binary())
def test_any_bytes_are_read_without_failing(raw: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_manifest(raw, mediatypes.OCI_MANIFEST)
