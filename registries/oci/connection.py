"""How to reach one registry: address, credentials, trust and pace, as one frozen value."""

# ruff: noqa: N818 - errors are named for what happened, not for being errors

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from yarl import URL

from registries.oci.addresses import read_url
from registries.secret import Secret


class InvalidConnection(ValueError):
    """A connection that cannot be used as it is; the text is one sentence for the person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer, and one listing of many, may cost: bytes, seconds, attempts, names."""

    manifest_bytes: int = 4 * 1024**2
    config_bytes: int = 8 * 1024**2
    # A page of a thousand tags has 130 kB at most, but some registries know no pages: half a million
    # tags of sixty characters at once.
    listing_bytes: int = 32 * 1024**2
    token_bytes: int = 64 * 1024
    connect_seconds: float = 10.0
    # A page of a large catalog on object storage may take a minute before its first byte.
    stall_seconds: float = 75.0
    total_seconds: float = 300.0
    attempts: int = 5
    backoff_seconds: float = 0.25
    # Told to wait longer than this, a request fails as Throttled and leaves waiting to its caller.
    patience_seconds: float = 60.0
    pages: int = 10_000
    # Ten times what the largest known hold; a worker keeps the names of a listing in memory.
    tags: int = 1_000_000
    repositories: int = 1_000_000
    # What signs or describes one image.
    referrers: int = 100_000


def parse_url(text: str, *, allow_private: bool) -> URL:
    """Return the origin of a registry's address, or raise `InvalidConnection`.

    A missing scheme means https; a trailing `/v2/` is what people copy along.
    """
    text = text.strip()
    try:
        url = read_url(text if "://" in text else f"https://{text}")
        usable = bool(url.host) and url.explicit_port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidConnection(f"{text!r} is not an address such as https://registry.example.com.")
    if url.scheme not in ("http", "https"):
        raise InvalidConnection("The address of a registry begins with https:// or http://.")
    if url.user or url.password:
        raise InvalidConnection(
            "Leave user name and password out of the address and give them on their own."
        )
    if url.path.rstrip("/") not in ("", "/v2") or url.query_string or url.fragment:
        raise InvalidConnection(
            "Give the registry's host only, without a path: repositories are named separately."
        )
    if url.scheme == "http" and not allow_private:
        raise InvalidConnection(
            "Plain http sends passwords readable by all on the way; it is accepted only together "
            "with private addresses allowed."
        )
    return url.origin()


@dataclass(frozen=True, slots=True)
class Connection:
    """A registry's address and everything needed to talk to it.

    `ca_certificate` is PEM text trusted besides the system's authorities. `allow_private` opens
    private networks and plain http. `vendor_budget` is how many requests a minute the vendor told
    that it takes; it holds where no `requests_per_minute` are set. `trusted_realms` are hosts of token servers that may receive
    the credentials although they are not under the registry's own domain. `options` are the
    kind's own settings, and `api_username` and `api_secret` a second credential, for the vendor's
    API, where the kind has one (`Connector.fields`). Raises `InvalidConnection` when made from values that cannot work.
    """

    url: str
    username: str | None = None
    password: Secret | str | None = field(default=None, repr=False)
    ca_certificate: str | None = field(default=None, repr=False)
    allow_private: bool = False
    max_concurrency: int = 32
    requests_per_minute: int | None = None
    vendor_budget: int | None = None
    trusted_realms: Iterable[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    api_username: str | None = None
    api_secret: Secret | str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits, repr=False)

    def __post_init__(self) -> None:
        origin = parse_url(self.url, allow_private=self.allow_private)
        object.__setattr__(self, "url", str(origin))
        if isinstance(self.password, str):
            object.__setattr__(self, "password", Secret(self.password) if self.password else None)
        if isinstance(self.api_secret, str):
            secret = Secret(self.api_secret) if self.api_secret else None
            object.__setattr__(self, "api_secret", secret)
        object.__setattr__(self, "username", self.username or None)
        object.__setattr__(self, "trusted_realms", frozenset(self.trusted_realms))
        if self.username and ":" in self.username:
            raise InvalidConnection("A user name with a colon cannot be sent to a registry.")
        if self.max_concurrency < 1:
            raise InvalidConnection("At least one request at a time is needed.")
        if self.requests_per_minute is not None and self.requests_per_minute < 1:
            raise InvalidConnection("A budget of at least one request a minute is needed.")

    @property
    def origin(self) -> URL:
        """The registry's scheme, host and port."""
        return URL(self.url)

    @property
    def is_plain(self) -> bool:
        """Whether the registry is spoken to without TLS."""
        return self.url.startswith("http://")

    @property
    def credentials(self) -> tuple[str, str] | None:
        """The user name and password, if both are there."""
        if self.username is None or not isinstance(self.password, Secret):
            return None
        return self.username, self.password.reveal()

    @property
    def api_credentials(self) -> tuple[str, str] | None:
        """The second user name (may be empty) and secret, if there is a secret."""
        if not isinstance(self.api_secret, Secret):
            return None
        return self.api_username or "", self.api_secret.reveal()
