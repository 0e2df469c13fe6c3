"""Access reviews and unused rights by API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.models import AccessReview, AuditEntry, Grant, ReviewItem, Use, User
from access.scopes import EVERYTHING, Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.dashboard.api.statements import statements

pytestmark = pytest.mark.django_db
REVIEWS, UNUSED = "/access-reviews", "/unused-rights"
TEAM_A = Scope("harbour", "team-a/*")
OPENING = {"scope": "harbour", "due": "2099-01-01"}


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def grant(outsider: User) -> Grant:
    """Pusher of otto on team-a/*, two hundred days old."""
    held = give(outsider, "pusher", TEAM_A)
    at = timezone.now() - timedelta(days=200)
    Grant.objects.filter(pk=held.pk).update(granted_at=at)
    return held


@pytest.fixture
def api_of_b(db: None) -> Api:
    """Somebody who may manage access, elsewhere."""
    user = User.objects.create_user("berta")
    give(user, "owner", Scope("harbour", "team-b/*"))
    return Api.of(user)


def use(verb: str, days_ago: int = 1) -> None:
    Use.objects.create(
        principal="user:otto",
        registry=Registry.objects.get(),
        path="team-a/app",
        verb=verb,
        last_at=timezone.now() - timedelta(days=days_ago),
    )


# Reviews --------------------------------------------------------------------------------------


def test_a_review_is_opened_decided_and_closed(
    api_owner: Api, grant: Grant, outsider: User
) -> None:
    kept = give(outsider, "reader", Scope("harbour"))
    made = api_owner.post(REVIEWS, OPENING)
    assert made.status_code == 201
    assert (made.json()["undecided"], made.json()["is_late"]) == (2, False)
    address = made.headers["Location"].removeprefix("/api/v1")
    items = api_owner.get(f"{address}/items").json()["items"]
    assert [(item["role"], item["grant"]) for item in items] == [
        ("pusher", grant.pk),
        ("reader", kept.pk),
    ]
    removed = api_owner.post(
        f"{address}/decisions", {"items": [items[0]["id"]], "decision": "removed"}
    ).json()["items"]
    assert [(item["decision"], item["grant"], item["decided_by"]) for item in removed] == [
        ("removed", None, "anna")
    ]
    assert not Grant.objects.filter(pk=grant.pk).exists()
    rest = {"items": [items[1]["id"]], "decision": "confirmed"}
    api_owner.post(f"{address}/decisions", rest)
    closed = api_owner.post(f"{address}/close").json()
    assert (closed["confirmed"], closed["removed"], closed["undecided"]) == (1, 1, 0)
    assert closed == api_owner.get(address).json()
    assert api_owner.post(f"{address}/close").status_code == 422
    assert api_owner.post(f"{address}/decisions", rest).status_code == 422
    events = AuditEntry.objects.filter(event__startswith="review").order_by("number")
    assert [entry.event for entry in events] == [
        "review opened",
        "review decided",
        "review decided",
        "review closed",
    ]


def test_items_and_reviews_are_filtered(api_owner: Api, grant: Grant) -> None:
    address = api_owner.post(REVIEWS, OPENING).headers["Location"].removeprefix("/api/v1")
    for decision, count in (("undecided", 1), ("confirmed", 0)):
        found = api_owner.get(f"{address}/items", decision=decision).json()["items"]
        assert len(found) == count
    assert len(api_owner.get(REVIEWS, state="open").json()["items"]) == 1
    assert api_owner.get(REVIEWS, state="closed").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"due": "2020-01-01"}, "due"),
        ({"due": "soon"}, "due"),
        ({"scope": "nowhere"}, "scope"),
        ({"scope": "harbour/team-c/*"}, "scope"),
    ],
)
def test_what_cannot_be_reviewed_is_refused(
    api_owner: Api, grant: Grant, change: dict[str, Any], field: str
) -> None:
    refused = api_owner.post(REVIEWS, OPENING | change)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_an_item_of_another_review_is_not_decided_here(api_owner: Api, grant: Grant) -> None:
    whole = api_owner.post(REVIEWS, OPENING).json()["id"]
    part = api_owner.post(REVIEWS, OPENING | {"scope": "harbour/team-a/*"}).json()["id"]
    foreign = ReviewItem.objects.get(review=part).pk
    own = ReviewItem.objects.get(review=whole).pk
    refused = api_owner.post(
        f"{REVIEWS}/{whole}/decisions", {"items": [own, foreign], "decision": "removed"}
    )
    assert refused.status_code == 404
    assert Grant.objects.filter(pk=grant.pk).exists()


def test_the_last_owner_stays_in_a_review(outsider: User) -> None:
    give(outsider, "owner", EVERYTHING)
    api = Api.of(outsider)
    review = api.post(REVIEWS, OPENING | {"scope": "*"}).json()["id"]
    item = ReviewItem.objects.get().pk
    removing = {"items": [item], "decision": "removed"}
    refused = api.post(f"{REVIEWS}/{review}/decisions", removing)
    assert (refused.status_code, "last owner" in refused.json()["detail"]) == (422, True)
    assert api.get(f"{REVIEWS}/{review}").json()["undecided"] == 1


def test_reviews_and_unused_rights_are_for_who_manages_access_there(
    api_of_b: Api, api_viewer: Api, grant: Grant
) -> None:
    review = AccessReview.objects.create(
        registry=Registry.objects.get(), opened_by="anna", due=timezone.localdate()
    )
    assert api_of_b.get(REVIEWS).json()["items"] == []
    assert api_of_b.get(f"{REVIEWS}/{review.pk}").status_code == 404
    assert api_of_b.post(f"{REVIEWS}/{review.pk}/close").status_code == 404
    assert api_of_b.post(REVIEWS, OPENING).status_code == 403
    assert "otto" not in api_of_b.get(UNUSED).content.decode()
    less = {"grant": grant.pk, "role": "puller"}
    assert api_of_b.post(f"{UNUSED}/replacements", less).status_code == 404
    for path in (REVIEWS, f"{REVIEWS}/{review.pk}", UNUSED):
        assert api_viewer.get(path).status_code == 403


def test_more_reviews_and_items_take_no_more_statements(api_owner: Api, grant: Grant) -> None:
    review = api_owner.post(REVIEWS, OPENING).json()["id"]
    reviews = statements(api_owner, REVIEWS, rows=1)
    items = statements(api_owner, f"{REVIEWS}/{review}/items", rows=1)
    for number in range(29):
        more = AccessReview.objects.create(
            registry=Registry.objects.get(),
            path=f"a/{number}",
            opened_by="anna",
            due=timezone.localdate(),
        )
        ReviewItem.objects.create(review=more, principal="user:otto", role="reader", scope="x")
        ReviewItem.objects.create(
            review_id=review, principal="user:otto", role="reader", scope=f"{number}"
        )
    assert statements(api_owner, REVIEWS, rows=30) == reviews
    assert statements(api_owner, f"{REVIEWS}/{review}/items", rows=30) == items


# Unused rights --------------------------------------------------------------------------------


def test_what_was_not_used_is_told_with_the_role_that_would_do(
    api_owner: Api, grant: Grant
) -> None:
    use("pull")
    (row,) = api_owner.get(UNUSED).json()["items"]
    assert (row["grant"]["id"], row["grant"]["role"]) == (grant.pk, "pusher")
    assert (row["used"], row["heard"], row["smaller_role"]) == (["pull"], True, "puller")
    assert api_owner.get(UNUSED, at_all="true").json()["items"] == []
    assert api_owner.get(UNUSED, days=365).json()["items"] == []  # it is not so old
    assert api_owner.get(UNUSED, days=31).status_code == 400


def test_a_smaller_role_takes_its_place(api_owner: Api, grant: Grant, outsider: User) -> None:
    made = api_owner.post(f"{UNUSED}/replacements", {"grant": grant.pk, "role": "puller"})
    assert (made.status_code, made.json()["role"]) == (201, "puller")
    assert made.json()["reason"] == "Less was in use."
    assert [held.role.name for held in outsider.grants.all()] == ["puller"]
    for role, said in (("emperor", "no role"), ("own", "no role")):
        refused = api_owner.post(
            f"{UNUSED}/replacements", {"grant": made.json()["id"], "role": role}
        )
        assert (refused.status_code, said in refused.json()["detail"]) == (422, True)


def test_more_unused_rights_take_no_more_statements(
    api_owner: Api, grant: Grant, outsider: User
) -> None:
    few = statements(api_owner, UNUSED, rows=1)
    for number in range(29):
        give(outsider, "pusher", Scope("harbour", f"a/{number}"))
    Grant.objects.update(granted_at=timezone.now() - timedelta(days=200))
    assert statements(api_owner, UNUSED, rows=30) == few
