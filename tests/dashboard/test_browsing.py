"""What the browsing screens show, and to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from registries.models import Artifact, Manifest, Registry, Repository
from registries.oci import mediatypes
from tests import catalog

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
    for number in range(105):
        catalog.repository(registry, f"ns-{number:03}/app")
    catalog.recount(registry)
    html = text(as_viewer, "/r/harbour/")
    assert "?ns=ns-099" in html
    assert "?ns=ns-100" not in html
    assert "after=ns-099" in html
    assert "?ns=ns-104" in text(as_viewer, "/r/harbour/-/namespaces?ns=&after=ns-099")


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


@pytest.mark.parametrize("query", ["q=%00", "ns=%00", "q=" + "x" * 300, "after=%00", "sort=%00"])
def test_odd_texts_break_no_list(as_viewer: Client, app: Repository, query: str) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    for address in ("/r/harbour/", "/r/harbour/team-a/app", "/r/harbour/team-a/app/-/artifacts"):
        text(as_viewer, f"{address}?{query}")


# A repository


def test_a_tag_shows_its_platforms_size_and_aliases(as_viewer: Client, app: Repository) -> None:
    images = [catalog.image(app, platform=name) for name in ("linux/amd64", "linux/arm64")]
    index = catalog.index(app, images, attested=True)
    for name in ("latest", "1.0", "1"):
        catalog.tag(app, name, index)
    html = text(as_viewer, "/r/harbour/team-a/app?q=latest")
    assert "linux/amd64" in html
    assert "linux/arm64" in html
    assert "unknown" not in html
    assert '<td class="end" data-label="Aliases">2</td>' in html


def test_versions_sort_as_people_count(as_viewer: Client, app: Repository) -> None:
    image = catalog.image(app)
    for name in ("6.0.9", "6.0.10", "6.0.2"):
        catalog.tag(app, name, image)
    html = text(as_viewer, "/r/harbour/team-a/app?sort=name")
    places = [html.index(f">{name}</a></th>") for name in ("6.0.2", "6.0.9", "6.0.10")]
    assert places == sorted(places)


def test_only_the_sorted_column_says_so(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    html = text(as_viewer, "/r/harbour/team-a/app?sort=-size")
    assert html.count("aria-sort=") == 1
    assert 'aria-sort="descending"' in html


def test_tags_of_signatures_are_hidden_until_asked_for(as_viewer: Client, app: Repository) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    name = f"{image.manifest.digest.replace(':', '-')}.sig"
    catalog.tag(app, name, catalog.artifact(app, "signature", Manifest.Kind.SIGNATURE))
    catalog.tag(app, "sha256-but-a-name", image)
    hidden = text(as_viewer, "/r/harbour/team-a/app")
    assert f"{name}</a>" not in hidden
    assert "sha256-but-a-name</a>" in hidden
    assert f"{name}</a>" in text(as_viewer, "/r/harbour/team-a/app?show=all")


def test_a_filter_sends_only_the_list_to_htmx(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    headers = {"HX-Request": "true"}
    response = as_viewer.get("/r/harbour/team-a/app?q=1", headers=headers)
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]
    for extra in ("HX-Boosted", "HX-History-Restore-Request"):
        page = text(as_viewer, "/r/harbour/team-a/app?q=1", headers=headers | {extra: "true"})
        assert "<html" in page


def test_a_repository_that_is_gone_is_still_there_to_be_read(
    as_viewer: Client, app: Repository
) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    app.missing_since = catalog.NOON
    app.save()
    html = text(as_viewer, "/r/harbour/team-a/app")
    assert "no longer has this repository" in html
    assert "docker pull" not in html


def test_artifacts_show_every_digest_with_its_names(as_viewer: Client, app: Repository) -> None:
    children = [catalog.image(app, platform="linux/arm64")]
    catalog.tag(app, "multi", catalog.index(app, children))
    stray = catalog.image(app, "stray")
    html = text(as_viewer, "/r/harbour/team-a/app/-/artifacts")
    assert "part of an index" in html
    assert ">multi</a>" in html
    untagged = text(as_viewer, "/r/harbour/team-a/app/-/artifacts?show=untagged")
    assert stray.manifest.digest in untagged
    assert children[0].manifest.digest not in untagged


# History


def test_a_tag_tells_where_it_has_been(as_viewer: Client, app: Repository) -> None:
    old, new = catalog.image(app, "old"), catalog.image(app, "new")
    catalog.move(app, "latest", None, old, at=catalog.NOON - timedelta(days=2))
    catalog.move(app, "latest", old, new)
    html = text(as_viewer, "/r/harbour/team-a/app/-/tags/latest/history")
    assert html.index("moved</span>") < html.index("came</span>")
    assert "compare?from=sha256" in html
    assert "gone</span>" in html  # no tag of this name is there now


def test_activity_shows_tags_that_came_and_went(as_viewer: Client, app: Repository) -> None:
    catalog.move(app, "old-one", catalog.image(app), None)
    html = text(as_viewer, "/r/harbour/team-a/app/-/activity")
    assert "old-one" in html
    assert "went</span>" in html


def test_a_tag_that_never_was_has_no_history(as_viewer: Client, app: Repository) -> None:
    text(as_viewer, "/r/harbour/team-a/app/-/tags/nope/history", status=404)


# Comparing


def test_comparing_shows_what_must_be_pulled(as_viewer: Client, app: Repository) -> None:
    base = catalog.BASE_LAYERS
    old = catalog.image(app, layers=(*base, ("one", 1024, "COPY one")), config={"env": ["A=1"]})
    new = catalog.image(app, layers=(*base, ("two", 2048, "COPY two")), config={"env": ["A=2"]})
    catalog.tag(app, "1", old)
    catalog.tag(app, "2", new)
    html = text(as_viewer, "/r/harbour/team-a/app/-/compare?from=1&to=2")
    assert "COPY two" in html
    assert '+<span class="num">2.0' in html
    assert '−<span class="num">1.0' in html
    assert html.count('mark-same"') == 2


def test_a_secret_that_changed_is_not_shown(as_viewer: Client, app: Repository) -> None:
    for name, value in (("1", "swordfish"), ("2", "marlin")):
        catalog.tag(app, name, catalog.image(app, config={"env": [f"DB_PASSWORD={value}"]}))
    html = text(as_viewer, "/r/harbour/team-a/app/-/compare?from=1&to=2")
    assert "DB_PASSWORD" in html
    assert "swordfish" not in html
    assert "marlin" not in html


def test_comparing_with_what_is_not_there_says_which(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1", catalog.image(app))
    html = text(as_viewer, "/r/harbour/team-a/app/-/compare?from=1&to=nope")
    assert "There is no tag or digest “nope”" in html


def test_the_same_image_under_two_names_is_the_same(as_viewer: Client, app: Repository) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1", image)
    html = text(as_viewer, f"/r/harbour/team-a/app/-/compare?from=1&to={image.manifest.digest}")
    assert "They are the same" in html


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
