"""Deleting at a registry: what would go is told first (`dry_run`), then it is done and audited.

The registry does it or refuses; nothing here is undone, and nothing is deleted but what was seen.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from dashboard.api.bodies import Query, Row
from dashboard.api.callers import Caller
from dashboard.api.problems import MEDIA_TYPE, Code, Problem, ProblemSerializer
from dashboard.browse.siblings import chosen_tags
from registries.changing.consequences import NAMED, Consequences
from registries.changing.deleting import abilities_of, untag
from registries.changing.outcomes import Outcome
from registries.connectors import CONNECTORS, Ability
from registries.models import Repository, Tag
from registries.oci.outlines import Lock

# What a registry that is asked for a change may come back with, for `responses`.
FAILED = {
    (HTTPStatus.BAD_GATEWAY.value, MEDIA_TYPE): OpenApiResponse(
        ProblemSerializer, description="The registry refused, or did not answer."
    )
}
# What would go with a tag, told by a dry run.
PLAN_EXAMPLE = {
    "is_offered": True,
    "tags": ["1.4.2"],
    "tag_count": 1,
    "manifests": 0,
    "indexes": [],
    "referrers": [],
    "platforms": 0,
    "locked": [],
    "seen": "",
}


class DryRunQuery(Query):
    dry_run = serializers.BooleanField(
        default=False, help_text="Only tell what would go; nothing is changed."
    )


class DeleteTagQuery(DryRunQuery):
    digest = serializers.CharField(
        required=False,
        max_length=200,
        help_text="What it pointed at when you looked; if it points elsewhere by now, it stays."
        " Without this, what Portolan knows that it points at.",
    )


class DeleteManifestQuery(DryRunQuery):
    seen_tags = serializers.IntegerField(
        min_value=0,
        default=0,
        help_text="How many tags you know to go with it; with more or fewer it stays, and so it does"
        " if the registry has more than Portolan knows.",
    )
    seen = serializers.CharField(
        required=False,
        max_length=100,
        help_text="What a dry run told as `seen`: with other tags or indexes than those it stays."
        " Without this only their number is compared, and any index may break if one may.",
    )
    breaks_indexes = serializers.BooleanField(
        default=False,
        help_text="Delete it although an index holds it, which then lacks a platform.",
    )


class DeleteRepositoryQuery(DryRunQuery):
    confirm = serializers.CharField(
        required=False, help_text="The repository's path once more: this cannot be undone."
    )


class ConsequencesRow(Row):
    """What would go, as far as Portolan knows."""

    is_offered = serializers.BooleanField(
        help_text="Whether registries of this kind delete such a thing at all."
    )
    tags = serializers.ListField(
        child=serializers.CharField(), help_text=f"Those that go with it; the first {NAMED}."
    )
    tag_count = serializers.IntegerField()
    manifests = serializers.IntegerField(help_text="How many manifests go with it.")
    indexes = serializers.ListField(
        child=serializers.CharField(), help_text="Digests of indexes that would lack a platform."
    )
    referrers = serializers.ListField(
        child=serializers.CharField(),
        help_text="Digests of signatures and the like that are about it, and may be left behind.",
    )
    platforms = serializers.IntegerField(
        help_text="Of an index: how many manifests stay without it."
    )
    locked = serializers.ListField(
        child=serializers.CharField(),
        help_text="What forbids it: tags, `@` for the image, `/` for the repository.",
    )
    seen = serializers.CharField(
        help_text="Of a manifest: what stands for exactly these tags and indexes, to be sent as"
        " `seen` when it is deleted. Else empty."
    )


# For the resources whose DELETE it is --------------------------------------------------------------


def require_offered(repository: Repository, ability: Ability) -> None:
    """Raises Problem (422) where registries of this kind do not do that."""
    if ability not in abilities_of(repository.registry):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            Code.NOT_OFFERED,
            _("Registries of this kind do not offer that."),
        )


def require_done(outcome: Outcome) -> None:
    """Raises Problem for a refusal, and for a name that stands for something else by now."""
    detail = f"{outcome.problem} {outcome.advice}".strip()
    if outcome.is_other:
        raise Problem(HTTPStatus.CONFLICT, Code.CONFLICT, detail)
    if not outcome.is_done:
        raise Problem(HTTPStatus.BAD_GATEWAY, Code.REGISTRY_FAILED, detail)


def answer_deleted(outcome: Outcome) -> Response:
    """204 for what is gone, 202 for what the registry took the order for and still shows; raises
    Problem as above."""
    require_done(outcome)
    return Response(status=HTTPStatus.ACCEPTED if outcome.lingers else HTTPStatus.NO_CONTENT)


def delete_tag(repository: Repository, tag: Tag, query: Query, caller: Caller) -> Response:
    """Take one tag away, or tell what would go."""
    digest = query["digest"] or tag.artifact.manifest.digest
    if query["dry_run"]:
        (found,) = chosen_tags(repository, [tag.name])
        last_tag_holds = CONNECTORS[repository.registry.kind].last_tag_holds
        siblings: int = found.siblings  # type: ignore[attr-defined]  # by chosen_tags
        locked = [tag.name] if tag.locks & Lock.DELETE else []
        is_last = last_tag_holds and not siblings
        with_it = Consequences(tags=(tag.name,), tag_count=1, locked=tuple(locked))
        return answer_plan(repository, Ability.DELETE_TAG, with_it, manifests=int(is_last))
    require_offered(repository, Ability.DELETE_TAG)
    (outcome,) = untag(repository=repository, seen={tag.name: digest}, actor=caller.actor)
    return answer_deleted(outcome)


def answer_plan(
    repository: Repository,
    ability: Ability,
    with_it: Consequences,
    *,
    manifests: int,
    seen: str = "",
) -> Response:
    """What would go, for a dry run."""
    shown = {
        "is_offered": ability in abilities_of(repository.registry),
        "tags": with_it.tags,
        "tag_count": with_it.tag_count,
        "manifests": manifests,
        "indexes": with_it.indexes,
        "referrers": with_it.referrers,
        "platforms": with_it.platforms,
        "locked": [name or "/" for name in with_it.locked],
        "seen": seen,
    }
    return Response(ConsequencesRow(shown).data)


def delete_responses() -> dict[Any, Any]:
    """What a DELETE here may answer, for `responses`."""
    return {
        200: OpenApiResponse(ConsequencesRow, description="Of a dry run: what would go."),
        202: OpenApiResponse(description="The registry took the order, and still shows it."),
        204: OpenApiResponse(description="It is gone."),
    } | FAILED
