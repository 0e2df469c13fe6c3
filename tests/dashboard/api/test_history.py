"""How tags moved: one tag's history, and a repository's activity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.models import Repository
from tests import catalog
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db
APP = "/registries/prod/repositories/team-a/app"


@pytest.fixture
def app(db: None) -> Repository:
    app = catalog.repository(catalog.registry("prod"), "team-a/app")
    old, new = catalog.image(app, "old"), catalog.image(app, "new")
    catalog.tag(app, "latest", new)
    catalog.move(app, "latest", None, old)
    catalog.move(app, "latest", old, new, at=catalog.NOON + timedelta(days=1))
    catalog.move(app, "1.0", old, None, at=catalog.NOON + timedelta(days=2))
    return app


def test_a_tag_s_digests_come_newest_first(app: Repository, api_owner: Api) -> None:
    newest, first = api_owner.get(f"{APP}/-/tags/latest/history").json()["items"]
    assert first["old_digest"] is None
    assert newest["old_digest"] == first["new_digest"]
    assert newest["new_digest"] == app.tags.get().artifact.manifest.digest
    assert (newest["source"], newest["actor"]) == ("sync", "Portolan")
    assert newest["at"] == "2026-11-21T12:00:00Z"


@pytest.mark.usefixtures("app")
def test_so_do_those_of_a_tag_that_is_gone_and_of_none_that_never_was(api_owner: Api) -> None:
    (gone,) = api_owner.get(f"{APP}/-/tags/1.0/history").json()["items"]
    assert gone["new_digest"] is None
    assert api_owner.get(f"{APP}/-/tags/2.0/history").status_code == 404


@pytest.mark.usefixtures("app")
def test_activity_has_all_tags_page_by_page(api_owner: Api) -> None:
    first = api_owner.get(f"{APP}/-/activity", limit=2).json()
    assert [move["tag"] for move in first["items"]] == ["1.0", "latest"]
    second = api_owner.get(f"{APP}/-/activity", limit=2, after=first["next"]).json()
    assert [move["old_digest"] for move in second["items"]] == [None]
    assert second["next"] is None


@pytest.mark.usefixtures("app")
def test_an_outsider_is_told_no_name(api_outsider: Api) -> None:
    for address in (f"{APP}/-/activity", f"{APP}/-/tags/latest/history"):
        answer = api_outsider.get(address)
        assert answer.status_code == 404
        assert "team" not in answer.content.decode()


@pytest.mark.parametrize("address", [f"{APP}/-/activity", f"{APP}/-/tags/latest/history"])
def test_a_page_takes_as_many_statements_however_many_rows(
    app: Repository, api_viewer: Api, address: str
) -> None:
    counts = []
    for more in (0, 30):
        for at in range(more):
            catalog.move(app, "latest", None, catalog.image(app, f"image {at}"))
        with CaptureQueriesContext(connection) as captured:
            api_viewer.get(address)
        counts.append(len(captured))
    assert counts[0] == counts[1]
