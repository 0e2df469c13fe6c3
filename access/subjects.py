"""Subjects of CI systems' tokens, and patterns of them: `repo:acme/shop:ref:refs/heads/*`.

A star stands for any text, also none, also across `:` and `/`; every other character for itself, in
its own case. What is public about the issuer decides how much a pattern must say: everybody has
projects at GitHub and gitlab.com, so there it must name whose.

GitHub: docs.github.com, "OpenID Connect reference", section "Example subject claims".
GitLab: docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens", "Token payload".
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
LONGEST = 512

# An owner or group, said in full and followed by the slash that ends it.
_OF_GITHUB = re.compile(r"repo:[^*/:\s]+/.*")
_OF_GITLAB = re.compile(r"project_path:[^*/:\s]+/.*")


class InvalidSubject(ValueError):  # noqa: N818  named for what it is
    """A pattern that would let in more than anybody can mean; the text is a sentence."""


def matches(pattern: str, subject: str) -> bool:
    """Whether the subject is one of the pattern's; takes time in proportion to their lengths.

    Each piece between two stars is looked for where the one before it ended, as early as possible:
    if that does not lead to the end, nothing does, so nothing is ever tried twice.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return subject == pattern
    *between, last = rest
    end = len(subject) - len(last)
    if end < len(first) or not subject.startswith(first) or not subject.endswith(last):
        return False
    at = len(first)
    for piece in between:
        found = subject.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def require_narrow(pattern: str, issuer: str) -> None:
    """Raises InvalidSubject for a pattern that says too little about whose tokens it takes."""
    if not pattern.strip("*").strip():
        raise InvalidSubject(
            _("Name the subject: a star alone would let every project of the issuer in.")
        )
    if pattern != pattern.strip() or not pattern.isprintable():
        raise InvalidSubject(_("A subject has no spaces around it, and no line breaks."))
    host = _host_of(issuer)
    # An enterprise's own issuer at GitHub has the same host and another path.
    if host == urlsplit(GITHUB).hostname or pattern.startswith("repo:"):
        if not _OF_GITHUB.fullmatch(pattern):
            raise InvalidSubject(
                _(
                    "Say whose repositories, in full: “repo:OWNER/…”. Everybody has repositories at"
                    " GitHub, and a star in place of the owner would let all of them in."
                )
            )
    elif host == urlsplit(GITLAB).hostname and not _OF_GITLAB.fullmatch(pattern):
        raise InvalidSubject(
            _(
                "Say whose projects, in full: “project_path:GROUP/…”. Everybody has projects at"
                " gitlab.com, and a star in place of the group would let all of them in."
            )
        )


def _host_of(issuer: str) -> str:
    """Empty for what is no address: whoever takes the pattern says so of the issuer itself."""
    try:
        return (urlsplit(issuer).hostname or "").rstrip(".")
    except ValueError:
        return ""


def said(pattern: str) -> int:
    """How much a pattern says: of several that fit, the one that says most is taken."""
    return len(pattern) - pattern.count("*")
