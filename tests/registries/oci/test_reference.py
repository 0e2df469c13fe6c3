import contextlib
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci import reference
from registries.oci.reference import InvalidReference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "name", ["a", "library/alpine", "a.b/c-d/e_f/g__h", "a--b", "0/1", "a" * 255]
)
def test_names_of_repositories(name: str) -> None:
    assert reference.parse_repository(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a/B",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "a b",
        "ä",
        "..",
        "a/../b",
        "a\n",
        "a:b",
        "a@b",
        "%2e",
        "a" * 256,
    ],
)
def test_no_names_of_repositories(name: str) -> None:
    with pytest.raises(InvalidReference):
        reference.parse_repository(name)


@pytest.mark.parametrize("name", ["latest", "v1.2.3", "_x", "A-b_c.D", "1", "a" * 128])
def test_names_of_tags(name: str) -> None:
    assert reference.parse_tag(name) == name


@pytest.mark.parametrize("name", ["", ".a", "-a", "a/b", "a b", "a:b", "a\n", "é", "a" * 129])
def test_no_names_of_tags(name: str) -> None:
    with pytest.raises(InvalidReference):
        reference.parse_tag(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "sha256:" + "a" * 63,
        "sha256:" + "A" * 64,
        "sha512:" + "a" * 64,
        "md5:" + "a" * 32,
        DIGEST + "\n",
        " " + DIGEST,
        "sha256:" + "../" * 21 + "a",
    ],
)
def test_no_digests(text: str) -> None:
    with pytest.raises(InvalidReference):
        reference.parse_digest(text)


@given(st.binary())
def test_a_digest_verifies_its_bytes_and_no_others(raw: bytes) -> None:
    digest = reference.digest_of(raw)
    assert reference.parse_digest(digest) == digest
    assert reference.verify(raw, digest)
    assert not reference.verify(raw + b"x", digest)
    long = reference.parse_digest("sha512:" + hashlib.sha512(raw).hexdigest())
    assert reference.verify(raw, long)
    assert not reference.verify(raw + b"x", long)


@given(st.text(string.hexdigits.lower()[:16], min_size=64, max_size=64))
def test_a_referrers_tag_leads_back_to_its_digest(encoded: str) -> None:
    digest = reference.parse_digest(f"sha256:{encoded}")
    tag = reference.referrers_tag(digest)
    assert reference.is_tag(tag)
    assert reference.referring_tag(tag) == (digest, "")
    for suffix in ("sig", "att", "sbom"):
        assert reference.referring_tag(f"{tag}.{suffix}") == (digest, suffix)
    assert reference.referring_tag(f"{tag}.other") is None


def test_a_referrers_tag_is_cut_to_what_a_tag_may_hold() -> None:
    tag = reference.referrers_tag(reference.parse_digest("sha512:" + "b" * 128))
    assert tag == "sha512-" + "b" * 64
    assert reference.referring_tag(tag) is None


@given(st.text())
def test_any_text_is_judged_without_failing(text: str) -> None:
    for parse in (reference.parse_repository, reference.parse_tag, reference.parse_digest):
        with contextlib.suppress(InvalidReference):
            assert parse(text) == text
    reference.referring_tag(text)
