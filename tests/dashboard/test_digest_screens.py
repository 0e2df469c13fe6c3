"""Where a digest is: every place that one may see, and none of the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import User
from access.scopes import Scope
from dashboard.browse import places
from registries.models import Artifact, Manifest, Registry, Repository
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.test_visibility import text, words

pytestmark = pytest.mark.django_db
SECRET = "secret-project"
THERE = ("harbour", "team-a/app"), ("harbour", f"{SECRET}/copy"), ("pier", "mirror/app")


@pytest.fixture
def spread(db: None) -> dict[str, Artifact]:
    """One image in three repositories of two registries."""
    made = {}
    for name in ("harbour", "pier"):
        registry = catalog.registry(name)
        for one, path in THERE:
            if one == name:
                repository = catalog.repository(registry, path)
                made[path] = catalog.image(repository, "shared")
    catalog.tag(made["team-a/app"].repository, "1.0", made["team-a/app"])
    catalog.tag(made["mirror/app"].repository, "from-harbour", made["mirror/app"])
    return made


@pytest.fixture
def limited(spread: dict[str, Artifact], outsider: User) -> Client:
    """Somebody who may look into one of the three."""
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    return signed_in(outsider)


def address(artifact: Artifact, which: str = "") -> str:
    return f"/digests/{artifact.manifest.digest}{which}"


def lonely(registry: str = "harbour", path: str = "team-b/other") -> Repository:
    """A repository with nothing in it."""
    return catalog.repository(Registry.objects.get(name=registry), path)


# Places ---------------------------------------------------------------------------------------


def test_it_is_found_in_every_registry_with_its_tags_since_and_pulls(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    pulled = catalog.NOON + timedelta(days=3)
    Artifact.objects.filter(pk=spread["mirror/app"].pk).update(pulled_at=pulled)
    page = text(as_viewer, address(spread["team-a/app"]))
    for registry, path in THERE:
        assert f"/r/{registry}/{path}/-/manifests/" in page
    assert "/r/harbour/team-a/app/-/tags/1.0" in page
    assert "/r/pier/mirror/app/-/tags/from-harbour" in page
    assert "In 3 repositories" in words(page)
    assert "23 Nov 2026, 12:00" in page
    assert "first seen" in page


def test_what_one_may_not_see_is_neither_shown_nor_counted(
    limited: Client, spread: dict[str, Artifact]
) -> None:
    for which in ("", "/held", "/tags"):
        page = text(limited, address(spread["team-a/app"], which))
        assert SECRET not in page
        assert "pier" not in page
        assert "team-a/app" in page
    assert "In 1 repository" in words(text(limited, address(spread["team-a/app"])))


def test_who_may_look_into_none_of_them_is_told_that_nothing_is_there(
    spread: dict[str, Artifact], outsider: User
) -> None:
    give(outsider, "catalog-lister")  # who may list is not told what is inside
    client = signed_in(outsider)
    for which in ("", "/held", "/tags", "/left"):
        text(client, address(spread["team-a/app"], which), status=404)
    text(client, address(spread["team-a/app"])[: len("/digests/sha256:") + 8], status=404)


def test_more_than_fit_are_counted_and_have_pages(
    as_viewer: Client, spread: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PLACES_SHOWN", 2)
    monkeypatch.setattr("dashboard.pagination.paginate.__kwdefaults__", {"size": 3})
    for number in range(3):
        catalog.image(lonely(path=f"more/{number}"), "shared")
    page = text(as_viewer, address(spread["team-a/app"]))
    assert "more/0" in page
    assert "more/1" in page
    assert "more/2" not in page
    assert "3 more" in words(page)
    first = as_viewer.get(address(spread["team-a/app"], "/held?registry=harbour"))
    paths = [artifact.repository.path for artifact in first.context["page"].rows]
    assert paths == ["more/0", "more/1", "more/2"]
    rest = as_viewer.get(
        f"{address(spread['team-a/app'], '/held')}?{first.context['page'].next}"
    ).context["page"]
    assert [artifact.repository.path for artifact in rest.rows] == [
        f"{SECRET}/copy",
        "team-a/app",
    ]


def test_very_many_tags_of_a_place_are_counted_and_listed(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    here = spread["team-a/app"]
    for number in range(9):
        at = catalog.NOON + timedelta(hours=number)
        catalog.tag(here.repository, f"2.{number}", here, at=at)
    page = text(as_viewer, address(here))
    assert "/-/tags/2.8" in page
    assert "/-/tags/2.0" not in page
    assert "4 more" in words(page)
    narrow = f"{address(here, '/tags')}?registry=harbour&repository=team-a/app"
    listed = as_viewer.get(narrow).context["page"].rows
    assert [tag.name for tag in listed] == ["1.0", *(f"2.{number}" for number in range(9))]


def test_where_it_is_no_more_is_told_apart(as_viewer: Client, spread: dict[str, Artifact]) -> None:
    Artifact.objects.filter(pk=spread["mirror/app"].pk).update(missing_since=catalog.NOON)
    Repository.objects.filter(path=f"{SECRET}/copy").update(missing_since=catalog.NOON)
    response = as_viewer.get(address(spread["team-a/app"]))
    assert response.context["place_count"] == 1
    gone = {artifact.repository.path for artifact in response.context["gone"].rows}
    assert gone == {"mirror/app", f"{SECRET}/copy"}
    Artifact.objects.update(missing_since=catalog.NOON)
    assert "nowhere any more" in text(as_viewer, address(spread["team-a/app"]))


# Indexes --------------------------------------------------------------------------------------


def test_indexes_that_hold_it_are_found_also_through_others(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    elsewhere = lonely("pier", "team-b/all")
    index = catalog.index(elsewhere, [spread["team-a/app"]])
    catalog.tag(elsewhere, "all", index)
    outer = catalog.index(lonely("pier", "team-b/outer"), [index])
    response = as_viewer.get(address(spread["team-a/app"]))
    found = [(one.artifact.pk, one.level) for one in response.context["rows"]["indexes"]]
    assert found == [(index.pk, 1), (outer.pk, 2)]
    page = response.content.decode()
    assert "/r/pier/team-b/all/-/tags/all" in page
    assert "by way of another index" in page


def test_through_an_index_that_one_may_not_see_nothing_is_found(
    limited: Client, spread: dict[str, Artifact]
) -> None:
    hidden = catalog.index(lonely("harbour", f"{SECRET}/all"), [spread["team-a/app"]])
    catalog.index(lonely("harbour", "team-a/outer"), [hidden])
    assert limited.get(address(spread["team-a/app"])).context["indexes"].rows == []


def test_an_index_that_holds_itself_is_no_loop_without_end(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    index = catalog.index(lonely(), [spread["team-a/app"]])
    index.manifest.children.create(
        position=9, digest=index.manifest.digest, media_type="application/json", size=1
    )
    assert len(as_viewer.get(address(index)).context["indexes"].rows) == 1


def test_an_index_tells_what_it_holds_and_where_that_is(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    index = catalog.index(lonely(), [spread["team-a/app"]])
    index.manifest.children.create(
        position=9,
        digest=catalog.digest_of("unread"),
        media_type="application/json",
        size=1,
        os="linux",
        architecture="s390x",
    )
    page = text(as_viewer, address(index))
    assert f"/digests/{spread['team-a/app'].manifest.digest}" in page
    assert f"/digests/{catalog.digest_of('unread')}" not in page
    assert "nowhere that you may see" in page


def test_an_index_that_was_only_listed_says_that_it_was_not_read(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    index = catalog.index(lonely(), [spread["team-a/app"]])
    index.manifest.children.all().delete()
    Manifest.objects.filter(pk=index.manifest.pk).update(raw=b"", platforms=[])
    assert "Its platforms have not been read." in text(as_viewer, address(index))


# Referrers and history ------------------------------------------------------------------------


def test_what_is_about_it_is_found_however_it_is_attached(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    here, there = spread["team-a/app"], spread["mirror/app"].repository
    name = here.manifest.digest.replace(":", "-")
    by_subject = catalog.referrer(there, here)
    by_cosign = catalog.artifact(there, "cosign", Manifest.Kind.SIGNATURE)
    catalog.tag(there, f"{name}.sig", by_cosign)
    listed = catalog.artifact(there, "listed", Manifest.Kind.SBOM)
    catalog.tag(there, name, catalog.index(there, [listed]))
    catalog.index(lonely("pier", "team-b/all"), [here], attested=True)
    beside = Artifact.objects.get(manifest__kind=Manifest.Kind.ATTESTATION)
    found = {artifact.pk for artifact in as_viewer.get(address(here)).context["referrers"].rows}
    assert found == {by_subject.pk, by_cosign.pk, listed.pk, beside.pk}


def test_what_hangs_on_it_where_one_may_not_look_is_not_told(
    limited: Client, spread: dict[str, Artifact]
) -> None:
    here, there = spread["team-a/app"], spread["mirror/app"].repository
    catalog.referrer(there, here)
    name = here.manifest.digest.replace(":", "-")
    catalog.tag(there, f"{name}.sig", catalog.artifact(there, "cosign", Manifest.Kind.SIGNATURE))
    assert limited.get(address(here)).context["referrers"].rows == []


def test_tags_that_pointed_at_it_before_are_told_with_what_came_then(
    as_viewer: Client, limited: Client, spread: dict[str, Artifact]
) -> None:
    here, copy = spread["team-a/app"], spread["mirror/app"]
    newer = catalog.image(here.repository, "newer")
    catalog.move(here.repository, "latest", here, newer)
    catalog.move(copy.repository, "dropped", copy, None)
    catalog.move(here.repository, "1.0", None, here)  # came, and points at it still
    for which in ("", "/left"):
        page = text(as_viewer, address(here, which))
        assert "/r/harbour/team-a/app/-/tags/latest/history" in page
        assert f"/-/manifests/{newer.manifest.digest}" in page
        assert "/r/pier/mirror/app/-/tags/dropped/history" in page
        assert "/-/tags/1.0/history" not in page
        assert "dropped" not in text(limited, address(here, which))


# The way there --------------------------------------------------------------------------------


def test_the_beginning_of_a_digest_leads_to_it_or_asks_which(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    digest = spread["team-a/app"].manifest.digest
    for start in (digest[:15], digest[7:15]):
        assert as_viewer.get(f"/digests/{start}").headers["Location"] == f"/digests/{digest}"
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    manifest = Manifest.objects.get(digest=digest)
    manifest.pk, manifest.digest = None, other
    manifest.save()
    catalog.present(lonely(), manifest)
    page = text(as_viewer, f"/digests/{digest[:15]}")
    assert f"/digests/{digest}" in page
    assert f"/digests/{other}" in page


def test_a_beginning_finds_nothing_that_one_may_not_see(
    limited: Client, spread: dict[str, Artifact]
) -> None:
    hidden = catalog.image(spread["mirror/app"].repository, "hidden").manifest.digest
    text(limited, f"/digests/{hidden[:20]}", status=404)


def test_what_is_no_digest_and_no_list_is_not_found(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    digest = spread["team-a/app"].manifest.digest
    for wrong in ("abc", "sha256:xyzxyz", "md5:aaaaaaaa", f"{digest}/nothing", f"{digest}/levels"):
        text(as_viewer, f"/digests/{wrong}", status=404)


@pytest.mark.parametrize("query", ["?after=forged", "?registry=%00", "?repository=" + "x" * 300])
def test_what_is_typed_into_the_address_breaks_nothing(
    as_viewer: Client, spread: dict[str, Artifact], query: str
) -> None:
    for which in ("held", "gone", "tags", "indexes", "referrers", "left"):
        text(as_viewer, address(spread["team-a/app"], f"/{which}{query}"))


def test_image_page_search_and_palette_lead_there(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    digest = spread["team-a/app"].manifest.digest
    for page in (
        "/r/harbour/team-a/app/-/tags/1.0",
        f"/r/pier/mirror/app/-/manifests/{digest}",
        f"/search?q={digest}",
        f"/search/palette?q={digest[:14]}",
    ):
        assert f'href="/digests/{digest}"' in text(as_viewer, page)


def test_the_page_takes_as_many_statements_for_many_places_as_for_few(
    as_viewer: Client, spread: dict[str, Artifact]
) -> None:
    here = spread["team-a/app"]

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(as_viewer, address(here))
        return len(captured)

    catalog.referrer(here.repository, here, content="first")
    catalog.index(lonely(path="index/first"), [here])
    count()
    few = count()
    for number in range(12):
        repository = lonely(path=f"many/{number}")
        copy = catalog.image(repository, "shared")
        catalog.tag(repository, "1.0", copy)
        catalog.index(repository, [copy, catalog.image(repository, f"beside {number}")])
        catalog.referrer(repository, copy, content=f"signature {number}")
    assert count() == few
