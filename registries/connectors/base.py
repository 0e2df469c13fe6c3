"""The seam for kinds of registries: what a sync asks of one, whoever made it.

A connector speaks for one connection. Vendors subclass `Connector`, one file each, and are listed
in `registries.connectors.CONNECTORS`.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Literal, Self

from registries.oci.client import Head
from registries.oci.configs import ImageConfig
from registries.oci.connection import Connection
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest
from registries.oci.listings import TagListing
from registries.oci.transport import Stats

StepName = Literal["address", "dns", "tcp", "tls", "api", "sign-in", "catalog"]
STEPS: tuple[StepName, ...] = ("address", "dns", "tcp", "tls", "api", "sign-in", "catalog")


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of testing a connection.

    `ok` is None for a step that was not tried. A step that failed without `essential` is a
    warning: the connection can be used all the same. `seconds` is how long the step took.
    """

    name: StepName
    ok: bool | None
    detail: str
    advice: str = ""
    seconds: float = 0.0
    essential: bool = True


@dataclass(frozen=True, slots=True)
class RepositoryPage:
    """Some of the repositories; `listed` is False for names an operator gave by hand.

    A listed name was said by the registry to exist, a given one still has to be found.
    """

    paths: tuple[str, ...]
    listed: bool = True


class Connector(ABC):
    """A session with one registry; an async context manager.

    All methods raise `registries.oci.errors.RegistryError`.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    # Whether pulls and pushes are judged by permissions of the registry's own, which Portolan cannot
    # rule; a kind that does names them, for people: "the roles assigned in Azure".
    judges_access: ClassVar[bool]
    own_permissions: ClassVar[str] = ""

    @abstractmethod
    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        """Take a connection and the exact names or patterns of the repositories wanted."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    @classmethod
    def enforcement(cls) -> str:
        """Where Portolan's grants hold for registries of this kind, in a sentence for people."""
        if cls.judges_access:
            return (
                "Portolan's grants rule Portolan's own screens, API and actions. At docker pull and"
                f" push {cls.label} judges by its own permissions: {cls.own_permissions}."
            )
        return (
            "The registry itself enforces these grants at docker pull and push, once it takes its"
            " tokens from Portolan. Until then they rule Portolan's own screens, API and actions."
        )

    @property
    @abstractmethod
    def stats(self) -> Stats:
        """What talking to the registry took so far."""

    @property
    @abstractmethod
    def concurrency(self) -> int:
        """How many requests the registry takes at a time now; more only wait in line."""

    @abstractmethod
    async def check(self) -> list[CheckStep]:
        """Test the connection step by step, each with its result; never raises for a bad one."""

    @abstractmethod
    def repositories(self) -> AsyncIterator[RepositoryPage]:
        """Yield the repositories to keep, a page at a time; raises when the listing breaks off."""

    @abstractmethod
    async def tags(self, path: str) -> TagListing:
        """Return the tags of a repository; raises `NotFound` if there is no such repository."""

    @abstractmethod
    async def head(self, path: str, reference: str) -> Head | None:
        """Return what a tag or digest points at now, None if it does not exist."""

    @abstractmethod
    async def manifest(self, path: str, reference: str) -> Manifest:
        """Return a manifest by tag or digest, its bytes verified."""

    @abstractmethod
    async def config(self, path: str, digest: str, size: int) -> ImageConfig:
        """Return the image config with this digest; `size` is what its manifest says, in bytes."""

    @abstractmethod
    async def supports_referrers(self, path: str, digest: str) -> bool:
        """Say whether the registry has the referrers API; asked at most once of a registry."""

    @abstractmethod
    async def referrers(self, path: str, digest: str) -> tuple[Child, ...] | None:
        """Return what refers to a manifest, None when the registry cannot tell."""
