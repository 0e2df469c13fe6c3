"""Names of things in a registry: repositories, tags, digests.

Everything that goes into a URL passes through here first. containers/image CVE-2024-3727 came from
digests taken as the registry sent them: path traversal, and extra calls with credentials.

Grammar: OCI Distribution specification 1.1, "Pulling manifests"; OCI Image specification,
"Descriptors".
"""

# ruff: noqa: N818 - errors are named for what happened, not for being errors

import hashlib
import re
from typing import NewType

Digest = NewType("Digest", str)

REPOSITORY_LIMIT = 255

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_REFERRING_TAG = re.compile(r"sha256-([0-9a-f]{64})(?:\.(sig|att|sbom))?")


class InvalidReference(ValueError):
    """A text is no repository, tag or digest by the specification's grammar."""


def is_digest(text: object) -> bool:
    """Say whether `text` is a sha256 or sha512 digest in canonical form."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_repository(text: object) -> bool:
    """Say whether `text` is a repository path."""
    return (
        isinstance(text, str)
        and len(text) <= REPOSITORY_LIMIT
        and _REPOSITORY.fullmatch(text) is not None
    )


def is_tag(text: object) -> bool:
    """Say whether `text` is a tag name."""
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def parse_digest(text: str) -> Digest:
    """Return `text` as a digest, or raise `InvalidReference`."""
    if not is_digest(text):
        raise InvalidReference(f"{_short(text)} is not a sha256 or sha512 digest.")
    return Digest(text)


def parse_repository(text: str) -> str:
    """Return `text` if it is a repository path, or raise `InvalidReference`."""
    if not is_repository(text):
        raise InvalidReference(
            f"{_short(text)} is not a repository name: lower-case letters, digits and . _ - "
            f"between them, in parts joined by /, at most {REPOSITORY_LIMIT} characters."
        )
    return text


def parse_tag(text: str) -> str:
    """Return `text` if it is a tag name, or raise `InvalidReference`."""
    if not is_tag(text):
        raise InvalidReference(
            f"{_short(text)} is not a tag: letters, digits and . _ -, at most 128 characters, "
            "not beginning with . or -."
        )
    return text


def parse_reference(text: str) -> str:
    """Return `text` if it is a tag or a digest, or raise `InvalidReference`."""
    return parse_digest(text) if ":" in text else parse_tag(text)


def digest_of(raw: bytes) -> Digest:
    """Return the sha256 digest of `raw`."""
    return Digest("sha256:" + hashlib.sha256(raw).hexdigest())


def verify(raw: bytes, digest: Digest) -> bool:
    """Say whether `raw` is the content that `digest` names."""
    algorithm, _, expected = digest.partition(":")
    return hashlib.new(algorithm, raw).hexdigest() == expected


def referrers_tag(digest: Digest) -> str:
    """Return the tag under which clients keep the list of things referring to `digest`.

    For registries without the referrers API: `<algorithm>-<hex>`, cut to 32 and 64 characters
    (OCI Distribution 1.1, "Unavailable Referrers API"). cosign's tags add `.sig`, `.att`, `.sbom`.
    """
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def referring_tag(tag: str) -> tuple[Digest, str] | None:
    """Return (digest referred to, suffix) if `tag` follows that scheme, else None.

    The suffix is `sig`, `att`, `sbom` or, for the list of referrers itself, empty. Only sha256 can
    be read back: a sha512 tag is cut, so it no longer says which digest it meant.
    """
    if (found := _REFERRING_TAG.fullmatch(tag)) is None:
        return None
    return Digest(f"sha256:{found[1]}"), found[2] or ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
