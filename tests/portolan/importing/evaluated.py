"""What docker_auth would answer: its documented rules once more, written for reading and not for
speed, and with nothing of the importer's in it (auth_server/authz/acl.go, Go's path.Match)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

GO_SPECIAL = "\\.+*?()|[]{}^$"


def quote(text: str) -> str:
    return "".join(f"\\{one}" if one in GO_SPECIAL else one for one in text)


def matches(pattern: str, text: str, variables: Mapping[str, str]) -> bool:
    for mark, value in variables.items():
        pattern = pattern.replace(mark, value)
    if len(pattern) > 2 and pattern[0] == "/" and pattern[-1] == "/":
        return re.search(pattern[1:-1], text, re.ASCII) is not None
    expression = ""
    letters = iter(pattern)
    for one in letters:
        match one:
            case "*":
                expression += "[^/]*"
            case "?":
                expression += "[^/]"
            case "\\":
                expression += re.escape(next(letters))
            case _:
                expression += re.escape(one)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def allowed(
    config: Mapping[str, Any], account: str, name: str, kind: str = "repository"
) -> set[str]:
    """Which of pull, push and delete an account (empty: nobody signed in) gets on a name. Rules for
    callers' addresses and services are asked from an address and for a service that they may mean."""
    users = config.get("users", {})
    if not config.get("ldap_auth") and not isinstance(users.get(account), dict):
        return set()
    labels = (users.get(account) or {}).get("labels", {})
    asked = {"pull", "push", "delete"} if kind == "repository" else {"*"}
    for rule in config["acl"]:
        match = rule["match"]
        variables = {"${account}": quote(account), "${type}": kind, "${service}": "hub"}
        fields = (("account", account), ("type", kind), ("name", name))
        if not all(
            field not in match or matches(match[field], value, variables) for field, value in fields
        ):
            continue
        if "ip" in match and match["ip"] != config.get("from"):
            continue
        wanted = match.get("labels", {})
        if not all(
            any(matches(pattern, one, variables) for one in labels.get(label, ()))
            for label, pattern in wanted.items()
        ):
            continue
        return asked if rule["actions"] == ["*"] else asked & set(rule["actions"])
    return set()
