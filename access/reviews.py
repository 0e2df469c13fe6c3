"""Access reviews: every grant of a scope is looked at by a date, and confirmed or removed.

What was granted when the review began stays in its items as a record, whatever happens later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from access import grants
from access.actions import Action
from access.events import ReviewClosed, ReviewDecided, ReviewOpened
from access.models import AccessReview, Grant, ReviewItem
from access.policy import Rights
from access.principals import Principal
from access.reach import exactly, lying_in
from access.scopes import Scope
from registries.actor import Actor
from registries.events import emit
from registries.models import Registry
from registries.transactions import durable

Decision = ReviewItem.Decision


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a review is."""

    confirmed: int
    removed: int
    gone: int
    undecided: int

    @property
    def total(self) -> int:
        return self.confirmed + self.removed + self.gone + self.undecided

    @property
    def decided(self) -> int:
        return self.total - self.undecided


@durable
def open_review(*, scope: Scope, due: date, rights: Rights, actor: Actor) -> AccessReview:
    """A review of all grants that lie in the scope.

    Raises PermissionDenied for who may not manage access in all of it; ValidationError for a date
    that is past, a review of it that is open already, and where nothing was granted.
    """
    rights.require(Action.ACCESS_MANAGE, scope)
    now = timezone.now()
    if due < timezone.localdate(now):
        raise ValidationError({"due": _("The date by which it is due lies in the future.")})
    registry = Registry.objects.select_for_update().filter(name=scope.registry).first()
    if scope.registry is not None and registry is None:
        raise ValidationError({"scope": _("There is no registry “%s”.") % scope.registry})
    if AccessReview.objects.filter(exactly(scope), closed_at=None).exists():
        raise ValidationError({"scope": _("A review of it is open already.")})
    found = list(Grant.objects.live(now).filter(lying_in([scope])).with_names().order_by("pk"))
    if not found:
        raise ValidationError({"scope": _("Nothing is granted there: there is nothing to review.")})
    review = AccessReview.objects.create(
        registry=registry, path=scope.path, opened_at=now, opened_by=actor.label, due=due
    )
    ReviewItem.objects.bulk_create(
        ReviewItem(
            review=review,
            grant=grant,
            principal=str(Principal.holding(grant)),
            role=grant.role.name,
            scope=str(grant.scope),
        )
        for grant in found
    )
    told = ReviewOpened(scope.registry or "", now, str(scope), due.isoformat(), len(found))
    emit([told], actor=actor)
    return review


@durable
def decide(
    pk: int, items: Sequence[int], decision: Decision, *, rights: Rights, actor: Actor
) -> list[ReviewItem]:
    """Confirm or remove the grants of these items of a review: all of them, or none.

    Removing revokes, with all that revoking asks for (the last owner stays). What was removed or
    gone already is left as it is; a grant that somebody else took away meanwhile is noted as gone.
    """
    review = _open_one(pk, rights)
    now = timezone.now()
    chosen = list(
        review.items.filter(pk__in=items, decision__in=["", Decision.CONFIRMED])
        .select_for_update()
        .order_by("pk")
    )
    there = [item for item in chosen if item.grant_id is not None]
    if decision == Decision.REMOVED:
        grants.take(
            [item.grant_id for item in there if item.grant_id is not None],
            reason=_("Removed in an access review."),
            rights=rights,
            actor=actor,
        )
    decided_here = {item.pk for item in there}
    for item in chosen:
        item.decision = decision if item.pk in decided_here else Decision.GONE
        item.decided_at, item.decided_by = now, actor.label
    ReviewItem.objects.bulk_update(chosen, ["decision", "decided_at", "decided_by"])
    emit([_told(item, scope_of(review), now) for item in chosen], actor=actor)
    return chosen


@durable
def close_review(pk: int, *, rights: Rights, actor: Actor) -> AccessReview:
    """End a review. What nobody decided stays granted, and the record says so."""
    review = _open_one(pk, rights)
    now = timezone.now()
    review.items.filter(decision="", grant=None).update(
        decision=Decision.GONE, decided_at=now, decided_by=actor.label
    )
    review.closed_at = now
    review.save(update_fields=["closed_at"])
    scope, tally = scope_of(review), tally_of(review)
    told = ReviewClosed(
        scope.registry or "", now, str(scope), tally.confirmed, tally.removed, tally.undecided
    )
    emit([told], actor=actor)
    return review


def tally_of(review: AccessReview) -> Tally:
    """How many of its grants were decided in which way."""
    return tallies([review]).get(review.pk, Tally(0, 0, 0, 0))


def tallies(reviews: Sequence[AccessReview]) -> dict[int, Tally]:
    """The same for a page of reviews, in one statement."""
    rows = (
        ReviewItem.objects.filter(review__in=reviews)
        .values("review_id")
        .order_by("review_id")
        .annotate(
            confirmed=Count("pk", Q(decision=Decision.CONFIRMED)),
            removed=Count("pk", Q(decision=Decision.REMOVED)),
            gone=Count("pk", Q(decision=Decision.GONE)),
            undecided=Count("pk", Q(decision="")),
        )
    )
    return {
        row["review_id"]: Tally(row["confirmed"], row["removed"], row["gone"], row["undecided"])
        for row in rows
    }


def scope_of(review: AccessReview) -> Scope:
    return Scope(review.registry.name if review.registry else None, review.path)


def _open_one(pk: int, rights: Rights) -> AccessReview:
    review = (
        AccessReview.objects.select_related("registry").select_for_update(of=("self",)).get(pk=pk)
    )
    rights.require(Action.ACCESS_MANAGE, scope_of(review))
    if review.closed_at is not None:
        raise ValidationError(_("This review is closed: its result stays as it is."))
    return review


def _told(item: ReviewItem, reviewed: Scope, at: datetime) -> ReviewDecided:
    return ReviewDecided(
        reviewed.registry or "", at, item.principal, item.role, item.scope, item.decision
    )
