"""`/repositories` and `/registries/<registry>/repositories`: what there is, by path."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.policy import visible_repositories
from access.shortcuts import get_registry_or_404, get_repository_or_404
from access.sight import visible_in
from dashboard.api.bodies import FilterField, Row
from dashboard.api.catalog.changes import (
    PLAN_EXAMPLE,
    DeleteRepositoryQuery,
    answer_deleted,
    answer_plan,
    delete_responses,
    require_offered,
)
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.problems import InvalidParameter
from dashboard.api.resources import Resource
from dashboard.browse.repositories import COLUMNS, COLUMNS_ANYWHERE, few_of
from registries.changing.consequences import Consequences
from registries.changing.deleting import delete_repository
from registries.changing.locking import names
from registries.connectors import Ability
from registries.models import Registry
from registries.models.registry import RepositoryQuerySet
from registries.oci.outlines import Lock

_EXAMPLE = {
    "registry": "prod",
    "path": "shop/app",
    "namespace": "shop",
    "tags": 118,
    "artifacts": 240,
    "bytes": 912880311,
    "logical_bytes": 5120880311,
    "pushed_at": "2026-11-26T08:01:12Z",
    "pulled_at": "2026-11-26T08:14:58Z",
    "pull_count": None,
    "first_seen_at": "2026-10-01T06:00:00Z",
    "verified_at": "2026-11-26T08:14:59Z",
    "missing_since": None,
    "locks": [],
}
_PAGE_EXAMPLE = lists("One repository", _EXAMPLE)


class LocksField(serializers.ListField):
    """What a registry refuses to do with something, as words of a program."""

    def __init__(self, **kwargs: Any) -> None:
        about = "What the registry refuses: `delete`, `write`, `read`, `list`."
        super().__init__(child=serializers.CharField(), help_text=about, **kwargs)

    def to_representation(self, data: Any) -> list[str]:
        return list(names(data))


class RepositoryRow(Row):
    """A repository, with the counters that its syncs keep."""

    registry = serializers.CharField(source="registry.name")
    path = serializers.CharField()
    namespace = serializers.CharField(help_text="All of the path but its last part.")
    tags = serializers.IntegerField(source="tag_count")
    artifacts = serializers.IntegerField(source="artifact_count")
    bytes = serializers.IntegerField(
        source="unique_bytes", help_text="Compressed, every blob counted once."
    )
    logical_bytes = serializers.IntegerField(help_text="Compressed, every image in full.")
    pushed_at = serializers.DateTimeField(allow_null=True)
    pulled_at = serializers.DateTimeField(allow_null=True)
    pull_count = serializers.IntegerField(
        allow_null=True, help_text="As the registry counts; null where it does not."
    )
    first_seen_at = serializers.DateTimeField()
    verified_at = serializers.DateTimeField(
        allow_null=True, help_text="When its tags were last read completely."
    )
    missing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when the registry does not have it any more."
    )
    locks = LocksField()


class AnywhereQuery(PageQuery):
    registry = FilterField(help_text="Only those of this registry.")
    namespace = FilterField(help_text="Only those below this namespace, at any depth.")
    q = FilterField(help_text="Only those whose path contains this.")
    sort = sorts(COLUMNS_ANYWHERE)


class RepositoryQuery(PageQuery):
    namespace = FilterField(help_text="Only those below this namespace, at any depth.")
    q = FilterField(help_text="Only those whose path contains this.")
    sort = sorts(COLUMNS)


class RepositoriesAnywhere(Resource):
    @extend_schema(
        operation_id="list_all_repositories",
        tags=["repositories"],
        summary="List repositories of all registries",
        parameters=[AnywhereQuery],
        responses=page_of(RepositoryRow),
        examples=[_PAGE_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """Those that the caller may know of, by path; sorted by date or size they are listed
        within a registry."""
        query = AnywhereQuery.read(request)
        seen = visible_repositories(self.caller.somebody)
        if name := query["registry"]:
            registry = get_registry_or_404(self.caller.somebody, name)
            seen = visible_in(self.caller.somebody, registry)
        named = Prefetch("registry", queryset=Registry.objects.only("name"))
        rows = _filtered(seen, query).prefetch_related(named)
        page = turn_page(request, rows, query, COLUMNS_ANYWHERE)
        return answer_page(request, page, query, RepositoryRow)


class Repositories(Resource):
    @extend_schema(
        operation_id="list_repositories",
        tags=["repositories"],
        summary="List a registry's repositories",
        parameters=[RepositoryQuery],
        responses=page_of(RepositoryRow),
        examples=[_PAGE_EXAMPLE],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Those that the caller may know of."""
        found = get_registry_or_404(self.caller.somebody, registry)
        query = RepositoryQuery.read(request)
        rows = _filtered(visible_in(self.caller.somebody, found), query)
        page = turn_page(request, rows, query, COLUMNS)
        for row in page.rows:
            row.registry = found
        return answer_page(request, page, query, RepositoryRow)


class OneRepository(Resource):
    @extend_schema(
        operation_id="show_repository",
        tags=["repositories"],
        summary="Show a repository",
        responses=RepositoryRow,
        examples=[shows("A repository", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """One repository, also one that the registry does not have any more. Needs `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        return answer_one(request, RepositoryRow(found).data)

    @extend_schema(
        operation_id="delete_repository",
        tags=["repositories"],
        summary="Delete a repository",
        parameters=[DeleteRepositoryQuery],
        responses=delete_responses(),
        examples=[
            shows("A dry run", PLAN_EXAMPLE | {"tags": [], "tag_count": 118, "manifests": 240})
        ],
    )
    def delete(self, request: Request, registry: str, repository: str) -> Response:
        """Deletes it at the registry with everything it holds, for good: `confirm` has to name it
        once more. What Portolan knew of it stays to be read. Needs `content delete`."""
        found = get_repository_or_404(
            self.caller.somebody, registry, repository, Action.CONTENT_DELETE
        )
        query = DeleteRepositoryQuery.read(request)
        if query["dry_run"]:
            locked = ("",) if found.locks & Lock.DELETE else ()
            with_it = Consequences(tag_count=found.tag_count, locked=locked)
            return answer_plan(
                found, Ability.DELETE_REPOSITORY, with_it, manifests=found.artifact_count
            )
        require_match(request, RepositoryRow(found).data)
        require_offered(found, Ability.DELETE_REPOSITORY)
        if query["confirm"] != found.path:
            raise InvalidParameter("confirm", _("Name the repository’s path here to confirm."))
        return answer_deleted(delete_repository(repository=found, actor=self.caller.actor))


def _filtered(repositories: RepositoryQuerySet, query: PageQuery) -> RepositoryQuerySet:
    found = repositories.present().under(query["namespace"] or "")
    if not query["q"]:
        return found
    rows, _count = few_of(found.matching(query["q"]))
    return rows
