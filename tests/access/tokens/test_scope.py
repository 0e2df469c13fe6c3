"""What clients ask for, in all the forms that they use, and how much of it is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.actions import ALL, DOCKER, Action
from access.policy import NO_RIGHTS, Entitlement, Rights
from access.scopes import EVERYTHING, Scope
from access.tokens.scope import MOST_SCOPES, Allowed, Asked, allow, is_refusal, parse, parse_one

ANYTHING = Rights((Entitlement(ALL, EVERYTHING, "owner"),))
PULLING = Rights((Entitlement(frozenset({Action.CONTENT_READ}), Scope("harbour"), "puller"),))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("repository:team/app:pull", Asked("repository", "team/app", ("pull",))),
        ("repository:team/app:push,pull", Asked("repository", "team/app", ("push", "pull"))),
        ("repository:team/app:", Asked("repository", "team/app", ())),
        ("repository:team/app:*", Asked("repository", "team/app", ("*",))),
        ("repository:team/app:pull,,pull", Asked("repository", "team/app", ("pull",))),
        ("registry:catalog:*", Asked("registry", "catalog", ("*",))),
        (
            "repository:harbour.example.com:5000/team/app:pull",
            Asked("repository", "harbour.example.com:5000/team/app", ("pull",)),
        ),
        ("repository(plugin):team/app:pull", Asked("repository", "team/app", ("pull",))),
        ("moon:base:land", Asked("moon", "base", ("land",))),
    ],
)
def test_a_scope_is_cut_at_its_first_and_last_colon(text: str, asked: Asked) -> None:
    assert parse_one(text) == asked


@pytest.mark.parametrize(
    "text", ["", "*", ":", "::", "repository", "repository:team/app", ":a:pull", "a::pull"]
)
def test_what_is_no_scope_is_left_out(text: str) -> None:
    assert parse([text]) == []


def test_several_come_repeated_or_with_spaces_and_each_repository_once() -> None:
    one, two = Asked("repository", "a", ("pull", "push")), Asked("repository", "b", ("pull",))
    repeated = ["repository:a:pull", "repository:b:pull", "repository:a:push,pull"]
    assert parse(repeated) == [one, two]
    assert parse([" ".join(repeated)]) == [one, two]
    assert parse(["repository:a:pull  repository:b:pull", repeated[2]]) == [one, two]


def test_too_many_and_too_long_ones_are_left_out() -> None:
    many = [f"repository:r{number}:pull" for number in range(MOST_SCOPES + 1)]
    assert [asked.name for asked in parse(many)] == [f"r{n}" for n in range(MOST_SCOPES)]
    assert parse([f"repository:{'a' * 600}:pull"]) == []


@given(st.lists(st.text(alphabet=st.sampled_from("ab:/, *()\t\x00ä5"), max_size=40), max_size=30))
def test_whatever_comes_it_is_read_and_allows_only_what_is_asked_for(values: list[str]) -> None:
    found = parse(values)
    assert len(found) <= MOST_SCOPES
    assert len({(asked.type, asked.name) for asked in found}) == len(found)
    for asked in found:
        assert asked.type
        assert asked.name
        assert allow(asked, NO_RIGHTS, "harbour") is None
        allowed = allow(asked, ANYTHING, "harbour")
        if allowed is not None:
            assert set(allowed.actions) <= {
                *asked.actions,
                *(DOCKER if "*" in asked.actions else ()),
            }


@given(
    st.text(alphabet=st.characters(exclude_characters=" \t:("), min_size=1, max_size=20).filter(
        lambda text: not any(character.isspace() for character in text)
    ),
    st.from_regex(r"[a-z0-9]{1,5}(:[0-9]{1,4})?(/[a-z0-9]{1,5}){0,3}", fullmatch=True),
    st.lists(st.sampled_from(["pull", "push", "delete", "*", "fly"]), unique=True),
)
def test_a_scope_that_is_written_is_read_as_it_was(
    kind: str, name: str, actions: list[str]
) -> None:
    asked = Asked(kind, name, tuple(actions))
    assert parse([str(asked)]) == [asked]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("repository:team/app:pull", ("pull",)),
        ("repository:team/app:push,pull", ("pull",)),
        ("repository:team/app:*", ("pull",)),
        ("repository:team/app:push", None),
        ("repository:team/app:", None),
        ("repository:team/app:fly", None),
        ("repository:team/*:pull", None),
        ("repository:Team/App:pull", None),
        ("repository:harbour:5000/team/app:pull", None),
        ("registry:catalog:*", None),
        ("registry:catalog:pull", None),
        ("moon:base:pull", None),
    ],
)
def test_of_what_was_asked_as_much_is_allowed_as_is_held(
    asked: str, granted: tuple[str, ...] | None
) -> None:
    one = parse_one(asked)
    assert one is not None
    allowed = allow(one, PULLING, "harbour")
    assert (allowed.actions if allowed else None) == granted
    assert allow(one, PULLING, "elsewhere") is None


def test_the_catalog_is_for_who_may_list_all_of_the_registry() -> None:
    asked = Asked("registry", "catalog", ("*",))
    lister = Entitlement(frozenset({Action.CATALOG_LIST}), Scope("harbour"), "catalog-lister")
    part = Entitlement(frozenset({Action.CATALOG_LIST}), Scope("harbour", "team/*"), "reader")
    assert allow(asked, Rights((lister,)), "harbour") == Allowed("registry", "catalog", ("*",))
    assert allow(asked, Rights((part,)), "harbour") is None
    assert allow(asked, Rights((lister,)), "elsewhere") is None


@pytest.mark.parametrize(
    ("asked", "granted", "refused"),
    [
        ("repository:a:pull", ("pull",), False),
        ("repository:a:push,pull", ("pull",), True),
        ("repository:a:*", ("pull",), False),
        ("repository:a:*", (), True),
        ("repository:a:fly", (), True),
        ("repository:a:", (), False),
        ("registry:catalog:*", (), True),
        ("moon:base:pull", (), False),
    ],
)
def test_what_counts_as_refused(asked: str, granted: tuple[str, ...], refused: bool) -> None:
    one = parse_one(asked)
    assert one is not None
    allowed = Allowed(one.type, one.name, granted) if granted else None
    assert is_refusal(one, allowed) is refused
