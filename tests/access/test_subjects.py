"""Patterns of subjects: a star is any text, and some say too little to be taken."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.subjects import GITHUB, GITLAB, InvalidSubject, matches, require_narrow, said
from tests import addresses

# Few letters, so that pieces repeat and a matcher that commits too early is found out.
pieces = st.text(alphabet="ab:/*", max_size=12)


@given(pattern=pieces, subject=st.text(alphabet="ab:/", max_size=16))
def test_a_pattern_matches_what_its_meaning_says(pattern: str, subject: str) -> None:
    meaning = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert matches(pattern, subject) == bool(re.fullmatch(meaning, subject, re.DOTALL))


@given(subject=st.text(max_size=40).filter(lambda text: "*" not in text))
def test_a_pattern_without_stars_is_the_subject_itself(subject: str) -> None:
    assert matches(subject, subject)
    assert not matches(subject, f"{subject}x")
    assert not matches(subject, f"x{subject}")


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("repo:acme/shop:*", "repo:acme/shop:ref:refs/heads/main", True),
        ("repo:acme/shop:*", "repo:acme/shop-two:ref:refs/heads/main", False),
        ("repo:acme/*:environment:prod", "repo:acme/shop:environment:prod", True),
        ("repo:acme/*:environment:prod", "repo:acme/shop:environment:prod-test", False),
        ("repo:acme/shop:*", "REPO:acme/shop:ref", False),
        ("repo:acme/?hop:x", "repo:acme/shop:x", False),
        ("repo:acme/[s]hop:x", "repo:acme/shop:x", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
    ],
)
def test_only_a_star_is_special(pattern: str, subject: str, expected: bool) -> None:
    assert matches(pattern, subject) is expected


@given(pattern=pieces, issuer=addresses.nearly)
def test_whatever_the_issuer_is_a_pattern_is_taken_or_refused(pattern: str, issuer: str) -> None:
    with suppress(InvalidSubject):
        require_narrow(pattern, issuer)


def test_a_hostile_pair_takes_no_longer_than_its_length() -> None:
    """With backtracking this takes until the sun is cold."""
    started = time.perf_counter()
    assert not matches("*a" * 250 + "b*c", "a" * 60_000)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("pattern", "issuer"),
    [
        ("repo:acme/shop:ref:refs/heads/main", GITHUB),
        ("repo:acme/*", GITHUB),
        ("repo:acme/shop:*", f"{GITHUB}/enterprise"),
        ("project_path:acme/*:ref_type:branch:ref:main", GITLAB),
        ("project_path:*", "https://gitlab.example.com"),  # all of it is the company's own
    ],
)
def test_patterns_that_say_whose_they_are_are_taken(pattern: str, issuer: str) -> None:
    require_narrow(pattern, issuer)


@pytest.mark.parametrize(
    ("pattern", "issuer"),
    [
        ("", "https://gitlab.example.com"),
        ("*", "https://gitlab.example.com"),
        ("***", "https://gitlab.example.com"),
        (" * ", "https://gitlab.example.com"),
        (" repo:acme/shop:x", GITHUB),
        ("repo:acme/shop:x\n", GITHUB),
        ("repo:*", GITHUB),
        ("repo:*/shop:*", GITHUB),
        ("repo:acme*/shop:*", GITHUB),
        ("repo:acme*", GITHUB),
        ("repo:acme", GITHUB),
        ("*:environment:prod", GITHUB),
        ("*repo:acme/shop:x", GITHUB),
        ("repo:*", f"{GITHUB}/enterprise"),
        ("repo:*", "https://github.example.com/_services/token"),
        ("project_path:*", GITLAB),
        ("project_path:acme*", GITLAB),
        ("*", GITLAB),
        ("*", "https://GITLAB.com."),
        ("project_path:*", "https://GITLAB.com."),
    ],
)
def test_patterns_that_let_in_anybody_are_refused(pattern: str, issuer: str) -> None:
    with pytest.raises(InvalidSubject):
        require_narrow(pattern, issuer)


def test_what_a_pattern_says_is_counted_without_stars() -> None:
    assert said("repo:acme/shop:*") > said("repo:acme/*********************")
