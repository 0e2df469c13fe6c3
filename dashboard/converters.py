"""What may stand in an address: the grammars of names in registries.

A path is followed by `/-/` and what is asked of it; `-` alone can never be a path's component.
Grammar: OCI Distribution specification 1.1, "Pulling manifests".
"""

from typing import Any

from django.urls.converters import StringConverter

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"


class RegistryName(StringConverter):
    regex = "[a-z0-9-]{1,63}"


class RepositoryPath(StringConverter):
    regex = rf"{_COMPONENT}(?:/{_COMPONENT})*"


class TagName(StringConverter):
    regex = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"


class Digest(StringConverter):
    regex = "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"


class DigestStart(StringConverter):
    """The beginning of a digest, as people write one short: of either algorithm, or with its name."""

    regex = "(?:sha(?:256|512):)?[0-9a-f]{6,128}"


class Number(StringConverter):
    """An id of the database's: more digits than it has are an address that there is not."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:  # type: ignore[override]  # what a converter is for
        return int(value)


class PrincipalName(StringConverter):
    """`user:NAME`, `team:NAME`, `sp:NAME`, `anonymous`."""

    regex = r"anonymous|(?:user|team|sp):[\w.@+-]{1,150}"


class UserName(StringConverter):
    """As Django's UnicodeUsernameValidator has it."""

    regex = r"[\w.@+-]{1,150}"


def _text(regex: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{regex})$", **more}


# The same for the description of the REST API.
AS_PARAMETERS = {
    "registry": _text(RegistryName.regex),
    "repository": _text(
        RepositoryPath.regex,
        maxLength=255,
        description="Its path, slashes included (they may come as %2F).",
    ),
    "tag": _text(TagName.regex),
    "digest": _text(Digest.regex),
    "digest_start": _text(DigestStart.regex),
    "principal": _text(PrincipalName.regex),
    "user": _text(UserName.regex),
    "number": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
}
