"""`docker-credential-portolan`: what docker, podman, skopeo and crane ask for a host's credential.

The protocol (https://github.com/docker/docker-credential-helpers): the verb is the argument, a host or a JSON
object comes on standard input, and the answer or the reason why not goes to standard output. For the
hosts that `portolan login` found it is one's name and token; `docker login` and `docker logout` come
here, too, and what they say of a host goes before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from portolan.contexts import Context, Contexts, Login
from portolan.failures import Failure

# Docker compares this very sentence, and then goes on without a credential.
NOT_FOUND = "credentials not found in native keychain"
NO_URL = "no credentials server URL"
# A host, or a small object; more is nobody's credential.
_LONGEST = 64 * 1024


class Unanswered(Exception):  # noqa: N818  named for what happened
    """Said to docker instead of an answer."""


def run() -> None:
    """The entry point."""
    sys.exit(main(sys.argv[1:], sys.stdin.read(_LONGEST)))


def main(arguments: list[str], given: str) -> int:
    verb = _VERBS.get(arguments[0]) if len(arguments) == 1 else None
    if verb is None:
        sys.stderr.write(f"usage: docker-credential-portolan {'|'.join(_VERBS)}\n")
        return 1
    try:
        said = verb(given.strip())
    except (Unanswered, Failure) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    sys.stdout.write(said)
    return 0


def _get(given: str) -> str:
    host = _host(given)
    contexts = Contexts.load()
    login = contexts.logins.get(host) or _known(contexts, host)
    if login is None:
        raise Unanswered(NOT_FOUND)
    return json.dumps({"ServerURL": given, "Username": login.username, "Secret": login.secret})


def _store(given: str) -> str:
    try:
        told: Any = json.loads(given)
        host = _host(str(told["ServerURL"]))
        login = Login(str(told["Username"]), str(told["Secret"]))
    except (ValueError, TypeError, KeyError):
        raise Unanswered("no credentials were given") from None
    contexts = Contexts.load()
    # `docker login` without a name asks us, and then hands back what we said: a copy of that would
    # outlive the token, and the sign-out.
    told_by_hand = None if login == _known(contexts, host) else login
    contexts.with_login(host, told_by_hand).save()
    return ""


def _erase(given: str) -> str:
    contexts, host = Contexts.load(), _host(given)
    # A `docker logout`, or a client whose credential was refused: either way it is asked for no more.
    contexts.without_login(host).save()
    return ""


def _list(_given: str) -> str:
    contexts = Contexts.load()
    found = {host: one.account for one in contexts.contexts.values() for host in one.registries}
    found |= {host: login.username for host, login in contexts.logins.items()}
    return json.dumps(found)


_VERBS: dict[str, Callable[[str], str]] = {
    "get": _get,
    "store": _store,
    "erase": _erase,
    "list": _list,
}


def _known(contexts: Contexts, host: str) -> Login | None:
    """What the contexts know of a host; the current one is asked first."""
    current = contexts.find()
    others = [one for one in contexts.contexts.values() if one != current]
    in_order: list[Context] = [*([current] if current else []), *others]
    found = next((one for one in in_order if host in one.registries and one.token), None)
    return Login(found.account, found.token) if found else None


def _host(given: str) -> str:
    """`registry.example.com` of that, or of an address such as `https://registry.example.com/v2/`."""
    host = given.partition("://")[2] if "://" in given else given
    host = host.partition("/")[0]
    if not host:
        raise Unanswered(NO_URL)
    return host
