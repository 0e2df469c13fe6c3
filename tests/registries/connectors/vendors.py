"""The kinds of registries and their fakes: what the contract of a connector is tried on.

Each vendor's entry makes an opened fake, a connection to it, and says what it does differently.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, cast

from registries.oci.connection import Connection
from tests.fakes import amazon, github, google
from tests.fakes.acr import FakeAcr
from tests.fakes.amazon import FakeEcr
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.gitea import FakeGitea
from tests.fakes.github import FakeGithub
from tests.fakes.gitlab import FakeGitlab
from tests.fakes.google import FakeGar
from tests.fakes.harbor import FakeHarbor
from tests.fakes.misbehaviour import How, answers, throttles
from tests.fakes.quay import API_TOKEN, FakeQuay
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME, SignIn
from tests.fakes.zot import FakeZot
from tests.registries.oci.asking import connection


@dataclass(frozen=True)
class Vendor:
    """A kind and how its fake is used.

    `fake` makes one that is not opened yet; what it holds is pushed with `FakeRegistry.push`.
    `connect` returns a connection to it, `forget_tokens` withdraws every token given so far.
    `listing` is a part of the paths by which it lists tags. `throttled` answers as the vendor does
    to one who asks too often. `name` gives a repository name that the vendor can have.
    """

    kind: str
    fake: Callable[[], AbstractContextManager[FakeRegistry]]
    connect: Callable[[FakeRegistry], Connection]
    forget_tokens: Callable[[FakeRegistry], None]
    listing: str = "/tags/list"
    throttled: How = field(default_factory=lambda: throttles("0", times=1))
    name: Callable[[str], str] = lambda path: path
    # Repositories have to be named by hand, since the vendor lists none.
    names_are_given: bool = False
    # What a webhook is for, where they are set up by the registry's own credential.
    hooked: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.kind


def _distribution() -> FakeRegistry:
    return FakeRegistry(sign_in=SignIn("bearer"), page_size=20)


DISTRIBUTION = Vendor(
    "distribution",
    fake=_distribution,
    connect=lambda fake: connection(fake, username=USERNAME, password=PASSWORD),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
)

HARBOR = Vendor(
    "harbor",
    fake=FakeHarbor,
    connect=lambda fake: connection(fake, username=USERNAME, password=PASSWORD),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
    listing="/artifacts",
    hooked="library",
)


def _two_parts(path: str) -> str:
    namespace, _, name = path.partition("/")
    return f"{namespace}/{name.replace('/', '-')}"


DOCKERHUB = Vendor(
    "dockerhub",
    fake=FakeDockerHub,
    connect=lambda fake: connection(
        fake,
        username=USERNAME,
        password=PASSWORD,
        options={"api_url": fake.url, "namespaces": "library, team-a a z"},
    ),
    forget_tokens=lambda fake: cast("FakeDockerHub", fake).forget_tokens(),
    listing="/tags",
    throttled=answers(429, times=1, headers={"X-Retry-After": "1700000000"}),
    name=_two_parts,
)
GHCR = Vendor(
    "ghcr",
    fake=FakeGithub,
    connect=lambda fake: connection(
        fake,
        username=USERNAME,
        password=PASSWORD,
        requests_per_minute=60_000,
        options={"api": fake.url, "owners": "library, team-a, a, z"},
    ),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
    listing="/versions",
    throttled=github.is_used_up(resets_at=0, times=1),
    hooked="team-a",
)
GITLAB = Vendor(
    "gitlab",
    fake=lambda: FakeGitlab(page_size=100),
    connect=lambda fake: connection(
        fake, username=USERNAME, password=PASSWORD, requests_per_minute=60_000
    ),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
)
GAR = Vendor(
    "gar",
    fake=lambda: FakeGar(page_size=100),
    connect=lambda fake: google.account(cast("FakeGar", fake)),
    forget_tokens=lambda fake: cast("FakeGar", fake).forget_tokens(),
    name=lambda path: f"acme/images/{path}",
)
ECR = Vendor(
    "ecr",
    fake=lambda: FakeEcr(largest_page=100),
    connect=lambda fake: connection(
        fake,
        username=amazon.KEY_ID,
        password=amazon.SECRET,
        options={"endpoint": fake.url, "region": amazon.REGION},
    ),
    forget_tokens=lambda fake: cast("FakeEcr", fake).forget_password(),
    listing="/",
    throttled=amazon.slows_down(times=1),
)


def _forget_acr(fake: FakeRegistry) -> None:
    assert isinstance(fake, FakeAcr)
    fake.forget_tokens()


ACR = Vendor(
    "acr",
    fake=FakeAcr,
    connect=lambda fake: connection(fake, username=USERNAME, password=PASSWORD),
    forget_tokens=_forget_acr,
    listing="/_tags",
)
QUAY = Vendor(
    "quay",
    fake=FakeQuay,
    connect=lambda fake: connection(
        fake,
        username=USERNAME,
        password=PASSWORD,
        api_secret=API_TOKEN,
        options={"namespaces": "library, team-a a z"},
    ),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
    listing="/tag/",
    hooked="library/busybox",
)
GITEA = Vendor(
    "gitea",
    fake=FakeGitea,
    connect=lambda fake: connection(fake, username=USERNAME, password=PASSWORD),
    forget_tokens=lambda fake: fake.sign_in.forget_tokens(),
    hooked="team-a",
)
ZOT = Vendor(
    "zot",
    fake=FakeZot,
    connect=lambda fake: connection(fake, username=USERNAME, password=PASSWORD),
    forget_tokens=lambda fake: None,  # it asks for the password each time
)

VENDORS: tuple[Vendor, ...] = (
    ACR,
    HARBOR,
    DOCKERHUB,
    QUAY,
    GHCR,
    GITLAB,
    ECR,
    GAR,
    GITEA,
    ZOT,
    DISTRIBUTION,
)
