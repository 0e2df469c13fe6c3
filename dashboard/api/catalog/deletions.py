"""`…/-/deletions`: many tags taken away at once, each told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import Body, Row
from dashboard.api.catalog.changes import require_offered
from dashboard.api.examples import DIGEST, sends, shows
from dashboard.api.resources import Resource
from dashboard.browse.siblings import chosen_tags
from registries.changing.deleting import MOST_TAGS, abilities_of, untag
from registries.changing.outcomes import Outcome
from registries.connectors import CONNECTORS, Ability
from registries.models import Repository, Tag
from registries.oci.outlines import Lock
from registries.oci.reference import is_digest, is_tag

STATES = ("planned", "deleted", "was_gone", "still_shown", "refused", "moved")


class OutcomeRow(Row):
    """What becomes of a tag."""

    tag = serializers.CharField()
    digest = serializers.CharField()
    state = serializers.ChoiceField(
        choices=STATES,
        help_text="`planned` is what a dry run says, `was_gone` says that the registry did not have"
        " it, `still_shown` that it took the order and shows it still, `moved` that it points"
        " elsewhere by now and stays.",
    )
    detail = serializers.CharField(help_text="Why it was not done; empty if it was.")
    keeps_image = serializers.BooleanField(
        allow_null=True, help_text="Of a dry run: whether the image stays, tagged or not."
    )


class OutcomesRow(Row):
    """What becomes of each tag, in the order in which they were sent."""

    is_offered = serializers.BooleanField(
        help_text="Whether registries of this kind take a tag away and leave its image."
    )
    tags = OutcomeRow(many=True)


class SeenTagBody(Body):
    tag = serializers.CharField(max_length=128)
    digest = serializers.CharField(
        max_length=200, help_text="What it pointed at when you looked; a tag that moved stays."
    )

    def validate_tag(self, value: str) -> str:
        if not is_tag(value):
            raise serializers.ValidationError(_("This is not the name of a tag."))
        return value

    def validate_digest(self, value: str) -> str:
        if not is_digest(value):
            raise serializers.ValidationError(_("This is not a digest."))
        return value


class DeletionBody(Body):
    tags = serializers.ListField(child=SeenTagBody(), min_length=1, max_length=MOST_TAGS)
    dry_run = serializers.BooleanField(default=False, help_text="Only tell what would go.")


class Deletions(Resource):
    @extend_schema(
        operation_id="delete_tags",
        tags=["tags"],
        summary="Take tags away",
        request=DeletionBody,
        responses={200: OutcomesRow},
        examples=[
            sends(
                "Two tags",
                {"tags": [{"tag": "1.0", "digest": DIGEST}, {"tag": "1.1", "digest": DIGEST}]},
            ),
            shows(
                "One went",
                {
                    "is_offered": True,
                    "tags": [
                        {
                            "tag": "1.0",
                            "digest": DIGEST,
                            "state": "deleted",
                            "detail": "",
                            "keeps_image": None,
                        },
                        {
                            "tag": "1.1",
                            "digest": DIGEST,
                            "state": "refused",
                            "detail": "The registry does not let this account delete it.",
                            "keeps_image": None,
                        },
                    ],
                },
            ),
        ],
    )
    def post(self, request: Request, registry: str, repository: str) -> Response:
        """Takes tags away that still point at what was seen, and tells of each what came of it.
        Needs `content delete`."""
        found = get_repository_or_404(
            self.caller.somebody, registry, repository, Action.CONTENT_DELETE
        )
        body = DeletionBody.read(request)
        seen = {one["tag"]: one["digest"] for one in body["tags"]}
        is_offered = Ability.DELETE_TAG in abilities_of(found.registry)
        if body["dry_run"]:
            rows = _planned(found, seen)
        else:
            require_offered(found, Ability.DELETE_TAG)
            outcomes = untag(repository=found, seen=seen, actor=self.caller.actor)
            rows = [outcome_row(one, seen[one.name]) for one in outcomes]
        return Response(OutcomesRow({"is_offered": is_offered, "tags": rows}).data)


def outcome_row(outcome: Outcome, digest: str) -> dict[str, Any]:
    """What came of one tag, for `OutcomeRow`."""
    state = (
        ("moved" if outcome.is_other else "refused")
        if not outcome.is_done
        else "still_shown"
        if outcome.lingers
        else "was_gone"
        if outcome.was_gone
        else "deleted"
    )
    detail = f"{outcome.problem} {outcome.advice}".strip()
    return _row(outcome.name, digest, state, detail)


def _planned(repository: Repository, seen: Mapping[str, str]) -> list[dict[str, Any]]:
    tags = {tag.name: tag for tag in chosen_tags(repository, seen)}
    last_tag_holds = CONNECTORS[repository.registry.kind].last_tag_holds
    return [
        _as_planned(tags.get(name), name, digest, last_tag_holds=last_tag_holds)
        for name, digest in seen.items()
    ]


def _as_planned(tag: Tag | None, name: str, digest: str, *, last_tag_holds: bool) -> dict[str, Any]:
    if tag is None:
        return _row(name, digest, "was_gone", _("There is no tag of this name in the repository."))
    if tag.artifact.manifest.digest != digest:
        return _row(name, digest, "moved", _("It points at another image by now."))
    siblings: int = tag.siblings  # type: ignore[attr-defined]  # by chosen_tags
    keeps = bool(siblings) or not last_tag_holds
    locked = _("A lock forbids it.") if tag.locks & Lock.DELETE else ""
    return _row(name, digest, "planned", locked, keeps_image=keeps)


def _row(
    tag: str, digest: str, state: str, detail: str, *, keeps_image: bool | None = None
) -> dict[str, Any]:
    return {
        "tag": tag,
        "digest": digest,
        "state": state,
        "detail": detail,
        "keeps_image": keeps_image,
    }
