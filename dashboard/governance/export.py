"""The governance that is there, as a document: registries without secrets, people by name alone."""

from __future__ import annotations

from access.models import User
from access.policy import Rights
from dashboard.governance import state
from dashboard.governance.document import Document


def export(rights: Rights, user: User | None = None) -> Document:
    """What who has these rights may manage; of whole sections that he has nothing to do with, the
    document says nothing. `user` is the person, who sees his own teams; None for tokens and shells.
    """
    return state.read(rights, user).document()
