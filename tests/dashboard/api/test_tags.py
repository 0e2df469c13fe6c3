"""A repository's tags, and what each points at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.models import Artifact, Repository
from tests import catalog
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db
TAGS = "/registries/prod/repositories/team-a/app/-/tags"


@pytest.fixture
def app(db: None) -> Repository:
    app = catalog.repository(catalog.registry("prod"), "team-a/app")
    old, new = catalog.image(app, "old"), catalog.image(app, "new", platform="linux/arm64/v8")
    both = catalog.index(app, [old, new])
    for day, (name, image) in enumerate(
        [("1.9", old), ("1.10", old), ("2.0", new), ("latest", both)]
    ):
        catalog.tag(app, name, image, at=catalog.NOON + timedelta(days=day))
    signature = catalog.referrer(app, old)
    catalog.tag(app, f"{old.manifest.digest.replace(':', '-')}.sig", signature)
    return app


def names(api: Api, **query: Any) -> list[str]:
    return [row["name"] for row in api.get(TAGS, **query).json()["items"]]


@pytest.mark.usefixtures("app")
def test_the_newest_stand_first_without_what_hangs_on_images(api_owner: Api) -> None:
    assert names(api_owner) == ["latest", "2.0", "1.10", "1.9"]
    assert len(names(api_owner, show="all")) == 5


@pytest.mark.usefixtures("app")
def test_they_are_filtered_and_sorted_as_on_screen(api_owner: Api) -> None:
    assert names(api_owner, q="1.") == ["1.10", "1.9"]
    assert names(api_owner, sort="name", q=".") == ["1.9", "1.10", "2.0"]
    assert names(api_owner, sort="-size", limit=1) == ["latest"]


@pytest.mark.usefixtures("app")
def test_a_tag_says_what_it_points_at(api_owner: Api) -> None:
    row = api_owner.get(f"{TAGS}/1.10").json()
    assert (row["kind"], row["platforms"], row["aliases"]) == ("image", ["linux/amd64"], 1)
    assert (row["dated_at"], row["dated_by"]) == ("2026-11-21T12:00:00Z", "built")
    assert row["digest"] == api_owner.get(f"{TAGS}/1.9").json()["digest"]
    index = api_owner.get(f"{TAGS}/latest").json()
    assert (index["kind"], index["platforms"]) == ("index", ["linux/amd64", "linux/arm64/v8"])


def test_what_only_a_listing_described_says_so(app: Repository, api_owner: Api) -> None:
    Artifact.objects.filter(tags__name="2.0").update(details=Artifact.Details.LISTED)
    assert api_owner.get(f"{TAGS}/2.0").json()["is_listed_only"]
    assert not api_owner.get(f"{TAGS}/1.9").json()["is_listed_only"]


@pytest.mark.usefixtures("app")
def test_a_tag_that_there_is_not_is_not_found(api_owner: Api) -> None:
    assert api_owner.get(f"{TAGS}/3.0").status_code == 404


@pytest.mark.usefixtures("app")
def test_an_outsider_is_told_no_name(api_outsider: Api) -> None:
    for address in (TAGS, f"{TAGS}/latest"):
        answer = api_outsider.get(address)
        assert answer.status_code == 404
        assert "team" not in answer.content.decode()


def test_a_page_takes_as_many_statements_however_many_rows(
    app: Repository, api_viewer: Api
) -> None:
    counts = []
    for more in (0, 30):
        for at in range(more):
            catalog.tag(app, f"3.{at}", catalog.image(app, f"image {at}"))
        with CaptureQueriesContext(connection) as captured:
            api_viewer.get(TAGS)
        counts.append(len(captured))
    assert counts[0] == counts[1]
