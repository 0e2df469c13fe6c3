"""People and machines, what they may do, and what was done."""

from access.models.credentials import Credential
from access.models.kept_answers import KeptAnswer
from access.models.machines import (
    AdminAccount,
    Secret,
    ServicePrincipal,
    SpentToken,
    TrustRule,
)
from access.models.people import ClaimRule, Membership, Team, User
from access.models.reviews import AccessRequest, AccessReview, ReviewItem
from access.models.roles import Grant, Role
from access.models.signing import SigningKey
from access.models.trail import AuditEntry, TokenLogEntry, Use

__all__ = [
    "AccessRequest",
    "AccessReview",
    "AdminAccount",
    "AuditEntry",
    "ClaimRule",
    "Credential",
    "Grant",
    "KeptAnswer",
    "Membership",
    "ReviewItem",
    "Role",
    "Secret",
    "ServicePrincipal",
    "SigningKey",
    "SpentToken",
    "Team",
    "TokenLogEntry",
    "TrustRule",
    "Use",
    "User",
]
