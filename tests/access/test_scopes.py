"""Scopes nest like folders: what one contains is decided by their texts alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scopes import EVERYTHING, Extent, InvalidScope, Scope, widest

part = st.sampled_from(["a", "b", "team-a", "x.y"])
paths = st.lists(part, min_size=1, max_size=4).map("/".join)
scopes = st.one_of(
    st.just(EVERYTHING),
    st.builds(Scope, part.filter(lambda name: "." not in name)),
    st.builds(Scope, st.just("prod"), paths),
    st.builds(Scope, st.just("prod"), paths.map(lambda path: f"{path}/*")),
)
repositories = st.builds(Scope, st.sampled_from(["prod", "a"]), paths)


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        ("*", Extent.EVERYTHING),
        ("prod", Extent.REGISTRY),
        ("prod/team-a/*", Extent.PATTERN),
        ("prod/team-a/app", Extent.REPOSITORY),
    ],
)
def test_a_scope_is_written_as_it_is_read(text: str, extent: Extent) -> None:
    assert str(Scope.parse(text)) == text
    assert Scope.parse(text).extent is extent


def test_all_below_a_registry_is_the_registry() -> None:
    assert Scope.parse("prod/*") == Scope("prod")


@pytest.mark.parametrize(
    "text",
    ["", "Prod", "prod/", "prod/Team", "prod/team*", "prod/*/app", "prod/team/**", "*/app", "a b"],
)
def test_what_is_no_scope_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidScope, match=r"\w+ .*\."):
        Scope.parse(text)


def test_a_pattern_does_not_cover_the_namespace_s_own_repository() -> None:
    assert not Scope.parse("prod/team/*").contains(Scope.parse("prod/team"))
    assert not Scope.parse("prod/team/*").contains(Scope.parse("prod/team-b/app"))
    assert Scope.parse("prod/team/*").contains(Scope.parse("prod/team/a/b/c"))
    assert Scope.parse("prod/team/*").contains(Scope.parse("prod/team/a/*"))


@given(scopes)
def test_text_and_back_is_the_same(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope


@given(scopes, scopes, repositories)
def test_containing_means_covering_all_that_the_other_covers(
    one: Scope, other: Scope, repository: Scope
) -> None:
    if one.contains(other) and other.contains(repository):
        assert one.contains(repository)


@given(scopes, scopes, repositories)
def test_what_two_scopes_share_is_covered_by_both(
    one: Scope, other: Scope, repository: Scope
) -> None:
    meeting = one.meet(other)
    both = one.contains(repository) and other.contains(repository)
    assert both == (meeting is not None and meeting.contains(repository))


@given(st.lists(scopes, max_size=8), repositories)
def test_the_widest_cover_the_same(many: list[Scope], repository: Scope) -> None:
    before = any(scope.contains(repository) for scope in many)
    assert before == any(scope.contains(repository) for scope in widest(many))


@given(st.lists(scopes, max_size=8))
def test_none_of_the_widest_lies_inside_another(many: list[Scope]) -> None:
    kept = widest(many)
    assert not any(one != other and one.contains(other) for one in kept for other in kept)
