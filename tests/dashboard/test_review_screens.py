"""Reviews on screen: opened, decided, closed, and kept."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AccessReview, Grant, ReviewItem, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
TEAM_A, TEAM_B = Scope("harbour", "team-a/*"), Scope("harbour", "team-b/*")
DUE = (timezone.localdate() + timedelta(days=30)).isoformat()


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def review(harbour: Registry, outsider: User) -> AccessReview:
    """Of team-a/*, with two grants of otto."""
    made = AccessReview.objects.create(
        registry=harbour, path="team-a/*", opened_by="anna", due=date(2099, 1, 1)
    )
    for role in ("reader", "pusher"):
        grant = give(outsider, role, TEAM_A)
        made.items.create(grant=grant, principal="user:otto", role=role, scope=str(TEAM_A))
    return made


@pytest.fixture
def as_owner_of_b(db: None) -> Client:
    user = User.objects.create_user("berta")
    give(user, "owner", TEAM_B)
    return signed_in(user)


def address(review: AccessReview, what: str = "") -> str:
    return f"/access/reviews/{review.pk}/{what}"


def items(review: AccessReview) -> list[int]:
    return list(review.items.values_list("pk", flat=True))


def decide(client: Client, review: AccessReview, decision: str, *chosen: int) -> int:
    form = {"decision": decision, "item": chosen or items(review), "sure": "yes"}
    return client.post(address(review, "decide/"), form).status_code


def test_an_owner_opens_decides_and_closes_a_review(as_owner: Client, outsider: User) -> None:
    keep, drop = give(outsider, "reader", TEAM_A), give(outsider, "pusher", TEAM_A)
    opened = as_owner.post("/access/reviews/new/", {"scope": "harbour/team-a/*", "due": DUE})
    review = AccessReview.objects.get()
    assert opened.headers["Location"] == address(review)
    first, second = items(review)
    decide(as_owner, review, "confirm", first)
    decide(as_owner, review, "remove", second)
    assert list(Grant.objects.filter(user=outsider)) == [keep]
    assert not Grant.objects.filter(pk=drop.pk).exists()
    assert "Every grant is decided" in as_owner.get(address(review)).content.decode()
    assert as_owner.post(address(review, "close/")).status_code == 302
    record = as_owner.get(address(review)).content.decode()
    assert "user:otto" in record
    assert "was removed" not in record
    assert "removed" in record
    assert 'type="checkbox"' not in record.partition('id="results"')[2].partition("</table>")[0]
    assert "harbour/team-a/*" in as_owner.get("/access/reviews/?state=closed").content.decode()


def test_who_manages_no_access_has_no_reviews(as_viewer: Client, review: AccessReview) -> None:
    for what in ("", "new/", f"{review.pk}/"):
        assert as_viewer.get(f"/access/reviews/{what}").status_code == 403
    assert decide(as_viewer, review, "remove") == 403
    assert as_viewer.post(address(review, "close/")).status_code == 403
    assert review.items.filter(decision="").count() == 2


def test_who_manages_access_elsewhere_finds_no_review_here(
    as_owner_of_b: Client, review: AccessReview
) -> None:
    assert "team-a" not in as_owner_of_b.get("/access/reviews/").content.decode()
    assert as_owner_of_b.get(address(review)).status_code == 404
    assert decide(as_owner_of_b, review, "remove") == 404
    assert as_owner_of_b.post(address(review, "close/")).status_code == 404
    opened = as_owner_of_b.post("/access/reviews/new/", {"scope": "harbour", "due": DUE})
    assert opened.status_code == 403
    own = as_owner_of_b.post("/access/reviews/new/", {"scope": "harbour/team-b/*", "due": DUE})
    assert own.status_code == 302


def test_one_cannot_decide_on_items_of_another_review(
    as_owner_of_b: Client, review: AccessReview, harbour: Registry
) -> None:
    own = AccessReview.objects.create(
        registry=harbour, path="team-b/*", opened_by="berta", due=date(2099, 1, 1)
    )
    decide(as_owner_of_b, own, "remove", *items(review))
    assert ReviewItem.objects.filter(review=review, decision="").count() == 2
    assert Grant.objects.filter(path="team-a/*").count() == 2


def test_what_cannot_be_removed_is_said_on_the_page(outsider: User) -> None:
    grant = give(outsider, "owner")
    review = AccessReview.objects.create(opened_by="otto", due=date(2099, 1, 1))
    review.items.create(grant=grant, principal="user:otto", role="owner", scope="*")
    form = {"decision": "remove", "item": items(review), "sure": "yes"}
    response = signed_in(outsider).post(address(review, "decide/"), form, follow=True)
    assert "last owner" in response.content.decode()
    assert Grant.objects.filter(pk=grant.pk).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"due": "2001-01-01"}, "lies in the future"),
        ({"due": "soon"}, "valid date"),
        ({"scope": "nowhere"}, "There is no registry"),
        ({"scope": "harbour/empty"}, "nothing to review"),
        ({"scope": "No Scope"}, "is not a scope"),
    ],
)
def test_a_bad_review_is_sent_back(as_owner: Client, changes: dict[str, str], said: str) -> None:
    fields = {"scope": "harbour", "due": DUE} | changes
    response = as_owner.post("/access/reviews/new/", fields)
    assert response.status_code == 422
    assert said in response.content.decode()


def test_a_late_review_says_so(as_owner: Client, review: AccessReview) -> None:
    AccessReview.objects.update(due=timezone.localdate() - timedelta(days=1))
    assert "late" in as_owner.get(address(review)).content.decode()
    assert "one is late" in as_owner.get("/access/").content.decode()


def test_the_pages_take_as_many_statements_for_much_as_for_little(
    as_owner: Client, review: AccessReview
) -> None:
    def statements(where: str) -> int:
        as_owner.get(where)
        with CaptureQueriesContext(connection) as captured:
            assert as_owner.get(where).status_code == 200
        return len(captured)

    few = [statements("/access/reviews/"), statements(address(review))]
    for number in range(30):
        user = User.objects.create_user(f"u{number}")
        grant = give(user, "reader", TEAM_A)
        review.items.create(grant=grant, principal=f"user:u{number}", role="reader", scope="x")
        other = AccessReview.objects.create(opened_by="anna", due=date(2099, 1, 1))
        other.items.create(principal="user:x", role="reader", scope="*")
    assert [statements("/access/reviews/"), statements(address(review))] == few == [3, 4]


def test_what_is_removed_or_closed_is_asked_first(
    as_owner: Client, review: AccessReview, outsider: User
) -> None:
    first, second = items(review)
    gone = ReviewItem.objects.create(review=review, decision="gone", role="x", scope="harbour")
    form = {"decision": "remove", "item": [first, gone.pk]}
    asked = as_owner.post(address(review, "decide/"), form).content.decode()
    assert "Remove this grant?" in asked
    assert f'name="item" value="{first}"' in asked
    assert f'value="{gone.pk}"' not in asked
    assert Grant.objects.filter(user=outsider).count() == 2
    assert decide(as_owner, review, "remove", first) == 302
    assert Grant.objects.filter(user=outsider).count() == 1
    asked = as_owner.get(address(review, "close/")).content.decode()
    assert "One grant was looked at by nobody" in asked
    review.refresh_from_db()
    assert review.closed_at is None
    assert (
        f'action="{address(review, "close/")}"'
        not in as_owner.get(address(review)).content.decode()
    )
    assert second in items(review)
