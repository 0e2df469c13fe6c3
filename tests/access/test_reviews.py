"""An owner looks at every grant of a scope; the record stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import reviews
from access.grants import revoke_grants
from access.models import AccessReview, AuditEntry, Grant, ReviewItem, User
from access.policy import rights_of
from access.scopes import EVERYTHING, Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)
TEAM_A = Scope("harbour", "team-a/*")
APP = Scope("harbour", "team-a/app")
CONFIRMED, REMOVED = ReviewItem.Decision.CONFIRMED, ReviewItem.Decision.REMOVED


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


@pytest.fixture
def granted(outsider: User) -> list[Grant]:
    """Two grants inside team-a/*, and two outside."""
    inside = [give(outsider, "reader", TEAM_A), give(outsider, "pusher", APP)]
    give(outsider, "reader", Scope("harbour", "team-b/*"))
    give(outsider, "reader", Scope("harbour"))
    return inside


def soon() -> date:
    return timezone.localdate() + timedelta(days=14)


def opening(by: User, scope: Scope = TEAM_A, due: date | None = None) -> AccessReview:
    by = User.objects.get(pk=by.pk)
    return reviews.open_review(
        scope=scope, due=due or soon(), rights=rights_of(by), actor=actor_of(by)
    )


def deciding(
    review: AccessReview, by: User, decision: ReviewItem.Decision, *items: ReviewItem
) -> list[ReviewItem]:
    by = User.objects.get(pk=by.pk)
    chosen = [item.pk for item in items or review.items.all()]
    return reviews.decide(review.pk, chosen, decision, rights=rights_of(by), actor=actor_of(by))


def closing(review: AccessReview, by: User) -> AccessReview:
    by = User.objects.get(pk=by.pk)
    return reviews.close_review(review.pk, rights=rights_of(by), actor=actor_of(by))


def test_a_review_holds_the_grants_inside_its_scope(owner: User, granted: list[Grant]) -> None:
    review = opening(owner)
    assert [item.grant for item in review.items.all()] == granted
    first = review.items.all()[0]
    assert (first.principal, first.role, first.scope) == ("user:otto", "reader", "harbour/team-a/*")
    assert AuditEntry.objects.latest("number").event == "review opened"


def test_a_review_of_everything_holds_all(owner: User, granted: list[Grant]) -> None:
    assert opening(owner, EVERYTHING).items.count() == Grant.objects.count()


def test_who_cannot_manage_access_there_reviews_nothing(viewer: User, granted: list[Grant]) -> None:
    with pytest.raises(PermissionDenied):
        opening(viewer)
    give(viewer, "owner", Scope("harbour", "team-b/*"))
    with pytest.raises(PermissionDenied):
        opening(viewer)
    give(viewer, "owner", TEAM_A)
    assert opening(viewer)


def test_bad_reviews_are_refused_with_a_reason(owner: User, granted: list[Grant]) -> None:
    with pytest.raises(ValidationError, match="future"):
        opening(owner, due=timezone.localdate() - timedelta(days=1))
    with pytest.raises(ValidationError, match="nowhere"):
        opening(owner, Scope("nowhere"))
    with pytest.raises(ValidationError, match="nothing to review"):
        opening(owner, Scope("harbour", "team-c/*"))
    opening(owner)
    with pytest.raises(ValidationError, match="open already"):
        opening(owner)


def test_confirming_keeps_and_removing_revokes(owner: User, granted: list[Grant]) -> None:
    review = opening(owner)
    keep, drop = review.items.all()
    deciding(review, owner, CONFIRMED, keep)
    deciding(review, owner, REMOVED, drop)
    assert Grant.objects.filter(pk=granted[0].pk).exists()
    assert not Grant.objects.filter(pk=granted[1].pk).exists()
    drop.refresh_from_db()
    assert (drop.decision, drop.decided_by, drop.principal) == ("removed", "anna", "user:otto")
    events = AuditEntry.objects.order_by("-number").values_list("event", flat=True)[:3]
    assert list(events) == ["review decided", "access revoked", "review decided"]


def test_a_reviewer_may_change_his_mind_until_it_is_removed(
    owner: User, granted: list[Grant]
) -> None:
    review = opening(owner)
    item = review.items.all()[0]
    deciding(review, owner, CONFIRMED, item)
    deciding(review, owner, REMOVED, item)
    assert deciding(review, owner, CONFIRMED, item) == []
    item.refresh_from_db()
    assert item.decision == "removed"


def test_what_another_took_away_is_noted_as_gone(owner: User, granted: list[Grant]) -> None:
    review = opening(owner)
    revoke_grants([granted[0].pk], rights=rights_of(owner), actor=actor_of(owner))
    deciding(review, owner, CONFIRMED)
    assert [item.decision for item in review.items.all()] == ["gone", "confirmed"]


def test_nobody_removes_what_he_could_not_give(
    owner: User, viewer: User, granted: list[Grant]
) -> None:
    review = opening(owner)
    for scope in (None, Scope("harbour", "team-b/*")):
        if scope:
            give(viewer, "owner", scope)
        with pytest.raises(PermissionDenied):
            deciding(review, viewer, REMOVED)
    assert review.items.filter(decision="").count() == 2


def test_the_last_owner_survives_a_review(outsider: User) -> None:
    give(outsider, "owner")
    review = opening(outsider, EVERYTHING)
    with pytest.raises(ValidationError, match="last owner"):
        deciding(review, outsider, REMOVED)
    assert review.items.filter(decision="").count() == 1


def test_closing_records_the_result_and_ends_it(owner: User, granted: list[Grant]) -> None:
    review = opening(owner)
    deciding(review, owner, CONFIRMED, review.items.all()[0])
    closed = closing(review, owner)
    assert closed.closed_at is not None
    tally = reviews.tally_of(closed)
    assert (tally.confirmed, tally.undecided, tally.decided, tally.total) == (1, 1, 1, 2)
    entry = AuditEntry.objects.latest("number")
    assert entry.event == "review closed"
    assert entry.new is not None
    assert entry.new["undecided"] == 1
    for attempt in (lambda: deciding(review, owner, CONFIRMED), lambda: closing(review, owner)):
        with pytest.raises(ValidationError, match="closed"):
            attempt()
    assert opening(owner).pk != review.pk


def test_items_of_another_review_are_not_touched(owner: User, granted: list[Grant]) -> None:
    mine, other = opening(owner), opening(owner, APP)
    assert deciding(mine, owner, REMOVED, other.items.get()) == []
    assert Grant.objects.filter(pk=granted[1].pk).exists()


def test_tallies_of_a_page_are_one_statement(owner: User, granted: list[Grant]) -> None:
    page = [opening(owner), opening(owner, APP)]
    with CaptureQueriesContext(connection) as captured:
        found = reviews.tallies(page)
    assert [found[one.pk].total for one in page] == [2, 1]
    assert len(captured) == 1
