"""The page that shows a new secret: the answer to the form itself, and never seen again.

It is not kept in the session for a page that follows: sessions lie in the database.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from access.actions import Action
from access.keyring import Issued
from access.policy import Rights, visible_registries
from access.scopes import EVERYTHING
from dashboard.callers import Caller

CREATED = 201
# So many lines to copy; who uses more registries knows how the line goes.
HOSTS_SHOWN = 5
# The kind that asks Portolan for its tokens; others judge by themselves.
TAKES_TOKENS = "distribution"


def show_once(
    request: HttpRequest,
    issued: Issued,
    *,
    title: str,
    username: str,
    hosts: Iterable[str],
    back: str,
) -> HttpResponse:
    """`username` is what docker signs in as, `back` where to go when it is put away."""
    file_name = f"{username}-{issued.secret.key_id}.txt"
    account, file = shlex.quote(username), shlex.quote(file_name)
    context = {
        "section": "access",
        "title": title,
        "secret": issued.secret,
        "text": issued.text,
        "file_name": file_name,
        "username": username,
        "logins": [
            (host, f"docker login {host} --username {account} --password-stdin < {file}")
            for host in hosts
        ],
        "back": back,
    }
    response = render(request, "access/secrets/shown.html", context, status=CREATED)
    add_never_cache_headers(response)  # no-store is among them
    return response


def login_hosts(one: Caller, rights: Rights) -> list[str]:
    """Hosts of the registries where somebody with these rights pulls or pushes by Portolan's
    tokens; never one that who looks may not know of."""
    scopes = rights.scopes(Action.CONTENT_READ, Action.CONTENT_WRITE)
    found = visible_registries(one.somebody).filter(kind=TAKES_TOKENS)
    if EVERYTHING not in scopes:
        found = found.filter(name__in={scope.registry for scope in scopes})
    hosts = [registry.host.partition("/")[0] for registry in found.order_by("name")[:HOSTS_SHOWN]]
    return list(dict.fromkeys(hosts))
