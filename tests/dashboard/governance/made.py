"""Random governance, as values that a file could have: everything that is named is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from access.actions import Action
from webhooks.catalog import Topic
from webhooks.models import Subscription
from webhooks.subscription_settings import PATHLESS, TAGLESS

PEOPLE = ("anna", "bert", "carla.von@example.com", "no", "1234")
BUILT_IN = ("reader", "pusher", "owner", "auditor")
# Words that YAML's versions disagree about, or that want quotes.
AWKWARD = (
    "yes",
    "null",
    "0x1f",
    "1_000",
    "12:30",
    "- a",
    "a: b",
    "a #b",
    "“é” ñ\U0001f433",
    "a\nb",
    " x ",
    "\u2028",
)

names = st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,6}\Z")
free = st.one_of(st.just(""), st.sampled_from(AWKWARD), st.text("ab:#-'\"\\ ,[]{}é", max_size=12))
paths = st.sampled_from(["", "/team-a/*", "/team-a/app", "/library/nginx", "/a/b/c/*"])
FUTURE = datetime(2031, 1, 1, tzinfo=UTC)
ends = st.none() | st.integers(0, 10**6).map(
    lambda it: f"{(FUTURE + timedelta(seconds=it)).isoformat()}"
)


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most)


def without_nothing(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


@st.composite
def governance(draw: st.DrawFn) -> dict[str, Any]:
    """A whole file's values, every section there."""
    registries = draw(st.lists(names, unique=True, max_size=3))
    teams = draw(st.lists(names, unique=True, max_size=3))
    machines = draw(st.lists(names, unique=True, max_size=3))
    roles = draw(st.lists(names.map("own-{}".format), unique=True, max_size=2))
    places = st.just("*")
    if registries:
        places = places | st.builds("{}{}".format, st.sampled_from(registries), paths)
    return {
        "version": 1,
        "registries": [draw(_registry(name)) for name in registries],
        "mirrors": draw(_mirrors(registries)),
        "roles": [draw(_role(name)) for name in roles],
        "teams": [draw(_team(name)) for name in teams],
        "service_principals": [draw(_machine(name, teams)) for name in machines],
        "trust_rules": [
            draw(_trust_rule(name, machines))
            for name in draw(st.lists(names, unique=True, max_size=2))
            if machines
        ],
        "grants": draw(_grants(places, roles, teams, machines)),
        "admin_accounts": [{"registry": name} for name in registries if draw(st.booleans())],
        "webhooks": draw(some(_webhook(places, teams))),
    }


@st.composite
def _registry(draw: st.DrawFn, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": draw(st.sampled_from(["distribution", "zot", "harbor"])),
        "url": f"https://{name}.example.com",
        "public_host": draw(st.sampled_from(["", "hub.example.com:5000"])),
        "allow_private": draw(st.booleans()),
        "repositories": draw(st.sampled_from([[], ["team-b/*", "team-a/app"]])),
        "sync_every": draw(st.sampled_from(["15m", "90s", "24h", "7d", "never"])),
        "username": draw(st.sampled_from(["", "robot$sync", "0123"])),
    }


@st.composite
def _mirrors(draw: st.DrawFn, registries: list[str]) -> list[dict[str, Any]]:
    found = {}
    if len(registries) > 1:
        source, target = registries[:2]
        for tags in draw(st.sets(st.sampled_from(["", "v1.*", "*-alpine"]))):
            way = draw(st.sampled_from([("/library/*", "/hub/*"), ("", ""), ("/a/b", "/b")]))
            said = {"source": source + way[0], "target": target + way[1], "tags": tags}
            found[tuple(said.values())] = said
    return list(found.values())


@st.composite
def _role(draw: st.DrawFn, name: str) -> dict[str, Any]:
    actions = draw(st.sets(st.sampled_from([one.text for one in Action]), min_size=1))
    return {
        "name": name,
        "label": draw(st.sampled_from(["Releaser", "Grün: ja"])),
        "description": draw(free),
        "actions": sorted(actions),
    }


@st.composite
def _team(draw: st.DrawFn, name: str) -> dict[str, Any]:
    people = draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3))
    cut = draw(st.integers(0, len(people)))
    values = draw(st.sets(st.sampled_from(["admins", "a b: c", "00000000-1111"]), max_size=2))
    return {
        "name": name,
        "description": draw(free),
        "maintainers": people[:cut],
        "members": people[cut:],
        "claim_rules": [
            {"provider": "entra", "claim": "groups", "value": value} for value in sorted(values)
        ],
    }


@st.composite
def _machine(draw: st.DrawFn, name: str, teams: list[str]) -> dict[str, Any]:
    return without_nothing(
        name=name,
        description=draw(free),
        team=draw(st.none() | st.sampled_from(teams)) if teams else None,
        disabled=draw(st.booleans()),
    )


@st.composite
def _trust_rule(draw: st.DrawFn, name: str, machines: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "service_principal": draw(st.sampled_from(machines)),
        "issuer": "https://token.actions.githubusercontent.com",
        "audience": "portolan",
        "subject": draw(st.sampled_from(["repo:acme/shop:*", "repo:acme/*:ref:refs/heads/main"])),
        "lifetime": draw(st.sampled_from(["15m", "1h", "60s"])),
        "disabled": draw(st.booleans()),
    }


@st.composite
def _grants(
    draw: st.DrawFn,
    places: st.SearchStrategy[str],
    roles: list[str],
    teams: list[str],
    machines: list[str],
) -> list[dict[str, Any]]:
    holders = ["anonymous", *(f"user:{name}" for name in PEOPLE)]
    holders += [f"team:{name}" for name in teams] + [f"sp:{name}" for name in machines]
    one = st.tuples(st.sampled_from(holders), st.sampled_from([*BUILT_IN, *roles]), places)
    return [
        without_nothing(
            principal=principal, role=role, scope=scope, until=draw(ends), reason=draw(free)
        )
        for principal, role, scope in draw(st.lists(one, unique=True, max_size=6))
    ]


@st.composite
def _webhook(draw: st.DrawFn, places: st.SearchStrategy[str], teams: list[str]) -> dict[str, Any]:
    place = draw(places)
    usable = [topic for topic in Topic if topic is not Topic.PING]
    if "/" in place:
        usable = [topic for topic in usable if topic not in PATHLESS]
    if place.endswith("app") and draw(st.booleans()):
        place += ":v1.*"
        usable = [topic for topic in usable if topic not in TAGLESS]
    return without_nothing(
        name=draw(st.sampled_from(["deploys", "deploys: shop", "chat"])),
        where=place,
        topics=sorted(draw(st.sets(st.sampled_from([it.value for it in usable]), min_size=1))),
        payload=draw(st.sampled_from(Subscription.Form.values)),
        team=draw(st.none() | st.sampled_from(teams)) if teams else None,
        paused=draw(st.booleans()),
        host=draw(st.sampled_from(["hooks.example.com", "chat.example.com:8443"])),
    )
