"""How boards are shown: tags and repositories of two places side by side, and their sums."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dashboard.api.bodies import Row
from dashboard.api.examples import shows
from registries.mirroring.board import State

STATES = [state.value for state in State]
COUNTS = dict.fromkeys(STATES, 0) | {"same": 118, "behind": 2, "missing": 1}
TAG_EXAMPLE = {
    "repository": "nginx",
    "source_path": "library/nginx",
    "target_path": "mirror/hub/nginx",
    "tag": "1.27",
    "state": "behind",
    "since": "2026-11-26T06:10:00Z",
    "source_digest": "sha256:1d0b5c0f7a4b9c6f4c31c9a1d1dd9f4d3a2f8f3f6e0c5b7a8d9e0f1a2b3c4d5e",
    "target_digest": "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
REPOSITORY_EXAMPLE = {
    "repository": "nginx",
    "source_path": "library/nginx",
    "target_path": "mirror/hub/nginx",
    "in_source": True,
    "in_target": True,
    "is_read": True,
    "counts": COUNTS,
}


class StateCountsRow(Row):
    """Tags by how they stand in the target."""

    missing = serializers.IntegerField(help_text="Not in the target.")
    behind = serializers.IntegerField(help_text="The target still has what the source had before.")
    platform = serializers.IntegerField(help_text="The target has one platform of it only.")
    different = serializers.IntegerField(help_text="Neither had the other's before.")
    ahead = serializers.IntegerField(help_text="The source still has what the target had before.")
    extra = serializers.IntegerField(help_text="Only in the target.")
    same = serializers.IntegerField()


class _PlaceRow(Row):
    """A pair of repositories."""

    repository = serializers.CharField(
        source="row.rest", help_text="What both paths share; empty for two exact ones."
    )
    source_path = serializers.CharField()
    target_path = serializers.CharField()


class MirroredTagRow(_PlaceRow):
    """A tag of a pair of repositories; a digest is empty where that side has no such tag."""

    tag = serializers.CharField(source="row.name")
    state = serializers.ChoiceField(source="row.state", choices=STATES)
    since = serializers.DateTimeField(
        source="row.since", allow_null=True, help_text="Null where nobody saw that."
    )
    source_digest = serializers.CharField(source="row.source_digest")
    target_digest = serializers.CharField(source="row.target_digest")


class MirroredRepositoryRow(_PlaceRow):
    """A pair of repositories with its tags by state; either side may have none."""

    in_source = serializers.BooleanField(source="row.in_source")
    in_target = serializers.BooleanField(source="row.in_target")
    is_read = serializers.BooleanField(
        source="row.is_read", help_text="Whether the tags of both were read completely once."
    )
    counts = StateCountsRow(source="row.counts")


class _BoardPage(serializers.Serializer[Any]):
    next = serializers.CharField(
        allow_null=True, help_text="Cursor for `after`; null on the last page of this part."
    )
    previous = serializers.CharField(allow_null=True, help_text="Cursor for `before`.")
    counts = StateCountsRow(help_text="Of all tags of this part.")
    repositories = serializers.IntegerField(help_text="Pairs of repositories in this part.")
    next_part = serializers.CharField(
        allow_null=True,
        help_text="For `part`: a large board is compared in parts; null on the last.",
    )


class MirroredTagPage(_BoardPage):
    items = MirroredTagRow(many=True)


class MirroredRepositoryPage(_BoardPage):
    items = MirroredRepositoryRow(many=True)


class MirrorHealthRow(Row):
    """How a mirror stands as a whole, or as far as it was looked at."""

    counts = StateCountsRow()
    total = serializers.IntegerField(help_text="Tags compared.")
    lacking = serializers.IntegerField(
        help_text="Tags of the source that the target does not have as they are."
    )
    repositories = serializers.IntegerField()
    is_whole = serializers.BooleanField(help_text="False where only its beginning was looked at.")


TAGS_SHOWN = shows(
    "One is behind",
    {
        "items": [TAG_EXAMPLE],
        "next": None,
        "previous": None,
        "counts": COUNTS,
        "repositories": 1,
        "next_part": None,
    },
)
REPOSITORIES_SHOWN = shows(
    "One of them",
    {
        "items": [REPOSITORY_EXAMPLE],
        "next": None,
        "previous": None,
        "counts": COUNTS,
        "repositories": 1,
        "next_part": None,
    },
)
