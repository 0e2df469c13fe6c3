"""The built-in roles as the importers know them, and those made for what none of them says."""

from __future__ import annotations

from itertools import combinations

from access.actions import Action
from access.roles import BUILT_IN
from portolan.importing import roles


def test_the_built_in_roles_are_those_of_the_server() -> None:
    theirs = {role.name: {action.text for action in role.actions} for role in BUILT_IN}
    assert {name: theirs[name] for name in roles.BUILT_IN} == roles.BUILT_IN


def test_actions_are_those_of_the_server_in_their_order() -> None:
    known = [action.text for action in Action if action.text in roles.ordered(roles._WORDS)]
    assert roles.ordered(reversed(known)) == known
    assert set(roles.BUILT_IN["reader"]) <= set(known)


def test_built_in_roles_together_say_exactly_what_is_asked() -> None:
    assert roles.built_in(roles.PULL | roles.PUSH | roles.DELETE) == ("pusher", "deleter")
    assert roles.built_in(roles.SEEING | roles.PULL) == ("reader",)
    assert roles.built_in(roles.PUSH) == ()
    for count in range(1, 5):
        for some in combinations(roles._WORDS, count):
            names = roles.built_in(frozenset(some))
            given = frozenset().union(*(roles.BUILT_IN[name] for name in names))
            assert given in (frozenset(), frozenset(some))


def test_the_same_actions_are_always_the_same_role_and_others_another() -> None:
    made = [
        roles.own(frozenset(some))
        for count in range(1, len(roles._WORDS) + 1)
        for some in combinations(roles._WORDS, count)
    ]
    assert len({role.name for role in made}) == len(made)
    assert all(len(role.name) <= 63 and len(role.label) <= 63 for role in made)
