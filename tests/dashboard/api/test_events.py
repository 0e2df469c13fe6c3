"""What happened, by API: as far as one sees it, looked back at and followed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import Role, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.webhooks import outbox
from webhooks.catalog import Topic
from webhooks.models import Event

ADDRESS = "/events"


@pytest.fixture(autouse=True)
def harbour(transactional_db: None) -> None:
    """Transactions of their own: what this one wrote is not settled as long as it runs."""
    catalog.registry("harbour")
    catalog.registry("elsewhere")


@pytest.fixture
def reader(outsider: User) -> Api:
    """Of one prefix."""
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    return Api.of(outsider)


def tags(api: Api, **query: Any) -> list[str]:
    return [row["tag"] for row in api.get(ADDRESS, **query).json()["items"]]


def happen(*names: str) -> None:
    for name in names:
        outbox.event(tag=name)


def test_an_event_says_all_that_is_known(reader: Api) -> None:
    made = outbox.event(data={"size": 7})
    (row,) = reader.get(ADDRESS).json()["items"]
    assert row["id"] == f"evt_{made.uid.hex}"
    assert (row["topic"], row["registry"], row["repository"]) == (
        "tag.moved",
        "harbour",
        "team-a/app",
    )
    assert (row["tag"], row["digest"], row["old_digest"]) == ("1.0", made.digest, made.old_digest)
    assert (row["actor_kind"], row["actor"], row["data"]) == ("user", "anna", {"size": 7})


def test_following_misses_nothing_and_meets_nothing_twice(reader: Api) -> None:
    happen("before")
    page = reader.get(ADDRESS).json()
    assert [row["tag"] for row in page["items"]] == ["before"]
    seen: list[str] = []
    cursor = page["follow"]
    for burst in (("a", "b", "c"), (), ("d",)):
        happen(*burst)
        for _page in range(3):
            page = reader.get(ADDRESS, sort="written", limit=2, after=cursor).json()
            seen += [row["tag"] for row in page["items"]]
            cursor = page["follow"]
    assert seen == ["a", "b", "c", "d"]


def test_what_is_not_committed_yet_comes_later_and_is_not_passed_over(reader: Api) -> None:
    cursor = reader.get(ADDRESS).json()["follow"]
    late = connection.copy()
    try:
        late.set_autocommit(False)
        with late.cursor() as other:
            other.execute(
                "INSERT INTO webhooks_event (uid, topic, registry, repository, tag, digest,"
                " old_digest, at, actor_kind, actor_id, actor_label, data) VALUES"
                " (gen_random_uuid(), 'tag.created', 'harbour', 'team-a/app', 'late', '', '', now(),"
                " 'user', '', 'anna', '{}')"
            )
            happen("soon")
            page = reader.get(ADDRESS, sort="written", after=cursor).json()
            assert page["items"] == []
            late.commit()
    finally:
        late.close()
    assert sorted(tags(reader, sort="written", after=page["follow"])) == ["late", "soon"]


def test_one_is_told_of_what_one_sees_and_of_nothing_else(
    reader: Api, api_owner: Api, viewer: User
) -> None:
    outbox.event(tag="mine")
    outbox.event(tag="theirs", repository="team-b/app")
    outbox.event(tag="far", registry="elsewhere")
    outbox.event(Topic.SYNC_FAILED, "", tag="", data={"run": 4711})
    outbox.event(Topic.PING, "", tag="", data={"webhook": "a name"})
    assert tags(reader) == ["mine"]
    said = reader.get(ADDRESS).content.decode()
    assert "team-b" not in said
    topics = {row["topic"] for row in api_owner.get(ADDRESS).json()["items"]}
    assert topics == {"tag.moved", "sync.failed"}
    assert sorted(tags(Api.of(viewer))) == ["far", "mine", "theirs"]


ACTIVITY = "/registries/harbour/repositories/team-a/app/-/activity"


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("catalog-lister", Scope("harbour"), 403),
        ("catalog-lister", Scope("harbour", "team-a/*"), 403),
        ("reader", Scope("elsewhere"), 404),
        ("reader", Scope("harbour", "team-a/app"), 200),
    ],
)
def test_events_of_a_repository_are_for_who_may_see_its_activity(
    outsider: User, role: str, scope: Scope, status: int
) -> None:
    catalog.repository(Registry.objects.get(name="harbour"), "team-a/app")
    give(outsider, role, scope)
    outbox.event(tag="9.9")
    outbox.event(Topic.REPOSITORY_APPEARED, tag="")
    api = Api.of(outsider)
    assert api.get(ACTIVITY).status_code == status
    told = ["", "9.9"] if status == 200 else []
    assert tags(api) == told
    assert tags(api, sort="written") == told[::-1]


def test_who_manages_webhooks_and_may_not_look_into_images_is_told_of_none(outsider: User) -> None:
    Role.objects.create(name="keeper", label="Keeper", actions=["webhook manage", "registry read"])
    give(outsider, "keeper", Scope("harbour"))
    outbox.event(tag="9.9")
    outbox.event(Topic.PUSH, tag="9.9")
    outbox.event(Topic.SYNC_FAILED, "", tag="", data={"run": 4711})
    api = Api.of(outsider)
    assert [row["topic"] for row in api.get(ADDRESS).json()["items"]] == ["sync.failed"]
    assert tags(api, topic="push") == []
    preview = api.get("/webhooks/preview?where=harbour&topics=tag.moved").json()
    assert (preview["is_made_up"], preview["events"]) == (True, [])
    assert "9.9" not in preview["body"]


def test_it_is_narrowed_by_topic_place_and_tag(api_owner: Api) -> None:
    outbox.event(tag="a")
    outbox.event(Topic.PUSH, tag="b")
    outbox.event(Topic.TAG_CREATED, "team-b/app", tag="c")
    outbox.event(Topic.TAG_CREATED, registry="elsewhere", tag="d")
    assert tags(api_owner) == ["d", "c", "a"]
    assert tags(api_owner, topic="push") == ["b"]
    assert tags(api_owner, topic=["push", "tag.moved"]) == ["b", "a"]
    assert tags(api_owner, registry="elsewhere") == ["d"]
    assert tags(api_owner, registry="harbour", repository="team-b/*") == ["c"]
    assert tags(api_owner, registry="harbour", repository="team-a/app") == ["a"]
    assert tags(api_owner, tag="c", sort="written") == ["c"]
    assert api_owner.get(ADDRESS, topic="ping").status_code == 400


def test_a_page_takes_as_many_statements_for_many_as_for_one(reader: Api) -> None:
    tags(reader)  # from now on his rights are remembered
    counts = []
    for more in (1, 29):
        happen(*(f"t{number}" for number in range(more)))
        with CaptureQueriesContext(connection) as captured:
            assert len(tags(reader)) == Event.objects.count()
        counts.append(len(captured))
    assert counts[0] == counts[1]
