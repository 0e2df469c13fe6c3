"""What an image config says, ready to be shown: secrets covered, empty parts left out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SECRET = re.compile(
    r"passw|pwd$|secret|token|credential|api_?key|private_?key|access_?key|(^|_)auth($|_)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable; a value that looks like a secret is shown only when asked for."""

    name: str
    value: str

    @property
    def is_secret(self) -> bool:
        return bool(self.value) and _SECRET.search(self.name) is not None


@dataclass(frozen=True, slots=True)
class Config:
    """An image's run-time facts. Commands are written as a shell would take them."""

    entrypoint: str = ""
    command: str = ""
    user: str = ""
    working_dir: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    author: str = ""
    env: tuple[Variable, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Config:
        """From the JSON of an ImageConfig row."""
        return cls(
            entrypoint=shlex.join(data.get("entrypoint") or ()),
            command=shlex.join(data.get("cmd") or ()),
            user=data.get("user") or "",
            working_dir=data.get("working_dir") or "",
            ports=tuple(data.get("exposed_ports") or ()),
            volumes=tuple(data.get("volumes") or ()),
            stop_signal=data.get("stop_signal") or "",
            author=data.get("author") or "",
            env=tuple(_variable(text) for text in data.get("env") or ()),
            labels=dict(sorted((data.get("labels") or {}).items())),
            history=data.get("history") or (),
        )

    def facts(self) -> dict[str, str]:
        """The single values by their Dockerfile names, for comparing."""
        return {
            "ENTRYPOINT": self.entrypoint,
            "CMD": self.command,
            "USER": self.user,
            "WORKDIR": self.working_dir,
            "EXPOSE": " ".join(self.ports),
            "VOLUME": " ".join(self.volumes),
            "STOPSIGNAL": self.stop_signal,
        }


def _variable(text: str) -> Variable:
    name, _equals, value = text.partition("=")
    return Variable(name, value)
