"""The seam for kinds of registries: what a sync asks of one, whoever made it.

A connector speaks for one connection. Vendors subclass `Connector`, one file each, and are listed
in `registries.connectors.CONNECTORS`.
"""

# ruff: noqa: ARG002, ARG003 - defaults take what those who override them use

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Literal, Self

from registries.connectors.abilities import Ability, Field, Power
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.oci.client import Head, Ping
from registries.oci.configs import ImageConfig
from registries.oci.connection import Connection
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest
from registries.oci.errors import Unsupported
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock, ManifestListing, RepositoryFacts
from registries.oci.reference import Digest
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

    A listed name was said by the registry to exist, a given one still has to be found. `facts`, by
    path, is what a vendor's listing says of them besides.
    """

    paths: tuple[str, ...]
    listed: bool = True
    facts: Mapping[str, RepositoryFacts] = field(default_factory=dict)


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
    # What it offers; a test holds it against what the connector does.
    abilities: ClassVar[frozenset[Ability]]
    # Whether a manifest goes with the last tag that is taken away from it.
    last_tag_holds: ClassVar[bool] = False
    # Whether a manifest stays as long as an index holds it, whoever wants it deleted.
    index_holds: ClassVar[bool] = False
    # Its own settings, in the order of the form.
    fields: ClassVar[tuple[Field, ...]] = ()
    # The budget the vendor publishes, for registries whose owner sets none.
    requests_per_minute: ClassVar[int | None] = None
    # Whether reading a manifest is counted against a pull quota: then a sync reads none that a
    # listing describes, not even a full one.
    pulls_are_rationed: ClassVar[bool] = False
    # What one of its webhooks is for, where it has none for all: "project".
    webhooks_are_for: ClassVar[str] = ""
    # What can be done about what a report tells, by code: the words on the button.
    remedies: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        """Take a connection and the exact names or patterns of the repositories wanted."""

    # What kind it is ----------------------------------------------------------------------------

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return where the registry that people know by this host is dialled, None for no such one.

        `docker.io` is served by `registry-1.docker.io`.
        """
        return None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:
        """Say whether a registry at this host, which introduces itself so, is of this kind."""
        return False

    @classmethod
    def web_page(
        cls, connection: Connection, path: str, tag: str | None = None, digest: str | None = None
    ) -> str | None:
        """Return the address of the vendor's own page on a repository, tag or manifest."""
        return None

    # The session --------------------------------------------------------------------------------

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

    @property
    @abstractmethod
    def has_budget(self) -> bool:
        """Whether requests are counted against a budget a minute, which one process keeps."""

    @abstractmethod
    async def check(self) -> list[CheckStep]:
        """Test the connection step by step, each with its result; never raises for a bad one."""

    @abstractmethod
    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do (list, pull, delete, webhooks), changing nothing."""

    # Reading ------------------------------------------------------------------------------------

    @abstractmethod
    def repositories(self) -> AsyncIterator[RepositoryPage]:
        """Yield the repositories to keep, a page at a time; raises when the listing breaks off."""

    @abstractmethod
    async def tags(self, path: str) -> TagListing:
        """Return the tags of a repository; raises `NotFound` if there is no such repository.

        Kinds with `Ability.BULK` bring digests and facts along, and `manifests` where the same
        answers hold them.
        """

    async def manifests(
        self, path: str, wanted: Collection[Digest] | None = None
    ) -> ManifestListing:
        """Return outlines of a repository's manifests, for kinds that list them apart from tags.

        `wanted` are those that must be among them, if they are there; None is for all, and then the
        listing may be `complete`. The default knows of none: documents are read instead.
        """
        return ManifestListing()

    async def repository_facts(self, path: str) -> RepositoryFacts | None:
        """Return what a repository's own page says, None where the listings say it all.

        For who looks at that one: no sync asks each repository. Raises `NotFound`.
        """
        return None

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

    # Changing -----------------------------------------------------------------------------------
    # What a kind does not do it refuses in words; its abilities say beforehand which those are.

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; its manifest and other tags stay. Raises `NotFound` and `Unsupported`."""
        raise self._unsupported("take a tag away without deleting what it points at")

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with every tag on it. Raises `NotFound` and `Unsupported`."""
        raise self._unsupported("delete manifests")

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds. Raises `NotFound` and `Unsupported`."""
        raise self._unsupported("delete repositories")

    async def set_locks(
        self, path: str, locks: Lock, *, tag: str | None = None, digest: str | None = None
    ) -> None:
        """Lock a repository, or one tag or manifest of it, against exactly this."""
        raise self._unsupported("lock anything")

    # The vendor's own ---------------------------------------------------------------------------

    async def report(self) -> Report:
        """Return what the vendor tells of access, usage and webhooks; raises for no answer at all."""
        return Report()

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook that notifies Portolan and return it; one that is there is replaced."""
        raise self._unsupported("set up webhooks by an API")

    async def ping_webhook(self, webhook_id: str) -> str:
        """Let the registry send a test notification; returns what it said, a sentence."""
        raise self._unsupported("send test notifications")

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook at the registry."""
        raise self._unsupported("remove webhooks by an API")

    async def remedy(self, code: str) -> str:
        """Do what one of `remedies` stands for; returns what was done, a sentence."""
        raise self._unsupported("do that")

    def _unsupported(self, what: str) -> Unsupported:
        return Unsupported(
            f"{self.label} does not let Portolan {what}.",
            advice="Do it at the registry itself; the next sync shows it.",
        )
