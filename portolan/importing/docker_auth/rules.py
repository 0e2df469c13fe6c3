"""docker_auth's configuration, read: who can sign in, and the rules of its ACL in their order.

Facts: auth_server/authz/acl.go, auth_server/authn/static_auth.go and examples/reference.yml of
cesanta/docker_auth. The first rule that matches decides, an empty list of actions refuses, and what no
rule matches is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portolan.importing import values
from portolan.importing.problems import NotImportable

ALL = frozenset({"pull", "push", "delete"})
_CONDITIONS = ("account", "type", "name", "ip", "service")
# Besides `users`: ways to sign in whose accounts are in no file.
_ELSEWHERE = (
    "google_auth", "github_auth", "oidc_auth", "gitlab_auth", "ldap_auth", "mongo_auth", "xorm_auth",
    "ext_auth", "plugin_authn", "mongo", "xorm",
)  # fmt: skip
# Asked where the ACL says nothing; they can only allow more.
_MORE_RULES = ("acl_mongo", "acl_xorm", "ext_authz", "plugin_authz", "casbin_authz")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry; a condition that is not there matches everything. `others` are conditions that
    nothing is known of."""

    number: int
    actions: frozenset[str]
    gives_all: bool = False
    account: str | None = None
    type: str | None = None
    name: str | None = None
    ip: str | None = None
    service: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    comment: str = ""

    @property
    def on_repositories(self) -> frozenset[str]:
        """Which of pull, push and delete it gives."""
        return ALL if self.gives_all else self.actions & ALL

    @property
    def on_catalog(self) -> bool:
        """Whether it lets one list the catalog, for which docker asks for “*”."""
        return "*" in self.actions

    @property
    def subject(self) -> str:
        """What a remark calls it."""
        said = [
            f"{one} {value!r}" for one in _CONDITIONS if (value := getattr(self, one)) is not None
        ]
        said += [f"label {name} {value!r}" for name, value in self.labels]
        return f"rule {self.number} ({', '.join(said) or 'for everything'})"


@dataclass(frozen=True, slots=True)
class Config:
    """`users` are the accounts that the file itself has, with their labels; `is_closed` says that
    nobody else signs in."""

    rules: tuple[Rule, ...]
    users: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    takes_anybody: bool = False
    elsewhere: tuple[str, ...] = ()
    more_rules: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        return not self.elsewhere


def read(data: object) -> Config:
    """The configuration of its YAML's values; raises NotImportable for what docker_auth itself would
    not start with, too."""
    if not isinstance(data, dict) or not ("acl" in data or "users" in data):
        raise NotImportable(
            "This is no configuration of docker_auth: it has neither acl nor users."
        )
    acl = data.get("acl") or []
    if not isinstance(acl, list):
        raise NotImportable("acl is to be a list of rules.")
    rules = tuple(_rule(number, one) for number, one in enumerate(acl, 1))
    found = values.mapping(data.get("users"))
    return Config(
        rules=rules,
        users={name: _labels(it) for name, it in found.items() if _signs_in(name, it) and name},
        takes_anybody=isinstance(found.get(""), dict) and "password" not in found[""],
        elsewhere=tuple(name for name in _ELSEWHERE if data.get(name) is not None),
        more_rules=tuple(name for name in _MORE_RULES if data.get(name) is not None),
    )


def _signs_in(name: object, user: object) -> bool:
    # `name:` with nothing behind it is no account; `name: {}` is one that needs no password.
    return isinstance(name, str) and isinstance(user, dict)


def _labels(user: dict[Any, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(one for one in held if isinstance(one, str))
        for name, held in values.mapping(user.get("labels")).items()
        if isinstance(name, str) and isinstance(held, list)
    }


def _rule(number: int, found: object) -> Rule:
    entry = values.mapping(found)
    match, actions = entry.get("match"), entry.get("actions")
    if not isinstance(match, dict) or not isinstance(actions, list):
        raise NotImportable(f"Rule {number} of acl needs match and actions.")
    if not all(isinstance(one, str) for one in actions):
        raise NotImportable(f"Rule {number} of acl has an action that is no text.")
    return Rule(
        number,
        frozenset(actions),
        gives_all=actions == ["*"],
        **dict(_conditions(number, match)),
        labels=_wanted_labels(number, match.get("labels")),
        others=tuple(
            str(name)
            for name, value in match.items()
            if name not in (*_CONDITIONS, "labels") and value is not None
        ),
        comment=values.text(entry.get("comment")),
    )


def _conditions(number: int, match: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name in _CONDITIONS:
        value = match.get(name)
        if value is not None and not isinstance(value, str):
            raise NotImportable(f"Rule {number} of acl: {name} is to be a text.")
        yield name, value


def _wanted_labels(number: int, found: object) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    pairs = list(values.mapping(found).items())
    if not isinstance(found, dict) or not all(isinstance(it, str) for pair in pairs for it in pair):
        raise NotImportable(f"Rule {number} of acl: labels are to be texts by name.")
    return tuple(sorted(pairs))
