"""The servers that one is signed in to, each with its token, in a file that only its owner reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import typer

from portolan.failures import Failure, NotSignedIn

DIRECTORY = "PORTOLAN_CONFIG_DIR"


@dataclass(frozen=True, slots=True)
class Context:
    """One server, and as whom. `registries` are the hosts that docker asks us about."""

    name: str
    server: str
    token: str = field(repr=False)
    principal: str = ""
    ca_file: str = ""
    insecure_http: bool = False
    registries: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The name that goes with the token in a `docker login`."""
        return self.principal.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Login:
    """What `docker login` was told by hand for a host, which goes before what we know."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Contexts:
    """All that is remembered. Values: a change gives another one, and `save` writes it."""

    current: str = ""
    contexts: Mapping[str, Context] = field(default_factory=dict)
    logins: Mapping[str, Login] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """What the file has, or nothing; raises Failure for a file that cannot be read."""
        path = place()
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                current=str(data["current"]),
                contexts={
                    name: Context(name, **_known(Context, kept) | {"registries": _hosts(kept)})
                    for name, kept in data["contexts"].items()
                },
                logins={host: Login(**kept) for host, kept in data["logins"].items()},
            )
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise NotSignedIn(
                f"{path} cannot be read ({error}). Mend it, or remove it and sign in again."
            ) from None

    def save(self) -> None:
        data = {
            "current": self.current,
            "contexts": {name: _without_name(one) for name, one in self.contexts.items()},
            "logins": {host: asdict(login) for host, login in self.logins.items()},
        }
        try:
            write_private(place(), json.dumps(data, indent=2) + "\n")
        except OSError as error:
            raise Failure(
                f"{place()} cannot be written: {error.strerror}. {DIRECTORY} names another directory"
                " for it."
            ) from None

    def find(self, name: str = "", server: str = "") -> Context | None:
        """The context of that name; else of that server, the current one before others; else the
        current one."""
        if name:
            return self.contexts.get(name)
        current = self.contexts.get(self.current)
        if not server:
            return current
        others = [one for one in self.contexts.values() if one.server == server]
        return current if current in others else next(iter(others), None)

    def with_context(self, context: Context) -> Self:
        """It becomes the current one."""
        return replace(
            self,
            current=context.name,
            contexts={**self.contexts, context.name: context},
        )

    def without(self, name: str) -> Self:
        """Without the current one none is: what was meant for that server goes to no other."""
        left = {key: one for key, one in self.contexts.items() if key != name}
        current = self.current if self.current in left else ""
        return replace(self, current=current, contexts=left)

    def knows(self, host: str) -> bool:
        """Whether docker would be told a credential."""
        return host in self.logins or any(host in one.registries for one in self.contexts.values())

    def with_login(self, host: str, login: Login | None) -> Self:
        """None is nothing by hand: what a context knows of the host counts again."""
        others = {key: one for key, one in self.logins.items() if key != host}
        return replace(self, logins=others | ({host: login} if login else {}))

    def without_login(self, host: str) -> Self:
        """Neither what was told by hand nor what a context knows of this host."""
        return replace(
            self.with_login(host, None),
            contexts={
                name: replace(
                    one, registries=tuple(other for other in one.registries if other != host)
                )
                for name, one in self.contexts.items()
            },
        )


def place() -> Path:
    """The file, in the directory where programs of this system keep such things."""
    chosen = os.environ.get(DIRECTORY, "")
    return Path(chosen or typer.get_app_dir("portolan")) / "contexts.json"


def write_private(path: Path, text: str) -> None:
    """All of it or nothing, and for the eyes of its owner from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes files of mode 0600.
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _hosts(kept: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(host) for host in kept.get("registries", ()))


def _known(kind: type[Context], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that this version knows: a later one may have written more."""
    return {name: kept[name] for name in kind.__dataclass_fields__ if name in kept}


def _without_name(context: Context) -> dict[str, Any]:
    return {name: value for name, value in asdict(context).items() if name != "name"}
