"""Search over everything one may see."""

from __future__ import annotations

import pytest
from django.test import Client

from registries.models import Manifest, Repository
from tests import catalog
from tests.dashboard.test_browsing import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> Repository:
    app = catalog.repository(catalog.registry("harbour"), "team-a/payments")
    catalog.tag(app, "v1.2.3-RC1", catalog.image(app))
    return app


def test_repositories_are_found_by_any_part_of_the_path(as_viewer: Client, app: Repository) -> None:
    for query in ("ymen", "team-a/pay", "PAYMENTS"):
        assert "/r/harbour/team-a/payments" in text(as_viewer, f"/search?q={query}")


def test_tags_are_found_by_any_part_in_either_case(as_viewer: Client, app: Repository) -> None:
    for query in ("2.3-rc", "v1.2.3-RC1", "v1", "payments:v1.2", "2.3-RC1"):
        assert "/-/tags/v1.2.3-RC1" in text(as_viewer, f"/search?q={query}"), query


def test_a_path_and_a_tag_must_both_fit(as_viewer: Client, app: Repository) -> None:
    assert "Nothing is called" in text(as_viewer, "/search?q=orders:v1.2")


def test_digests_are_found_by_their_beginning(as_viewer: Client, app: Repository) -> None:
    digest = app.artifacts.get().manifest.digest
    for query in (digest, digest[:13], digest[7:13], f"team-a/payments@{digest}"):
        assert f"/-/manifests/{digest}" in text(as_viewer, f"/search?q={query}")


def test_five_characters_of_a_digest_are_too_few(as_viewer: Client, app: Repository) -> None:
    digest = app.artifacts.get().manifest.digest
    assert "/-/manifests/" not in text(as_viewer, f"/search?q={digest[7:12]}")


def test_tags_of_signatures_are_not_found(as_viewer: Client, app: Repository) -> None:
    name = f"sha256-{'ab' * 32}.sig"
    catalog.tag(app, name, catalog.artifact(app, "signature", Manifest.Kind.SIGNATURE))
    assert "/-/tags/" not in text(as_viewer, "/search?q=sha256-abab")


def test_what_is_gone_is_not_found(as_viewer: Client, app: Repository) -> None:
    app.missing_since = catalog.NOON
    app.save()
    for query in ("payments", "v1.2.3", app.artifacts.get().manifest.digest):
        assert "Nothing is called" in text(as_viewer, f"/search?q={query}")


def test_a_group_that_was_cut_says_that_there_is_more(as_viewer: Client, app: Repository) -> None:
    for number in range(30):
        catalog.repository(app.registry, f"team-b/payments-{number}")
    html = text(as_viewer, "/search?q=payments")
    assert "type more of the path" in html
    assert "More than 25 results" in html


@pytest.mark.parametrize(
    "query",
    [
        "%00",
        "a%00b",
        "%0a",
        "x" * 300,
        "%25",
        "_",
        "\\",
        "'",
        "“”",
        "%f0%9f%9a%a2",
        ":",
        "@",
        "a:",
        ":a",
    ],
)
@pytest.mark.parametrize("address", ["/search", "/search/palette"])
def test_odd_texts_get_an_answer(
    as_viewer: Client, app: Repository, address: str, query: str
) -> None:
    text(as_viewer, f"{address}?q={query}")


@pytest.mark.parametrize("query", ["a%00b", "x" * 300])
def test_a_text_that_nothing_can_be_called_is_explained(
    as_viewer: Client, app: Repository, query: str
) -> None:
    assert "This text" in text(as_viewer, f"/search?q={query}")


def test_percent_and_underscore_mean_themselves(as_viewer: Client, app: Repository) -> None:
    for query in ("%25", "pay_ents"):
        assert "/r/harbour/team-a/payments" not in text(as_viewer, f"/search?q={query}")


def test_the_palette_offers_places_before_anything_is_typed(
    as_viewer: Client, app: Repository
) -> None:
    html = text(as_viewer, "/search/palette")
    assert 'href="/r/harbour/"' in html
    assert 'role="option"' in html


def test_every_option_of_the_palette_has_its_own_name(as_viewer: Client, app: Repository) -> None:
    html = text(as_viewer, "/search/palette?q=pay")
    names = [part.split('"')[0] for part in html.split('id="option-')[1:]]
    assert len(names) == len(set(names)) >= 2


def test_the_page_sends_only_the_results_to_htmx(as_viewer: Client, app: Repository) -> None:
    html = text(as_viewer, "/search?q=pay", headers={"HX-Request": "true"})
    assert "<html" not in html
    assert "team-a/payments" in html


def test_registries_are_found_by_name_and_host(as_viewer: Client, app: Repository) -> None:
    for query in ("harb", "HARBOUR", "harbour.example"):
        assert 'href="/r/harbour/"' in text(as_viewer, f"/search?q={query}")


def test_what_one_would_pull_is_found_in_its_own_registry(
    as_viewer: Client, app: Repository
) -> None:
    other = catalog.repository(catalog.registry("mirror"), "team-a/payments")
    catalog.tag(other, "v1.2.3-RC1", catalog.image(other))
    page = text(as_viewer, "/search?q=harbour.example.com/team-a/payments:v1.2.3-RC1")
    assert "/r/harbour/team-a/payments/-/tags/v1.2.3-RC1" in page
    assert "/r/mirror/" not in page
    digest = app.artifacts.get().manifest.digest
    page = text(as_viewer, f"/search?q=harbour.example.com/team-a/payments@{digest}")
    assert f"/r/harbour/team-a/payments/-/manifests/{digest}" in page
    assert "/r/mirror/" not in page


def test_the_palette_does_not_deny_a_registry_that_it_lists(
    as_viewer: Client, app: Repository
) -> None:
    page = text(as_viewer, "/search/palette?q=harbour")
    assert 'href="/r/harbour/"' in page
    assert "Nothing you may see" not in page
    assert "Nothing you may see" in text(as_viewer, "/search/palette?q=zzz")


def test_all_registries_are_searched_at_once(as_viewer: Client, app: Repository) -> None:
    other = catalog.repository(catalog.registry("mirror"), "team-b/payments-copy")
    catalog.tag(other, "v1.2.3", catalog.image(other))
    digest = app.artifacts.get().manifest.digest
    for query in ("payments", "v1.2", digest):
        page = text(as_viewer, f"/search?q={query}")
        assert "/r/harbour/team-a/payments" in page
        assert "/r/mirror/team-b/payments-copy" in page
