"""How tags moved: what histories are sorted by, and the history of one tag."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from dashboard.pagination import Column
from registries.models import Repository, Tag, TagMove

COLUMNS = {"date": Column(F("at"), datetime, descending_first=True)}


def history_or_404(repository: Repository, tag: str) -> tuple[Tag | None, QuerySet[TagMove]]:
    """What a tag points at now, None if it is gone, and its moves as far as Portolan saw."""
    current = repository.tags.filter(name=tag).with_manifests().first()
    moves = repository.tag_moves.filter(tag=tag)
    if current is None and not moves.exists():
        raise Http404(_("There is no tag of this name in the repository."))
    return current, moves
