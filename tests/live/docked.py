"""Real registries that take Portolan's tokens, of both generations at once."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

from access.tokens import setup
from registries.models import Registry
from tests.live import registries

# The kind of the process, and what Portolan calls the registry.
GENERATIONS = {
    name: kind
    for name, kind in {"old": "docker-registry", "new": "distribution"}.items()
    if kind in registries.available()
}


@dataclass(frozen=True)
class Dock:
    name: str
    host: str

    @property
    def registry(self) -> Registry:
        return Registry.objects.get(name=self.name)


def printed(*arguments: str) -> str:
    """What an operator's `manage.py token_certificate` prints."""
    out = io.StringIO()
    call_command("token_certificate", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@contextlib.contextmanager
def docked(name: str, portolan: str, directory: Path, port: int | None = None) -> Iterator[Dock]:
    """A registry called `name` that trusts the keys which are published now. Started again with the
    same directory it has what it had, and trusts those of then."""
    directory.mkdir(exist_ok=True)
    kind = GENERATIONS[name]
    auth = _configured(name, portolan, directory)["auth"]
    with registries.running(kind, directory, auth=auth, port=port) as running:
        yield Dock(name, running.host)


def _configured(name: str, portolan: str, directory: Path) -> dict[str, Any]:
    """As the page about the registry's setup says."""
    if GENERATIONS[name] == "docker-registry":
        bundle = directory / "certificates.pem"
        bundle.write_text(printed(), encoding="utf-8")
        return setup.distribution_2(name, portolan, str(bundle))
    keys = directory / "keys.json"
    keys.write_text(printed("--jwks"), encoding="utf-8")
    return setup.distribution_3(name, portolan, str(keys))
