"""Docker's own file (config.json), in which we are named as the helper of some hosts.

https://docs.docker.com/reference/cli/docker/login/#credential-helpers: `credHelpers` maps a host to NAME, and
docker, podman, skopeo and crane then run `docker-credential-NAME`. All else in the file is left alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from portolan.contexts import write_private
from portolan.failures import Failure

HELPER = "portolan"
_KEY = "credHelpers"
_LEFT_ALONE = " (--no-docker leaves it alone.)"


def place() -> Path:
    """The file; where it is a link, what it points at."""
    directory = os.environ.get("DOCKER_CONFIG", "")
    path = Path(directory) if directory else Path.home() / ".docker"
    return (path / "config.json").resolve()


def add(hosts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Name us for these hosts. Returns those that are ours now, and those that are left to another
    helper, which somebody chose. Raises Failure for a file that is not docker's."""
    data = _load()
    helpers = data.setdefault(_KEY, {})
    ours, others = [], []
    for host in hosts:
        if helpers.get(host, HELPER) == HELPER:
            helpers[host] = HELPER
            ours.append(host)
        else:
            others.append(host)
    if ours:
        _save(data)
    return ours, others


def remove(hosts: Iterable[str]) -> list[str]:
    """Name us no more; returns the hosts for which we were named."""
    data = _load()
    helpers = data.get(_KEY, {})
    gone = [host for host in hosts if helpers.get(host) == HELPER]
    if gone:
        left = {host: name for host, name in helpers.items() if host not in gone}
        data.pop(_KEY)
        _save(data | ({_KEY: left} if left else {}))
    return gone


def _load() -> dict[str, Any]:
    path = place()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.{_LEFT_ALONE}") from None
    except ValueError as error:
        raise Failure(f"{path} cannot be read: {error}.{_LEFT_ALONE}") from None
    if not isinstance(data, dict) or not isinstance(data.get(_KEY, {}), dict):
        raise Failure(f"{path} is not docker's: it is left alone.")
    return data


def _save(data: dict[str, Any]) -> None:
    path = place()
    try:
        write_private(path, json.dumps(data, indent="\t", ensure_ascii=False) + "\n")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.{_LEFT_ALONE}") from None
