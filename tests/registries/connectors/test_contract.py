"""What every connector does, whichever vendor it speaks to."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from urllib.parse import unquote

import pytest

from registries.connectors import CONNECTORS, Connector, connect
from registries.connectors.abilities import POWERS, Ability
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.oci.connection import InvalidConnection
from registries.oci.errors import NotFound, RegistryError, Throttled, Unsupported
from registries.oci.outlines import Lock, Outline
from registries.oci.reference import Digest, InvalidReference
from tests.fakes import content
from tests.fakes.misbehaviour import answers, path_has, throttles
from tests.fakes.registry import FakeRegistry
from tests.registries.connectors import running
from tests.registries.connectors.running import paths
from tests.registries.connectors.vendors import VENDORS, Vendor

T = TypeVar("T")
# Dots, dashes, five levels, Docker's own namespace, and a long part.
NAMES = ("library/busybox", "team-a/my.app", "a/b-c/d_e/f/g", "z/" + "x" * 200)
LIMIT = 255


@pytest.fixture(params=VENDORS, ids=str)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


@pytest.fixture
def fake(vendor: Vendor) -> Iterator[FakeRegistry]:
    with vendor.fake() as fake:
        for name in NAMES:
            fake.push(vendor.name(name), content.image(name), "v1", "latest")
        yield fake


def use(vendor: Vendor, fake: FakeRegistry, what: Callable[[Connector], Awaitable[T]]) -> T:
    given = [vendor.name(name) for name in NAMES] if vendor.names_are_given else []

    return running.use(vendor.kind, vendor.connect(fake), what, *given)


def test_every_kind_has_a_vendor_to_be_tried_on() -> None:
    assert {vendor.kind for vendor in VENDORS} == set(CONNECTORS)


def test_every_repository_is_listed_once(vendor: Vendor, fake: FakeRegistry) -> None:
    assert sorted(use(vendor, fake, paths)) == sorted(vendor.name(name) for name in NAMES)


@pytest.mark.parametrize("filling", ["x", "/y"], ids=["one long part", "many parts"])
def test_a_name_of_255_characters_is_listed_read_and_deleted_like_any_other(
    vendor: Vendor, fake: FakeRegistry, filling: str
) -> None:
    short = vendor.name("z/x")
    path = vendor.name("z/x" + filling * ((LIMIT - len(short)) // len(filling)))
    path += "x" * (LIMIT - len(path))
    digest = fake.push(path, content.image("long"), "v1")
    assert len(path) == LIMIT

    async def read(connector: Connector) -> tuple[bool, tuple[str, ...], str]:
        listed = path in await paths(connector)
        return (
            listed,
            (await connector.tags(path)).names,
            (await connector.manifest(path, "v1")).digest,
        )

    assert use(vendor, fake, read) == (True, ("v1",), digest)
    if Ability.DELETE_REPOSITORY in CONNECTORS[vendor.kind].abilities:
        use(vendor, fake, lambda connector: connector.delete_repository(path))
        assert path not in fake.repositories


# Upper case, which no vendor has in paths, and one character too many.
IMPOSSIBLE = ("Team-a/app", "team-a/App", "z/" + "x" * LIMIT)


def test_names_that_cannot_be_are_left_out_of_listings_and_counted(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    for name in IMPOSSIBLE:
        fake.push(vendor.name(name), content.image("impossible"), "v1")

    async def listed(connector: Connector) -> tuple[list[str], int]:
        return sorted(await paths(connector)), connector.stats.invalid_names

    found, invalid = use(vendor, fake, listed)
    assert found == sorted(vendor.name(name) for name in NAMES)
    # Of what is listed by owner, those of an owner that cannot be were not even asked for.
    assert invalid in (2, 3)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_name_that_cannot_be_is_refused_before_anybody_is_asked(
    vendor: Vendor, fake: FakeRegistry, name: str
) -> None:
    path, digest = vendor.name(name), "sha256:" + "0" * 64
    questions: tuple[Callable[[Connector], Awaitable[object]], ...] = (
        lambda connector: connector.tags(path),
        lambda connector: connector.head(path, "v1"),
        lambda connector: connector.manifest(path, "v1"),
        lambda connector: connector.manifests(path),
        lambda connector: connector.delete_tag(path, "v1"),
        lambda connector: connector.delete_manifest(path, digest),
        lambda connector: connector.delete_repository(path),
        lambda connector: connector.set_locks(path, Lock.DELETE),
    )

    async def refused(connector: Connector) -> list[str]:
        said = []
        for question in questions:
            try:
                await question(connector)
            except (InvalidReference, Unsupported) as error:
                said.append(type(error).__name__)
            else:
                said.append("taken")
        return said

    said = use(vendor, fake, refused)
    assert said[:3] == ["InvalidReference"] * 3
    assert "taken" not in said[:3] + said[4:]
    with pytest.raises(InvalidConnection):
        connect(vendor.kind, vendor.connect(fake), [path])
    assert not [it.path for it in fake.requests if path in unquote(unquote(it.path))]


def test_the_check_of_a_good_connection_passes(vendor: Vendor, fake: FakeRegistry) -> None:
    steps = use(vendor, fake, lambda connector: connector.check())
    assert [(step.name, step.detail) for step in steps if step.ok is False] == []


def test_tags_are_listed_over_as_many_pages_as_there_are(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    path = vendor.name(NAMES[0])
    tags = {f"1.{number}" for number in range(250)}
    digest = fake.push(path, content.image("many"), *tags)
    listing = use(vendor, fake, lambda connector: connector.tags(path))
    assert listing.complete
    assert listing.problem is None
    assert set(listing.names) == tags | {"v1", "latest"}
    told = {listing.digests[tag] for tag in tags if tag in listing.digests}
    assert told <= {digest}
    if Ability.BULK in CONNECTORS[vendor.kind].abilities:
        assert told == {digest}


def test_every_manifest_is_read_and_verified(vendor: Vendor, fake: FakeRegistry) -> None:
    async def read(connector: Connector) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for path in map(vendor.name, NAMES):
            head = await connector.head(path, "v1")
            manifest = await connector.manifest(path, "v1")
            found.append((manifest.digest, head.digest if head else None))
        return found

    digests = [fake.repositories[vendor.name(name)].tags["v1"] for name in NAMES]
    assert use(vendor, fake, read) == [(digest, digest) for digest in digests]


def test_outlines_agree_with_the_documents(vendor: Vendor, fake: FakeRegistry) -> None:
    path = vendor.name("team-a/sizes")
    image = content.image("sized")
    digest = fake.push(path, image, "v1")

    async def outline(connector: Connector) -> Outline | None:
        listing = (await connector.tags(path)).manifests
        listing = listing if listing.outlines else await connector.manifests(path)
        return listing.outlines.get(Digest(digest))

    found = use(vendor, fake, outline)
    if found is not None:
        assert found.digest == digest
        assert found.media_type in ("", image.media_type)
        assert found.total_size >= 0


def test_what_is_not_there_is_not_found(vendor: Vendor, fake: FakeRegistry) -> None:
    path = vendor.name("team-a/absent")
    with pytest.raises(NotFound):
        use(vendor, fake, lambda connector: connector.tags(path))
    assert use(vendor, fake, lambda connector: connector.head(path, "v1")) is None


def test_being_told_to_slow_down_is_obeyed_and_then_forgotten(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    fake.misbehave(path_has(vendor.listing), vendor.throttled)
    path = vendor.name(NAMES[0])
    assert set(use(vendor, fake, lambda connector: connector.tags(path)).names) == {"v1", "latest"}


def test_being_told_to_wait_for_hours_is_an_error_that_says_so(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    fake.misbehave(path_has(vendor.listing), throttles("7200"))
    assert isinstance(_problem(vendor, fake), Throttled)


def test_tokens_that_end_midway_are_renewed(vendor: Vendor, fake: FakeRegistry) -> None:
    async def twice(connector: Connector) -> list[tuple[str, ...]]:
        before = (await connector.tags(vendor.name(NAMES[0]))).names
        vendor.forget_tokens(fake)
        after = (await connector.tags(vendor.name(NAMES[0]))).names
        return [tuple(sorted(before)), tuple(sorted(after))]

    assert use(vendor, fake, twice) == [("latest", "v1")] * 2


def test_a_listing_that_fails_midway_proves_nothing_absent(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    fake.misbehave(path_has(vendor.listing), answers(500))
    problem = _problem(vendor, fake)
    assert problem is not None
    assert problem.advice


def _problem(vendor: Vendor, fake: FakeRegistry) -> RegistryError | None:
    """What went wrong with a listing: raised, or told with as much of it as came."""

    async def tags(connector: Connector) -> RegistryError | None:
        try:
            listing = await connector.tags(vendor.name(NAMES[0]))
        except RegistryError as error:
            return error
        assert not listing.complete
        return listing.problem

    return use(vendor, fake, tags)


def test_powers_are_told_for_every_question(vendor: Vendor, fake: FakeRegistry) -> None:
    powers = use(vendor, fake, lambda connector: connector.powers())
    assert tuple(power.name for power in powers) == POWERS
    assert all(power.detail.endswith(".") for power in powers)
    assert {power.name: power.allowed for power in powers}["pull"] is not False


def test_a_manifest_is_deleted_with_its_tags_or_refused_in_words(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    path = vendor.name(NAMES[0])
    holdings = fake.repositories[path]
    digest = holdings.tags["v1"]
    delete = lambda connector: connector.delete_manifest(path, digest)  # noqa: E731
    if Ability.DELETE_MANIFEST in CONNECTORS[vendor.kind].abilities:
        use(vendor, fake, delete)
        assert digest not in holdings.manifests
        assert not holdings.tags
    else:
        _refused(vendor, fake, delete)


def test_a_tag_is_taken_away_alone_or_refused_in_words(vendor: Vendor, fake: FakeRegistry) -> None:
    path = vendor.name(NAMES[0])
    untag = lambda connector: connector.delete_tag(path, "v1")  # noqa: E731
    if Ability.DELETE_TAG in CONNECTORS[vendor.kind].abilities:
        use(vendor, fake, untag)
        assert set(fake.repositories[path].tags) == {"latest"}
        assert fake.repositories[path].manifests
    else:
        _refused(vendor, fake, untag)
        assert set(fake.repositories[path].tags) == {"v1", "latest"}


def test_a_repository_is_deleted_or_refused_in_words(vendor: Vendor, fake: FakeRegistry) -> None:
    path = vendor.name(NAMES[0])
    delete = lambda connector: connector.delete_repository(path)  # noqa: E731
    if Ability.DELETE_REPOSITORY in CONNECTORS[vendor.kind].abilities:
        use(vendor, fake, delete)
        assert path not in fake.repositories
    else:
        _refused(vendor, fake, delete)
        assert path in fake.repositories


def test_locks_are_set_or_refused_in_words(vendor: Vendor, fake: FakeRegistry) -> None:
    path = vendor.name(NAMES[0])

    async def lock(connector: Connector) -> Lock | None:
        await connector.set_locks(path, Lock.DELETE | Lock.WRITE, tag="v1")
        facts = (await connector.tags(path)).facts
        return facts["v1"].locks

    if Ability.LOCKS in CONNECTORS[vendor.kind].abilities:
        assert use(vendor, fake, lock) == Lock.DELETE | Lock.WRITE
    else:
        _refused(vendor, fake, lock)


SECRET = "a-secret-nobody-should-read"


def test_a_webhook_is_set_up_once_and_removed_or_refused_in_words(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    kind, at = CONNECTORS[vendor.kind], "https://portolan.example.com/hooks/in/harbour"
    wanted = NewWebhook(
        "portolan-harbour", at, f"Bearer {SECRET}", f"{at}?secret={SECRET}", vendor.hooked, SECRET
    )

    async def twice(connector: Connector) -> tuple[NativeWebhook, Report, Report]:
        await connector.create_webhook(wanted)
        made = await connector.create_webhook(wanted)
        before = await connector.report()
        await connector.delete_webhook(made.id)
        return made, before, await connector.report()

    if not vendor.hooked:
        # Azure's are its Resource Manager's, which has a credential of its own.
        assert Ability.WEBHOOKS not in kind.abilities or vendor.kind == "acr"
        with pytest.raises(Unsupported) as caught:
            use(vendor, fake, lambda connector: connector.create_webhook(wanted))
        assert caught.value.advice
        return
    made, before, after = use(vendor, fake, twice)
    assert (made.address, made.enabled) == (at, True)
    assert made.events
    assert [(it.id, it.address) for it in before.webhooks] == [(made.id, at)]
    assert SECRET not in f"{made} {before} {wanted}"
    assert not after.webhooks


@pytest.mark.parametrize("unknown", ["../../1", "", "no-such/1", "user/../../1"])
def test_what_is_no_webhook_of_the_registry_is_not_removed(
    vendor: Vendor, fake: FakeRegistry, unknown: str
) -> None:
    with pytest.raises((NotFound, Unsupported)):
        use(vendor, fake, lambda connector: connector.delete_webhook(unknown))


def test_webhooks_for_each_part_of_a_registry_say_which_it_is(
    vendor: Vendor, fake: FakeRegistry
) -> None:
    wanted = NewWebhook("portolan", "https://portolan.example.com", "", "", "", SECRET)
    assert bool(CONNECTORS[vendor.kind].webhooks_are_for) is bool(vendor.hooked)
    with pytest.raises(Unsupported):
        use(vendor, fake, lambda connector: connector.create_webhook(wanted))


def _refused(
    vendor: Vendor, fake: FakeRegistry, what: Callable[[Connector], Awaitable[object]]
) -> None:
    with pytest.raises(Unsupported) as caught:
        use(vendor, fake, what)
    assert CONNECTORS[vendor.kind].label in str(caught.value)
    assert str(caught.value).endswith(".")
    assert caught.value.advice
