"""What somebody sees who was granted a part: that part, its sums, and nothing of the rest."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Role, User
from access.scopes import EVERYTHING, Scope
from registries.models import Registry, Repository, SyncProblem, SyncRun
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
MEBIBYTE = 1024**2
SECRET = "secret-project"


def held(registry: Registry, path: str, *, tags: int, size: int) -> Repository:
    """A repository with these counters, as a sync would have stored them."""
    repository = catalog.repository(registry, path)
    for number in range(tags):
        made = catalog.image(repository, path, layers=[(f"{path} {number}", size, "RUN true")])
        catalog.tag(repository, f"{number}.0", made)
    return repository


@pytest.fixture
def harbour(db: None) -> Registry:
    registry = catalog.registry("harbour")
    held(registry, "team-a/app", tags=2, size=3 * MEBIBYTE)
    held(registry, "team-a/tools/lint", tags=1, size=5 * MEBIBYTE)
    held(registry, "team-b/web", tags=1, size=7 * MEBIBYTE)
    held(registry, f"team-b/{SECRET}", tags=4, size=11 * MEBIBYTE)
    held(registry, f"{SECRET}/api", tags=5, size=13 * MEBIBYTE)
    catalog.recount(registry)
    return registry


@pytest.fixture
def quay(db: None) -> Registry:
    """A registry that is granted to nobody but the viewer of everything."""
    registry = catalog.registry("pier", health=Registry.Health.DEGRADED, health_detail=SECRET)
    held(registry, f"{SECRET}/api", tags=1, size=MEBIBYTE)
    catalog.recount(registry)
    return registry


@pytest.fixture
def as_limited(harbour: Registry, quay: Registry, outsider: User) -> Client:
    """Somebody with one pattern and one single repository of the harbour."""
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    give(outsider, "puller", Scope("harbour", "team-b/web"))
    return signed_in(outsider)


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def words(html: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def tree_of(html: str) -> list[tuple[str, int]]:
    """Namespaces of a level with their counts, as they stand."""
    link = r'<a class="tree-link" href="[^"?]*\?ns=([^"]+)"[^>]*>[^<]*<span[^>]*><span class="num">(\d+)<'
    return [(unquote(path), int(count)) for path, count in re.findall(link, html)]


# The tree and the list --------------------------------------------------------------------------


def test_the_tree_leads_to_what_is_granted_and_counts_only_that(as_limited: Client) -> None:
    page = text(as_limited, "/r/harbour/")
    assert tree_of(page) == [("team-a", 2), ("team-b", 1)]
    assert SECRET not in page


def test_who_sees_all_of_it_gets_the_whole_tree(as_viewer: Client, harbour: Registry) -> None:
    page = text(as_viewer, "/r/harbour/")
    assert tree_of(page) == [(SECRET, 1), ("team-a", 2), ("team-b", 2)]


def test_below_a_granted_pattern_the_tree_goes_on_as_stored(as_limited: Client) -> None:
    page = text(as_limited, "/r/harbour/?ns=team-a")
    assert ("team-a/tools", 1) in tree_of(page)
    level = text(as_limited, "/r/harbour/-/namespaces?ns=team-a")
    assert tree_of(level) == [("team-a/tools", 1)]


def test_levels_that_are_not_granted_are_as_empty_as_those_that_are_not_there(
    as_limited: Client,
) -> None:
    hidden = words(text(as_limited, f"/r/harbour/-/namespaces?ns={SECRET}"))
    missing = words(text(as_limited, "/r/harbour/-/namespaces?ns=nothing-here"))
    assert hidden.replace(SECRET, "…") == missing.replace("nothing-here", "…")
    assert SECRET not in text(as_limited, "/r/harbour/-/namespaces")


def test_a_namespace_above_a_grant_has_the_sums_of_what_is_granted(as_limited: Client) -> None:
    head = words(text(as_limited, "/r/harbour/?ns=team-b").partition("<nav class")[2])
    assert "1 repository" in head
    assert "1 tag " in head
    assert SECRET not in head


def test_a_namespace_one_does_not_see_looks_like_none(as_limited: Client) -> None:
    page = words(text(as_limited, f"/r/harbour/?ns={SECRET}"))
    assert "Nothing lies in this namespace" in page
    assert "0 of 0" not in page


def test_grants_of_several_depths_meet_in_one_tree(harbour: Registry, outsider: User) -> None:
    held(harbour, "a/b/c/d/app", tags=1, size=MEBIBYTE)
    held(harbour, "a/b/c/other", tags=1, size=MEBIBYTE)
    held(harbour, "a/b/x", tags=1, size=MEBIBYTE)
    held(harbour, "a/b/unseen", tags=1, size=MEBIBYTE)
    catalog.recount(harbour)
    give(outsider, "reader", Scope("harbour", "a/b/c/*"))
    give(outsider, "puller", Scope("harbour", "a/b/c/d/app"))  # lies in the pattern: once is enough
    give(outsider, "reader", Scope("harbour", "a/b/x"))
    client = signed_in(outsider)
    page = text(client, "/r/harbour/?ns=a/b")
    assert tree_of(page) == [("a", 3), ("a/b", 3), ("a/b/c", 2)]
    assert "unseen" not in page


def test_a_level_that_is_added_up_has_pages_too(
    harbour: Registry, outsider: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.browse.tree.LEVEL_SIZE", 2)
    for name in ("k", "l", "m"):
        held(harbour, f"{name}/app", tags=1, size=MEBIBYTE)
        give(outsider, "reader", Scope("harbour", f"{name}/*"))
    catalog.recount(harbour)
    client = signed_in(outsider)
    first = text(client, "/r/harbour/")
    assert [path for path, _ in tree_of(first)] == ["k", "l"]
    assert "after=l" in first
    assert [path for path, _ in tree_of(text(client, "/r/harbour/-/namespaces?after=l"))] == ["m"]


@pytest.mark.parametrize("query", ["", "?view=flat", "?q=e", "?view=flat&sort=-size", "?ns=team-b"])
def test_lists_have_the_granted_repositories_alone(as_limited: Client, query: str) -> None:
    response = as_limited.get(f"/r/harbour/{query}")
    seen = {repository.path for repository in response.context["page"].rows}
    assert seen <= {"team-a/app", "team-a/tools/lint", "team-b/web"}
    assert "team-b/web" in seen
    assert response.context["count"].value == len(seen)


def test_what_lies_outside_is_not_there_by_any_address(as_limited: Client) -> None:
    theirs = Repository.objects.get(registry__name="harbour", path=f"{SECRET}/api")
    digest = theirs.artifacts.all()[0].manifest.digest
    below = [
        "",
        "/-/artifacts",
        "/-/activity",
        "/-/compare",
        "/-/tags/0.0",
        "/-/tags/0.0/history",
        f"/-/manifests/{digest}",
        f"/-/manifests/{digest}/raw",
    ]
    for suffix in below:
        text(as_limited, f"/r/harbour/{theirs.path}{suffix}", status=404)
    text(as_limited, "/r/pier/", status=404)
    text(as_limited, "/r/pier/-/namespaces", status=404)


def test_a_digest_of_another_repository_is_not_shown_through_ones_own(as_limited: Client) -> None:
    theirs = Repository.objects.get(registry__name="harbour", path=f"{SECRET}/api")
    digest = theirs.artifacts.all()[0].manifest.digest
    for suffix in ("", "/raw"):
        text(as_limited, f"/r/harbour/team-a/app/-/manifests/{digest}{suffix}", status=404)
    compared = text(as_limited, f"/r/harbour/team-a/app/-/compare?from={digest}&to=0.0")
    assert "13.0" not in compared


def test_a_layer_is_called_shared_only_with_what_one_may_look_into(
    harbour: Registry, outsider: User
) -> None:
    layers = [("the same base", MEBIBYTE, "RUN true")]
    mine = Repository.objects.get(path="team-a/app")
    theirs = Repository.objects.get(path=f"{SECRET}/api")
    catalog.tag(mine, "based", catalog.image(mine, "mine", layers=layers))
    catalog.image(theirs, "theirs", layers=layers)
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    give(outsider, "catalog-lister", Scope("harbour", f"{SECRET}/*"))
    address = "/r/harbour/team-a/app/-/tags/based"

    def is_shared() -> bool:
        image = signed_in(outsider).get(address).context["image"]
        return any(layer.is_shared for layer in image.layers)

    assert not is_shared()
    give(outsider, "puller", Scope("harbour", f"{SECRET}/*"))
    assert is_shared()


# Sums -------------------------------------------------------------------------------------------


def test_the_head_of_a_registry_counts_what_is_seen(
    as_limited: Client, as_viewer: Client, harbour: Registry
) -> None:
    head = words(text(as_limited, "/r/harbour/").partition("<h1")[2].partition("</ul>")[0])
    assert "3 repositories" in head
    assert "4 tags" in head
    assert "compressed, sum of images" in head
    everything = words(text(as_viewer, "/r/harbour/").partition("<h1")[2].partition("</ul>")[0])
    assert "5 repositories" in everything
    assert "compressed, each layer once" in everything


def test_the_overview_and_the_list_of_registries_count_what_is_seen(as_limited: Client) -> None:
    home = text(as_limited, "/")
    assert home.count('href="/r/harbour/"') == 1
    assert "pier" not in home
    totals = words(home.partition('<dl class="figures home-totals">')[2].partition("</dl>")[0])
    assert "registry 1 repositories 3 tags 4" in totals
    row = text(as_limited, "/registries/").partition("<tbody>")[2].partition("</tbody>")[0]
    assert "harbour.example.com" in row
    assert "sum of images" in row
    cells = re.findall(r'data-label="(?:Repositories|Tags)"><span class="num">(\d+)<', row)
    assert cells == ["3", "4"]


def test_who_sees_a_registry_and_nothing_in_it_is_told_so(
    harbour: Registry, outsider: User
) -> None:
    give(outsider, "auditor", Scope("harbour", "team-x/*"))
    page = words(text(signed_in(outsider), "/r/harbour/"))
    assert "Nothing here is open to you" in page
    assert "0 repositories" in page


def test_a_registry_not_read_yet_is_not_called_empty(outsider: User) -> None:
    catalog.registry("new", synced_at=None, imported_at=None)
    give(outsider, "puller", Scope("new"))
    page = text(signed_in(outsider), "/r/new/")
    assert "Uncharted so far" in page
    assert "/registries/new/runs/" not in page


# Changes, search --------------------------------------------------------------------------------


def a_move(path: str) -> None:
    repository = Repository.objects.get(registry__name="harbour", path=path)
    catalog.move(repository, f"moved-{repository.name}", None, repository.artifacts.all()[0])


def test_the_overview_shows_the_changes_of_what_one_may_look_into(
    as_limited: Client, outsider: User
) -> None:
    a_move("team-a/app")
    a_move(f"{SECRET}/api")
    assert "moved-app" in text(as_limited, "/")
    assert "moved-api" not in text(as_limited, "/")
    give(outsider, "catalog-lister", Scope("harbour", f"{SECRET}/*"))
    listing = signed_in(outsider)
    assert "moved-api" not in text(listing, "/")
    assert f"{SECRET}/api" in text(listing, "/r/harbour/")
    give(outsider, "puller", Scope("harbour", f"{SECRET}/*"))
    assert "moved-api" in text(signed_in(outsider), "/")


@pytest.mark.parametrize("place", ["/search", "/search/palette"])
def test_search_finds_only_what_is_granted(as_limited: Client, place: str) -> None:
    theirs = Repository.objects.get(registry__name="harbour", path=f"{SECRET}/api")
    digest = theirs.artifacts.all()[0].manifest.digest
    for query in (SECRET, "api", digest, f"{SECRET}/api:0.0", "harbour.example.com/secret"):
        assert f"/r/harbour/{SECRET}" not in text(as_limited, f"{place}?q={query}")
    assert "/r/harbour/team-a/app" in text(as_limited, f"{place}?q=app")
    assert "/r/pier/" not in text(as_limited, f"{place}?q=pier")


def test_who_may_only_list_finds_names_and_no_digests(harbour: Registry, outsider: User) -> None:
    give(outsider, "catalog-lister", Scope("harbour", f"{SECRET}/*"))
    digest = Repository.objects.get(path=f"{SECRET}/api").artifacts.all()[0].manifest.digest
    client = signed_in(outsider)
    assert f"/r/harbour/{SECRET}/api" in text(client, "/search?q=api")
    assert f"/r/harbour/{SECRET}/api" not in text(client, f"/search?q={digest}")
    assert "sha256" not in text(client, f"/search?q={SECRET}/api:0.0").partition("<main")[2]


# How a registry is doing ------------------------------------------------------------------------


@pytest.fixture
def failed(harbour: Registry) -> SyncRun:
    """A run whose texts name a repository, as they do."""
    Registry.objects.filter(pk=harbour.pk).update(
        health=Registry.Health.DEGRADED, health_detail=f"{SECRET}/api: it broke"
    )
    run = SyncRun.objects.create(
        registry=harbour,
        trigger=SyncRun.Trigger.SCHEDULE,
        state=SyncRun.State.PARTIAL,
        actor_kind="system",
        actor_label="Portolan",
        finished_at=timezone.now(),
        summary=f"{SECRET}/api and others could not be read.",
    )
    problem: dict[str, Any] = {
        "repository": f"{SECRET}/api",
        "code": "broken",
        "message": "it broke",
    }
    SyncProblem.objects.create(run=run, **problem)
    return run


def test_what_went_wrong_is_for_who_may_read_the_whole_registry(
    as_limited: Client, as_viewer: Client, failed: SyncRun
) -> None:
    for address in ("/", "/registries/", "/r/harbour/"):
        page = text(as_limited, address)
        assert SECRET not in page
        assert "/registries/harbour/runs/" not in page
        assert SECRET in text(as_viewer, address)


def test_runs_are_for_who_may_read_the_whole_registry(
    as_limited: Client, as_viewer: Client, failed: SyncRun
) -> None:
    for address in ("/registries/harbour/runs/", f"/registries/harbour/runs/{failed.pk}/"):
        refused = text(as_limited, address, status=403)
        assert "registry read" in refused
        assert SECRET not in refused
        text(as_viewer, address)
    assert SECRET in text(as_viewer, f"/registries/harbour/runs/{failed.pk}/")
    text(as_limited, "/registries/pier/runs/", status=404)


def test_a_sync_that_runs_is_not_followed_by_who_sees_a_part(
    as_limited: Client, failed: SyncRun
) -> None:
    SyncRun.objects.update(state=SyncRun.State.RUNNING, finished_at=None)
    for address in ("/", "/registries/", "/r/harbour/"):
        assert "runs/" not in text(as_limited, address)


# Buttons follow rights --------------------------------------------------------------------------


def manager_of(scope: Scope, *actions: str) -> Client:
    user = User.objects.create_user("marta")
    role = Role.objects.create(name="manager", label="Manager", actions=list(actions))
    give(user, role.name, scope)
    return signed_in(user)


def test_buttons_of_a_registry_are_for_who_manages_that_one(
    harbour: Registry, quay: Registry, as_viewer: Client
) -> None:
    give(User.objects.get(username="viktor"), "contributor", Scope("harbour"))
    page = text(signed_in(User.objects.get(username="viktor")), "/registries/")
    assert "/registries/harbour/edit/" in page
    assert "/registries/harbour/sync/" in page
    assert "/registries/pier/edit/" not in page
    assert "/registries/pier/sync/" not in page
    assert "/registries/pier/runs/" in page
    assert "/registries/connect/" not in page


def test_one_connects_registries_with_the_right_to_manage_everything(harbour: Registry) -> None:
    everywhere = manager_of(EVERYTHING, "registry read", "registry manage")
    assert "/registries/connect/" in text(everywhere, "/registries/")
    assert "/registries/connect/" in text(everywhere, "/")
    text(everywhere, "/registries/connect/")


def test_managing_one_registry_connects_no_other(harbour: Registry) -> None:
    client = manager_of(Scope("harbour"), "registry read", "registry manage")
    assert "/registries/connect/" not in text(client, "/registries/")
    text(client, "/registries/connect/", status=403)
    for address in ("/r/harbour/", "/registries/harbour/runs/"):
        assert "/registries/harbour/sync/" in text(client, address)


def test_the_run_page_lets_only_managers_stop(
    as_viewer: Client, as_owner: Client, failed: SyncRun
) -> None:
    SyncRun.objects.update(state=SyncRun.State.RUNNING, finished_at=None)
    address = f"/registries/harbour/runs/{failed.pk}/"
    assert "/cancel/" not in text(as_viewer, address)
    assert "/cancel/" in text(as_owner, address)
