"""What was granted in Portolan is what real registries let real clients do."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from access.models import (
    AdminAccount,
    AuditEntry,
    Grant,
    Role,
    Secret,
    ServicePrincipal,
    Use,
    User,
)
from access.scopes import Scope
from access.tokens import signing
from access.tokens.scope import Allowed
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.live import clients, images, layout, portolan
from tests.live.clients import Shell
from tests.live.docked import GENERATIONS, Dock, docked, printed
from tests.live.tokens import answer, bearer, kid, manifest, signed

LIFETIME = 60
IMAGE = images.image(images.layer({"a": b"1"}))
# Distribution takes a token for so many seconds after its end.
LEEWAY = 60


@pytest.fixture(scope="module")
def db(django_db_setup: None) -> None:
    """The test database, made and left alone: a server of its own process must see what is in it."""


@pytest.fixture(scope="module")
def server(
    db: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a running Portolan."""
    log = tmp_path_factory.mktemp("portolan") / "web.log"
    lifetime = str(LIFETIME)
    with (
        django_db_blocker.unblock(),
        portolan.serving_many(log, TOKEN_LIFETIME_SECONDS=lifetime) as url,
    ):
        yield url


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Wrong secrets of other tests, all from this address."""
    cache.clear()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return layout.write(tmp_path_factory.mktemp("image"), IMAGE)


@pytest.fixture(scope="module")
def owner(server: str) -> asking.Login:
    user = User.objects.create_superuser("anna")
    return asking.token_of(user, timezone.now() + timedelta(hours=1))


@pytest.fixture(scope="module", params=list(GENERATIONS))
def dock(
    request: pytest.FixtureRequest,
    server: str,
    owner: asking.Login,
    image: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Dock]:
    """A registry of each generation, with one image in each of some repositories."""
    name: str = request.param
    directory = tmp_path_factory.mktemp(name)
    with docked(name, server, directory / "registry") as dock:
        catalog.registry(name, url=f"http://{dock.host}", allow_private=True)
        shell = Shell("skopeo", dock.host, directory, image)
        assert shell.login(*owner)
        for repository in ("team-a/app", "team-b/app", "public/app"):
            done = shell.push(f"{repository}:1")
            assert done, done.said
        yield dock


@pytest.fixture(params=clients.available())
def shell(request: pytest.FixtureRequest, dock: Dock, image: Path) -> Iterator[Shell]:
    """Each client in turn, signed in nowhere. (podman takes no long path for a home.)"""
    with tempfile.TemporaryDirectory() as home:
        yield Shell(request.param, dock.host, Path(home), image)


@pytest.fixture
def skopeo(dock: Dock, image: Path, tmp_path: Path) -> Shell:
    return Shell("skopeo", dock.host, tmp_path, image)


def machine(name: str, role: str, scope: Scope) -> asking.Login:
    """A new machine, named after what it is for and where."""
    name = f"{name}-{scope.registry}-{ServicePrincipal.objects.count()}"
    return asking.login(asking.machine(name, role, scope))


def assert_denied(done: clients.Done) -> None:
    assert done.denied, done.said


# By each client ------------------------------------------------------------------------------------


def test_a_reader_pulls_and_does_not_push(shell: Shell, dock: Dock) -> None:
    assert_denied(shell.pull("team-a/app:1"))
    assert shell.login(*machine("reader", "reader", Scope(dock.name)))
    pulled = shell.pull("team-a/app:1")
    assert pulled, pulled.said
    assert_denied(shell.push("team-a/app:reader", made_from="team-a/app:1"))


def test_a_pusher_pushes_under_its_pattern_and_not_elsewhere(shell: Shell, dock: Dock) -> None:
    assert shell.login(*machine("pusher", "pusher", Scope(dock.name, "team-a/*")))
    pushed = shell.push(f"team-a/by-{shell.tool}:1", made_from="team-a/app:1")
    assert pushed, pushed.said
    assert_denied(shell.push(f"team-b/by-{shell.tool}:1", made_from="team-a/app:1"))
    assert_denied(shell.push(f"team-a-too/by-{shell.tool}:1", made_from="team-a/app:1"))
    assert_denied(shell.pull("team-b/app:1"))


def test_a_login_is_checked(shell: Shell, dock: Dock) -> None:
    name, secret = machine("login", "reader", Scope(dock.name))
    assert shell.login(name, secret)
    if shell.tool != "crane":  # which only writes them down
        refused = shell.login(name, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
        assert_denied(refused)
        assert secret not in refused.said


def test_everybody_pulls_what_is_public_without_signing_in(shell: Shell, dock: Dock) -> None:
    Grant.objects.get_or_create(
        is_public=True,
        role=Role.objects.get(name="puller"),
        registry=dock.registry,
        path="public/*",
    )
    pulled = shell.pull("public/app:1")
    assert pulled, pulled.said
    assert_denied(shell.pull("team-a/app:1"))


# By one client each --------------------------------------------------------------------------------


def test_the_catalog_is_listed_by_who_may_list_all(dock: Dock, image: Path, tmp_path: Path) -> None:
    for role, scope, listed in (
        ("catalog-lister", Scope(dock.name), True),
        ("reader", Scope(dock.name, "team-a/*"), False),
        ("puller", Scope(dock.name), False),
    ):
        crane = Shell("crane", dock.host, tmp_path / role, image)
        crane.login(*machine("lister", role, scope))
        done = crane.run("catalog", "--insecure", dock.host)
        assert (done.ok, done.denied) == (listed, not listed), done.said
        assert ("team-b/app" in done.said) is listed


def test_a_deleter_deletes_and_a_pusher_does_not(
    dock: Dock, owner: asking.Login, image: Path, tmp_path: Path
) -> None:
    skopeo = Shell("skopeo", dock.host, tmp_path, image)
    skopeo.login(*owner)
    assert skopeo.push("team-a/short-lived:1")
    for role, deletes in (("pusher", False), ("deleter", True)):
        crane = Shell("crane", dock.host, tmp_path / role, image)
        crane.login(*machine("deleter", role, Scope(dock.name)))
        place = f"{dock.host}/team-a/short-lived@{IMAGE.digest}"
        done = crane.run("delete", "--insecure", place)
        assert (done.ok, done.denied) == (deletes, not deletes), done.said


def test_a_grant_that_ends_stops_the_next_pull(skopeo: Shell, dock: Dock) -> None:
    who = machine("leaver", "reader", Scope(dock.name))
    assert skopeo.login(*who)
    assert skopeo.pull("team-a/app:1")
    Grant.objects.filter(service_principal__name=who[0]).update(
        until=timezone.now() + timedelta(seconds=1)
    )
    time.sleep(1.1)
    assert_denied(skopeo.pull("team-a/app:1"))


def test_a_secret_that_was_revoked_stops_the_next_pull(skopeo: Shell, dock: Dock) -> None:
    who = machine("leaker", "reader", Scope(dock.name))
    assert skopeo.login(*who)
    assert skopeo.pull("team-a/app:1")
    Secret.objects.filter(service_principal__name=who[0]).update(revoked_at=timezone.now())
    assert_denied(skopeo.pull("team-a/app:1"))


def test_a_machine_that_was_disabled_stops_at_once_and_works_again_when_enabled(
    skopeo: Shell, dock: Dock
) -> None:
    who = machine("sleeper", "reader", Scope(dock.name))
    assert skopeo.login(*who)
    ours = ServicePrincipal.objects.filter(name=who[0])
    ours.update(disabled_at=timezone.now())
    assert_denied(skopeo.pull("team-a/app:1"))
    ours.update(disabled_at=None)
    assert skopeo.pull("team-a/app:1")


def test_a_token_got_before_is_refused_when_its_lifetime_is_over(server: str, dock: Dock) -> None:
    def got(seconds_ago: int) -> str:
        access = Allowed("repository", "team-a/app", ("pull",))
        (key,) = signing.ensured()
        return signed(key, server, dock, access, lifetime=LIFETIME, seconds_ago=seconds_ago)

    assert answer(manifest(dock), got(LIFETIME - 5))[0] == 200
    assert answer(manifest(dock), got(LIFETIME + LEEWAY + 5))[0] == 401


def test_a_mount_needs_pull_on_where_it_comes_from(server: str, dock: Dock) -> None:
    blob = IMAGE.blobs[1].digest
    url = f"http://{dock.host}/v2/team-b/mounted/blobs/uploads/?mount={blob}&from=team-a/app"
    scopes = ("repository:team-b/mounted:pull,push", "repository:team-a/app:pull")
    who = machine("mounter", "pusher", Scope(dock.name, "team-b/*"))

    assert answer(url, bearer(server, dock, who, *scopes), "POST")[0] == 401

    Grant.objects.create(
        service_principal=ServicePrincipal.objects.get(name=who[0]),
        role=Role.objects.get(name="puller"),
        registry=dock.registry,
        path="team-a/app",
    )
    assert answer(url, bearer(server, dock, who, *scopes), "POST")[0] == 201


def test_a_copy_between_repositories_needs_pull_on_the_first(
    dock: Dock, image: Path, tmp_path: Path
) -> None:
    crane = Shell("crane", dock.host, tmp_path, image)
    who = machine("copier", "pusher", Scope(dock.name, "team-b/*"))
    crane.login(*who)
    places = [f"{dock.host}/team-a/app:1", f"{dock.host}/team-b/copied:1"]
    assert_denied(crane.run("copy", "--insecure", *places))
    Grant.objects.create(
        service_principal=ServicePrincipal.objects.get(name=who[0]),
        role=Role.objects.get(name="puller"),
        registry=dock.registry,
        path="team-a/app",
    )
    copied = crane.run("copy", "--insecure", *places)
    assert copied, copied.said


def test_a_token_for_another_registry_or_of_another_signer_is_refused(
    server: str, dock: Dock, owner: asking.Login
) -> None:
    scope = "repository:team-a/app:pull"
    here = bearer(server, dock, owner, scope)
    assert answer(manifest(dock), here)[0] == 200
    other = Dock("other", dock.host)
    Registry.objects.get_or_create(name="other", url="https://other.example.com")
    assert answer(manifest(dock), bearer(server, other, owner, scope))[0] == 401
    head, body, signature = here.split(".")
    for forged in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", f"{head}.{body}x.x"):
        assert answer(manifest(dock), forged)[0] == 401


def test_the_admin_account_works_while_it_is_switched_on(skopeo: Shell, dock: Dock) -> None:
    account = AdminAccount.objects.create(registry=dock.registry)
    who = (dock.name, asking.secret(Secret.Kind.ADMIN, admin_account=account))
    assert_denied(skopeo.login(*who))

    AdminAccount.objects.update(enabled_at=timezone.now())
    assert skopeo.login(*who)
    pushed = skopeo.push("team-c/by-admin:1")
    assert pushed, pushed.said
    used = AuditEntry.objects.filter(event="admin account used", registry=dock.name)
    assert used.exists()
    assert used.latest("number").way == "docker"

    AdminAccount.objects.update(enabled_at=None)
    assert_denied(skopeo.pull("team-c/by-admin:1"))


def test_what_was_pushed_and_pulled_is_known_of_its_rights(
    server: str, dock: Dock, skopeo: Shell
) -> None:
    name, secret = machine("known", "pusher", Scope(dock.name))
    assert skopeo.login(name, secret)
    assert skopeo.push("team-a/known:1")
    deadline = time.monotonic() + 15
    verbs: set[str] = set()
    while time.monotonic() < deadline and verbs != {"pull", "push"}:
        time.sleep(0.2)
        seen = Use.objects.filter(principal=f"sp:{name}", path="team-a/known")
        verbs = set(seen.values_list("verb", flat=True))
    assert verbs == {"pull", "push"}
    assert Secret.objects.get(service_principal__name=name).last_used_at is not None


# A key after another -------------------------------------------------------------------------------


def test_after_a_rotation_both_generations_take_tokens_of_the_old_and_the_new_key(
    server: str, owner: asking.Login, image: Path, tmp_path: Path
) -> None:
    for name in GENERATIONS:
        Registry.objects.get_or_create(name=name, defaults={"url": f"https://{name}.example.com"})
    old_key = signing.ensured()[-1]
    printed("--rotate", "--days", "0")
    new_key = signing.ensured()[-1]
    assert old_key.kid != new_key.kid

    with contextlib.ExitStack() as stack:
        docks = [stack.enter_context(docked(name, server, tmp_path / name)) for name in GENERATIONS]
        for dock in docks:
            for key in (old_key, new_key):
                assert answer(f"http://{dock.host}/v2/", signed(key, server, dock))[0] == 200
        # The server, which remembers a key for some seconds, comes to use the new one by itself.
        deadline = time.monotonic() + 60
        while kid(bearer(server, docks[0], owner)) != new_key.kid:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        for dock in docks:
            skopeo = Shell("skopeo", dock.host, tmp_path / f"home-{dock.name}", image)
            assert skopeo.login(*owner)
            pushed = skopeo.push("team-a/rotated:1")
            assert pushed, pushed.said
