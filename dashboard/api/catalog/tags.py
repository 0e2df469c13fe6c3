"""`…/repositories/<path>/-/tags`: the names in a repository, and what each points at now."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import FilterField, Row
from dashboard.api.catalog.changes import PLAN_EXAMPLE, DeleteTagQuery, delete_responses, delete_tag
from dashboard.api.catalog.repositories import LocksField
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import DIGEST, lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.images import get_tag_or_404
from dashboard.browse.tags import TAG_COLUMNS, put_aliases
from registries.documents import is_listed_only
from registries.models import Manifest, Repository, Tag

EXAMPLE = {
    "name": "1.4.2",
    "digest": DIGEST,
    "kind": "index",
    "platforms": ["linux/amd64", "linux/arm64/v8"],
    "size": 61200311,
    "dated_at": "2026-11-26T08:01:12Z",
    "dated_by": "pushed",
    "first_seen_at": "2026-11-26T08:02:00Z",
    "pulled_at": "2026-11-26T08:14:58Z",
    "pull_count": 41,
    "aliases": 1,
    "locks": [],
    "is_listed_only": False,
}


class TagRow(Row):
    """A tag, with the little of its image that lists show."""

    name = serializers.CharField()
    digest = serializers.CharField(source="artifact.manifest.digest")
    kind = serializers.ChoiceField(
        source="artifact.manifest.kind", choices=[kind.value for kind in Manifest.Kind]
    )
    platforms = serializers.SerializerMethodField(help_text="As os/architecture/variant.")
    size = serializers.IntegerField(help_text="Compressed bytes; of an index, of all platforms.")
    dated_at = serializers.DateTimeField(help_text="The best date that is known.")
    dated_by = serializers.ChoiceField(
        choices=[by.value for by in Tag.DatedBy], help_text="What that date is."
    )
    first_seen_at = serializers.DateTimeField()
    pulled_at = serializers.DateTimeField(allow_null=True)
    pull_count = serializers.IntegerField(help_text="Pulls by this name that Portolan heard of.")
    aliases = serializers.IntegerField(help_text="How many other tags point at the same.")
    locks = LocksField()
    is_listed_only = serializers.SerializerMethodField(
        help_text="Whether only the registry's listing has described what it points at."
    )

    def get_platforms(self, tag: Tag) -> list[str]:
        manifest = tag.artifact.manifest
        return manifest.platforms or [manifest.platform] * bool(manifest.platform)

    def get_is_listed_only(self, tag: Tag) -> bool:
        return is_listed_only(tag.artifact)


class TagQuery(PageQuery):
    q = FilterField(help_text="Only those whose name contains this.")
    show = serializers.ChoiceField(
        choices=["people", "all"],
        default="people",
        help_text="`all` has those too that only hang a signature or the like on an image.",
    )
    sort = sorts(TAG_COLUMNS)


class Tags(Resource):
    @extend_schema(
        operation_id="list_tags",
        tags=["tags"],
        summary="List a repository's tags",
        parameters=[TagQuery],
        responses=page_of(TagRow),
        examples=[lists("One tag", EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """Newest first. Needs `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        query = TagQuery.read(request)
        tags = found.tags.all() if query["show"] == "all" else found.tags.for_people()
        rows = tags.containing(query["q"] or "").as_rows()
        page = turn_page(request, rows, query, TAG_COLUMNS)
        put_aliases(found, page.rows)
        return answer_page(request, page, query, TagRow)


class OneTag(Resource):
    @extend_schema(
        operation_id="show_tag",
        tags=["tags"],
        summary="Show a tag",
        responses=TagRow,
        examples=[shows("A tag", EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str, tag: str) -> Response:
        """What a tag points at now; `…/-/manifests/{digest}` has all of that. Needs
        `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        return answer_one(request, shown(found, get_tag_or_404(found, tag)))

    @extend_schema(
        operation_id="delete_tag",
        tags=["tags"],
        summary="Take a tag away",
        parameters=[DeleteTagQuery],
        responses=delete_responses(),
        examples=[shows("A dry run", PLAN_EXAMPLE)],
    )
    def delete(self, request: Request, registry: str, repository: str, tag: str) -> Response:
        """Takes the name away and leaves what it points at, unless registries of this kind delete
        what has no name (`dry_run` tells). Needs `content delete`."""
        found = get_repository_or_404(
            self.caller.somebody, registry, repository, Action.CONTENT_DELETE
        )
        query = DeleteTagQuery.read(request)
        named = get_tag_or_404(found, tag)
        require_match(request, shown(found, named))
        return delete_tag(found, named, query, self.caller)


def shown(repository: Repository, tag: Tag) -> Any:
    """A tag as it is shown alone."""
    put_aliases(repository, [tag])
    return TagRow(tag).data
