"""What the browsing screens show, and to whom."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from access.models import User
from access.scopes import Scope
from registries.models import Artifact, Manifest, Registry, Repository
from registries.oci import mediatypes
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry() -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def app(registry: Registry) -> Repository:
    return catalog.repository(registry, "team-a/app")


def text(
    client: Client, address: str, status: int = 200, headers: dict[str, str] | None = None
) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    return response.content.decode()


# A registry


def test_a_registry_lists_what_lies_below_a_namespace(as_viewer: Client, app: Repository) -> None:
    catalog.repository(app.registry, "team-a/deep/inside")
    catalog.repository(app.registry, "team-another")
    catalog.recount(app.registry)
    html = text(as_viewer, "/r/harbour/?ns=team-a")
    assert "team-a/app" in html
    assert "team-a/deep/inside" in html
    assert "team-another</a>" not in html


def test_the_tree_opens_the_way_to_the_namespace(as_viewer: Client, registry: Registry) -> None:
    for path in ("a/b/c/one", "a/x/two", "z/y/three"):
        catalog.repository(registry, path)
    catalog.recount(registry)
    html = text(as_viewer, "/r/harbour/?ns=a/b")
    assert all(f"?ns={ns}" in html for ns in ("a", "a/b", "a/b/c", "a/x", "z"))
    assert 'href="/r/harbour/?ns=z/y"' not in html


def test_a_level_of_the_tree_comes_by_itself_for_htmx(
    as_viewer: Client, registry: Registry
) -> None:
    catalog.repository(registry, "a/b/one")
    catalog.recount(registry)
    fragment = text(as_viewer, "/r/harbour/-/namespaces?ns=a", headers={"HX-Request": "true"})
    assert "?ns=a/b" in fragment
    assert "<html" not in fragment


def test_a_long_level_goes_on_at_its_own_address(as_viewer: Client, registry: Registry) -> None:
    for number in range(55):
        catalog.repository(registry, f"ns-{number:03}/app")
    catalog.recount(registry)
    html = text(as_viewer, "/r/harbour/")
    assert "?ns=ns-049" in html
    assert "?ns=ns-050" not in html
    assert "after=ns-049" in html
    assert "?ns=ns-054" in text(as_viewer, "/r/harbour/-/namespaces?ns=&after=ns-049")


def test_a_filter_that_matches_nothing_offers_to_be_cleared(
    as_viewer: Client, app: Repository
) -> None:
    html = text(as_viewer, "/r/harbour/?q=zzz")
    assert "No path contains “zzz”" in html
    assert "Clear the filter" in html


def test_a_registry_that_was_never_read_does_not_look_empty(as_viewer: Client) -> None:
    catalog.registry("new", synced_at=None, health=Registry.Health.UNKNOWN)
    assert "Uncharted so far" in text(as_viewer, "/r/new/")


def test_a_registry_that_cannot_be_read_says_why(as_viewer: Client) -> None:
    catalog.registry("down", synced_at=None, health="unreachable", health_detail="No such host.")
    html = text(as_viewer, "/r/down/")
    assert "No such host." in html
    assert "Nothing could be read yet" in html


def test_a_registry_that_is_empty_says_so(as_viewer: Client, registry: Registry) -> None:
    assert "The registry is empty" in text(as_viewer, "/r/harbour/")


def test_repositories_that_are_gone_are_not_listed(as_viewer: Client, app: Repository) -> None:
    app.missing_since = catalog.NOON
    app.save()
    assert "team-a/app</a>" not in text(as_viewer, "/r/harbour/")


def test_a_viewer_is_not_offered_what_only_an_owner_may(
    as_viewer: Client, as_owner: Client, app: Repository
) -> None:
    assert "Sync now" in text(as_owner, "/r/harbour/")
    assert "Sync now" not in text(as_viewer, "/r/harbour/")


def test_a_registry_that_is_read_now_says_how_far_and_offers_no_second_sync(
    as_owner: Client, app: Repository
) -> None:
    run = app.registry.runs.create(
        trigger="manual", state="running", phase="tags", actor_kind="system", actor_label="Portolan"
    )
    app.registry.runs.update(repositories_found=1200, repositories_done=1)
    page = text(as_owner, "/r/harbour/")
    assert re.sub("<[^>]+>", "", page).count("Reading tags… 1 of 1,200 repositories asked.") == 1
    assert f"/registries/harbour/runs/{run.pk}/" in page
    assert "Sync now" not in page


def test_one_of_something_is_not_many(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    catalog.recount(app.registry)
    for address, counted in (
        ("/r/harbour/", ("1 repository", "1 tag", "1 of 1 repository, sorted by path")),
        ("/r/harbour/team-a/app", ("1 tag", "1 artifact", "1 of 1 tag, sorted by date")),
        ("/r/harbour/team-a/app/-/artifacts", ("1 of 1 artifact, sorted by date",)),
    ):
        read = re.sub("<[^>]+>", "", text(as_viewer, address))
        for part in counted:
            assert re.search(rf"\b{part}\b", read), part


def test_a_filter_that_is_typed_belongs_into_the_links_beside_the_list(
    as_viewer: Client, app: Repository
) -> None:
    """Tree or flat, and the order: the form outside of the list knows of neither else."""
    typed = "/r/harbour/?q=app&sort=-size"
    fragment = text(as_viewer, typed, headers={"HX-Request": "true"})
    assert 'id="switch" role="group" aria-label="Show as" hx-swap-oob="true"' in fragment
    assert 'href="?q=app&amp;sort=-size&amp;view=flat"' in fragment
    assert 'name="sort" value="-size" form="filter-form"' in fragment
    page = text(as_viewer, typed)
    assert page.count('id="switch"') == 1
    assert "hx-swap-oob" not in page


@pytest.mark.parametrize("query", ["q=%00", "ns=%00", "q=" + "x" * 300, "after=%00", "sort=%00"])
def test_odd_texts_break_no_list(as_viewer: Client, app: Repository, query: str) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    for address in ("/r/harbour/", "/r/harbour/team-a/app", "/r/harbour/team-a/app/-/artifacts"):
        text(as_viewer, f"{address}?{query}")


# Who may look


@pytest.mark.parametrize(
    "address",
    ["/r/harbour/", "/r/harbour/team-a/app", "/r/harbour/team-a/app/-/compare", "/search?q=app"],
)
def test_a_stranger_is_asked_to_sign_in(as_stranger: Client, app: Repository, address: str) -> None:
    response = as_stranger.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "address",
    [
        "/r/nowhere/",
        "/r/harbour/no/such",
        "/r/harbour/team-a/app/-/tags/nope",
        f"/r/harbour/team-a/app/-/manifests/sha256:{'0' * 64}",
        "/r/harbour/team-a/app/-/manifests/sha256:short",
        "/r/harbour/TEAM/app",
        "/r/harbour/team-a/../app",
    ],
)
def test_what_is_not_there_is_a_404(as_viewer: Client, app: Repository, address: str) -> None:
    text(as_viewer, address, status=404)


def test_a_digest_of_another_repository_is_not_shown_here(
    as_viewer: Client, app: Repository
) -> None:
    secret = catalog.image(catalog.repository(app.registry, "team-b/secret"))
    digest = secret.manifest.digest
    text(as_viewer, f"/r/harbour/team-b/secret/-/manifests/{digest}")
    text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{digest}", status=404)
    text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{digest}/raw", status=404)


def test_a_config_that_was_not_read_here_is_not_shown(as_viewer: Client, app: Repository) -> None:
    config = {"env": ["ONLY=for-team-b"]}
    theirs = catalog.image(catalog.repository(app.registry, "team-b/secret"), config=config)
    catalog.present(app, theirs.manifest, details=Artifact.Details.PENDING)
    html = text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{theirs.manifest.digest}")
    assert "for-team-b" not in html
    assert "still being read" in html


def test_a_media_type_does_not_run_in_the_browser(as_viewer: Client, app: Repository) -> None:
    image = catalog.artifact(app, "evil")
    Manifest.objects.update(media_type="text/html", raw=b"<script>alert(1)</script>")
    response = as_viewer.get(f"/r/harbour/team-a/app/-/manifests/{image.manifest.digest}/raw")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content == b"<script>alert(1)</script>"


def test_a_chart_is_pulled_with_helm(as_viewer: Client, app: Repository) -> None:
    chart = catalog.artifact(
        app, "chart", Manifest.Kind.CHART, artifact_type=mediatypes.HELM_CONFIG
    )
    catalog.tag(app, "4.2.0", chart)
    html = text(as_viewer, "/r/harbour/team-a/app/-/tags/4.2.0")
    assert "helm pull oci://harbour.example.com/team-a/app --version 4.2.0" in html
    assert "docker pull" not in html


def test_a_flat_list_has_no_tree(as_viewer: Client, app: Repository) -> None:
    catalog.recount(app.registry)
    assert 'aria-labelledby="tree-title"' in text(as_viewer, "/r/harbour/")
    flat = text(as_viewer, "/r/harbour/?view=flat")
    assert 'aria-labelledby="tree-title"' not in flat
    assert "team-a/app</a>" in flat


def test_who_sees_a_part_of_a_registry_learns_nothing_of_the_rest(
    as_outsider: Client, as_viewer: Client, outsider: User, app: Repository
) -> None:
    catalog.repository(app.registry, "secret-project/api")
    catalog.recount(app.registry)
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    page = text(as_outsider, "/r/harbour/")
    assert "team-a/app</a>" in page
    assert "secret-project" not in page
    assert "2</span>" not in page.partition("<h1")[2].partition("</ul>")[0]  # repositories
    assert "secret-project" not in text(as_outsider, "/r/harbour/-/namespaces?ns=")
    assert "secret-project" in text(as_viewer, "/r/harbour/")
