"""The pages of a repository: tags, artifacts, what happened to them, and comparing two."""

from __future__ import annotations

import re
from copy import copy
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from registries.models import Artifact, Manifest, Repository, Tag
from registries.sync.plan import version_key
from tests import catalog
from tests.dashboard.test_browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> Repository:
    return catalog.repository(catalog.registry("harbour"), "team-a/app")


# Tags and artifacts


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


def test_a_tag_whose_image_cannot_be_pulled_whole_says_so(
    as_viewer: Client, app: Repository
) -> None:
    catalog.tag(app, "whole", catalog.image(app))
    assert "incomplete" not in text(as_viewer, "/r/harbour/team-a/app")
    broken = catalog.image(app, "broken", details=Artifact.Details.UNAVAILABLE)
    catalog.tag(app, "broken", broken)
    assert "incomplete" in text(as_viewer, "/r/harbour/team-a/app")


def test_versions_sort_as_people_count(as_viewer: Client, app: Repository) -> None:
    image = catalog.image(app)
    for name in ("6.0.9", "6.0.10", "6.0.2"):
        catalog.tag(app, name, image)
    html = text(as_viewer, "/r/harbour/team-a/app?sort=name")
    places = [html.index(f">{name}</a></th>") for name in ("6.0.2", "6.0.9", "6.0.10")]
    assert places == sorted(places)


def test_tags_sort_by_date_name_and_size_both_ways(as_viewer: Client, app: Repository) -> None:
    for name, size, age in (("1.10", 300, 1), ("1.9", 200, 2), ("1.2", 900, 3)):
        image = catalog.image(app, name, layers=[(name, size, "COPY .")])
        catalog.tag(app, name, image, at=catalog.NOON - timedelta(days=age))
    by = {"date": ["1.2", "1.9", "1.10"], "name": ["1.2", "1.9", "1.10"]}
    by["size"] = ["1.9", "1.10", "1.2"]
    for key, ascending in by.items():
        for sort, wanted in ((key, ascending), (f"-{key}", ascending[::-1])):
            html = text(as_viewer, f"/r/harbour/team-a/app?sort={sort}")
            assert re.findall(r"/-/tags/([\d.]+)\"", html) == wanted, sort


def test_thousands_of_tags_are_counted_to_a_cap_and_walked_to_the_last(
    as_viewer: Client, app: Repository
) -> None:
    image = catalog.image(app)
    first = catalog.tag(app, "build-0000", image)
    rest = [copy(first) for _ in range(1, 2500)]
    for number, tag in enumerate(rest, start=1):
        tag.pk, tag.name = None, f"build-{number:04}"
        tag.version_key = version_key(tag.name)
        tag.dated_at = first.dated_at - timedelta(minutes=number)
    Tag.objects.bulk_create(rest)
    page = text(as_viewer, "/r/harbour/team-a/app?sort=name")
    assert "50 of 1,000+ tags, sorted by version" in re.sub("<[^>]+>", "", page)
    seen: list[str] = []
    while True:
        seen += re.findall(r"/-/tags/(build-\d+)\"", page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        if after is None:
            break
        page = text(as_viewer, f"/r/harbour/team-a/app{unescape(after[1])}")
    assert seen == [f"build-{number:04}" for number in range(2500)]


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
    assert html.index("moved</span>") < html.index("new</span>")
    assert "compare?from=sha256" in html
    assert "gone</span>" in html  # no tag of this name is there now


def test_activity_shows_tags_that_are_new_and_gone(as_viewer: Client, app: Repository) -> None:
    catalog.move(app, "old-one", catalog.image(app), None)
    html = text(as_viewer, "/r/harbour/team-a/app/-/activity")
    assert "old-one" in html
    assert "gone</span>" in html


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


def test_comparing_shows_what_changed_in_sizes_configuration_and_labels(
    as_viewer: Client, app: Repository
) -> None:
    for name, user, label, size in (("1", "root", "blue", 1024), ("2", "1000", "green", 4096)):
        config = {"user": user, "labels": {"colour": label}, "working_dir": "/srv"}
        layers = [(name, size, f"COPY {name}")]
        catalog.tag(app, name, catalog.image(app, name, layers=layers, config=config))
    html = text(as_viewer, "/r/harbour/team-a/app/-/compare?from=1&to=2")
    for shown in (">root<", ">1000<", ">blue<", ">green<", "USER", "ENTRYPOINT", "colour"):
        assert shown in html, shown
    assert "WORKDIR" not in html  # the same in both
    sizes = html.partition(">Size</th>")[2].partition("</tr>")[0]
    assert len(set(re.findall(r'"num">([^<]+)<', sizes))) == 2


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
