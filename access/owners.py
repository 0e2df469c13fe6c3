"""That somebody can always let others in: the last owner cannot be removed."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from access.models import Grant, Membership, Role, User
from access.scopes import EVERYTHING, Scope

# Two owners who remove each other at the same moment must not both succeed.
_LOCK = 0x706F7274


def makes_owner(role: Role, scope: Scope) -> bool:
    """Whether a grant of this role there is one that owners are made of."""
    return role.name == "owner" and scope == EVERYTHING


def owner_ids() -> set[int]:
    """Active people who own everything, with no end in sight: by flag, by grant or by team."""
    return set(_owners().values_list("pk", flat=True))


def lock() -> None:
    """Take turns with other changes that may remove an owner; until the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def require_one() -> None:
    """After a change, inside its transaction and under the lock: raises ValidationError if nobody
    is left who owns everything."""
    if not _owners().exists():
        raise ValidationError(
            _("This would remove the last owner. Make somebody else Owner of everything first.")
        )


def _owners() -> QuerySet[User]:
    lasting = Grant.objects.filter(role__name="owner", registry__isnull=True, until__isnull=True)
    members = Membership.objects.filter(team__in=lasting.filter(team__isnull=False).values("team"))
    return User.objects.filter(is_active=True).filter(
        Q(is_superuser=True)
        | Q(pk__in=lasting.filter(user__isnull=False).values("user"))
        | Q(pk__in=members.values("user"))
    )
