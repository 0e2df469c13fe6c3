"""Globs and regular expressions as automata: the same answers as everybody's, and never slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portolan.importing.docker_auth.automata import Automaton
from portolan.importing.docker_auth.beginnings import beginnings
from portolan.importing.docker_auth.patterns import Unread, read
from tests.portolan.importing.evaluated import matches

ATOMS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "[^a/]", r"\.", r"\w", "[a-c_-]", r"[\w.-]", "^", "$"]
)
TIMES = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda it: (
        st.lists(it, min_size=1, max_size=3).map("".join)
        | st.tuples(it, it, TIMES).map(lambda one: f"({one[0]}|{one[1]}){one[2]}")
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.text("ab/._c1", max_size=6), min_size=5, max_size=5)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, TEXTS)
def test_expressions_match_what_they_match_elsewhere(expression: str, texts: list[str]) -> None:
    pattern = f"/{expression}/"
    tree = read(pattern)
    automaton = Automaton.of(tree)
    for text in ["", *texts]:
        expected = re.search(expression, text, re.ASCII) is not None
        assert automaton.matches(text) == expected
        assert not expected or text.startswith(beginnings(tree))


@settings(max_examples=200, deadline=None)
@given(st.text("ab/*?", max_size=8), TEXTS)
def test_globs_match_within_one_level(pattern: str, texts: list[str]) -> None:
    if len(pattern) > 2 and pattern[0] == pattern[-1] == "/":
        return
    tree = read(pattern)
    for text in ["", *texts, pattern]:
        assert Automaton.of(tree).matches(text) == matches(pattern, text, {})
        assert not matches(pattern, text, {}) or text.startswith(beginnings(tree))


@pytest.mark.parametrize(
    "pattern",
    [
        "/(?i)a/", r"/\bfoo/", r"/\pL/", "/[[:alpha:]]/", "/a**/", "/(a/", "/a)/", "/a{2,1}/", "/a{,2}/",
        "/a{999}/", "/*/", "/^*/", r"/\Qa\E/", "/(?P<n>a)/", "/[z-a]/", "[", "[a", "[]", "[a-]", "[^a]", "a\\",
        "[-a]", "/[]a]/", "x" * 2000, "/((a{90}){90}){90}/",
    ],
)  # fmt: skip
def test_what_is_not_the_same_everywhere_is_not_read(pattern: str) -> None:
    with pytest.raises(Unread):
        Automaton.of(read(pattern))


def test_nothing_takes_longer_than_its_text() -> None:
    automaton = Automaton.of(read("/^(a+)+(a|aa)*b$/"))
    began = time.perf_counter()
    assert not automaton.matches("a" * 5_000)
    assert time.perf_counter() - began < 2
