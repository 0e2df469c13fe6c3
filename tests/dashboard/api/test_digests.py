"""Over all registries: where a digest is, and search; each told of what he may look into."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import User
from access.scopes import Scope
from registries.models import Artifact
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(db: None) -> Artifact:
    """In two registries, in an index, signed, and once called otherwise."""
    app = catalog.repository(catalog.registry("prod"), "team-a/app")
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    catalog.index(app, [image])
    catalog.referrer(app, image)
    catalog.move(app, "old", image, None)
    copy = catalog.repository(catalog.registry("dev"), "copy/app")
    catalog.tag(copy, "2.0", catalog.present(copy, image.manifest))
    gone = catalog.repository(copy.registry, "gone/app")
    catalog.present(gone, image.manifest, missing_since=catalog.NOON)
    return image


def rows(api: Api, image: Artifact, which: str, **query: Any) -> list[dict[str, Any]]:
    found = api.get(f"/digests/{image.manifest.digest}/{which}", **query).json()["items"]
    assert isinstance(found, list)
    return found


def test_a_digest_is_shown_wherever_it_is(image: Artifact, api_owner: Api) -> None:
    shown = api_owner.get(f"/digests/{image.manifest.digest}").json()
    assert [(one["registry"], one["repositories"]) for one in shown["registries"]] == [
        ("dev", 1),
        ("prod", 1),
    ]
    (place,) = shown["registries"][1]["places"]
    assert (place["repository"], place["tags"]) == ("team-a/app", ["1.0"])


def test_each_list_is_there_page_by_page(image: Artifact, api_owner: Api) -> None:
    found = {
        which: [row["repository"] for row in rows(api_owner, image, "places", list=which)]
        for which in ("held", "gone", "indexes", "referrers")
    }
    assert found == {
        "held": ["copy/app", "team-a/app"],
        "gone": ["gone/app"],
        "indexes": ["team-a/app"],
        "referrers": ["team-a/app"],
    }
    tags = [(row["registry"], row["name"]) for row in rows(api_owner, image, "tags")]
    assert tags == [("prod", "1.0"), ("dev", "2.0")]
    (left,) = rows(api_owner, image, "left")
    assert (left["repository"], left["tag"], left["new_digest"]) == ("team-a/app", "old", None)


def test_a_registry_or_a_repository_narrows_them(image: Artifact, api_owner: Api) -> None:
    assert [row["name"] for row in rows(api_owner, image, "tags", registry="dev")] == ["2.0"]
    assert rows(api_owner, image, "places", repository="copy/app", registry="prod") == []


def test_who_looks_into_one_repository_is_told_of_that_one(image: Artifact, outsider: User) -> None:
    give(outsider, "reader", Scope("prod", "team-a/app"))
    api = Api.of(outsider)
    answer = api.get(f"/digests/{image.manifest.digest}")
    assert [one["registry"] for one in answer.json()["registries"]] == ["prod"]
    for which in ("places", "tags", "left"):
        assert {row["registry"] for row in rows(api, image, which)} == {"prod"}


def test_an_outsider_is_told_nothing(image: Artifact, api_outsider: Api) -> None:
    for which in ("", "/places", "/tags", "/left"):
        answer = api_outsider.get(f"/digests/{image.manifest.digest}{which}")
        assert answer.status_code == 404
        assert "app" not in answer.content.decode()
    found = api_outsider.get("/search", q="app").json()
    assert not any(found[kind] for kind in ("registries", "repositories", "tags", "manifests"))


def test_search_finds_each_kind(image: Artifact, api_owner: Api) -> None:
    assert [row["name"] for row in api_owner.get("/search", q="prod").json()["registries"]] == [
        "prod"
    ]
    found = api_owner.get("/search", q="app").json()
    assert {row["path"] for row in found["repositories"]} == {"team-a/app", "copy/app", "gone/app"}
    (tag,) = api_owner.get("/search", q="team-a/app:1.0").json()["tags"]
    assert (tag["repository"], tag["digest"]) == ("team-a/app", image.manifest.digest)
    by_digest = api_owner.get("/search", q=image.manifest.digest[:19]).json()["manifests"]
    assert {row["repository"] for row in by_digest} == {"team-a/app", "copy/app"}


@pytest.mark.usefixtures("image")
def test_search_says_of_what_there_is_more(api_owner: Api) -> None:
    found = api_owner.get("/search", q="app", limit=1).json()
    assert (len(found["repositories"]), found["more"]) == (1, ["repositories"])
    assert api_owner.get("/search", q="").json()["more"] == []
    assert api_owner.get("/search").status_code == 400
    assert api_owner.get("/search", q="a\x00").status_code == 400


@pytest.mark.parametrize("which", ["places", "tags", "left"])
def test_a_page_takes_as_many_statements_however_many_rows(
    image: Artifact, api_viewer: Api, which: str
) -> None:
    counts = []
    for more in (0, 30):
        for at in range(more):
            one = catalog.repository(image.repository.registry, f"many/app-{at}")
            catalog.tag(one, "1.0", catalog.present(one, image.manifest))
            catalog.move(one, "old", image, None)
        with CaptureQueriesContext(connection) as captured:
            api_viewer.get(f"/digests/{image.manifest.digest}/{which}")
        counts.append(len(captured))
    assert counts[0] == counts[1]
