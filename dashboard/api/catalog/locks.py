"""`…/repositories/<path>/-/locks`: what the registry refuses to do, of a repository, tag or image."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import Body, FilterField, Query, Row
from dashboard.api.catalog.changes import FAILED, require_done, require_offered
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import sends, shows
from dashboard.api.problems import InvalidParameter
from dashboard.api.resources import Resource
from dashboard.browse.images import get_artifact_or_404, get_tag_or_404
from registries.changing.deleting import abilities_of
from registries.changing.locking import look, set_locks
from registries.connectors import Ability
from registries.models import Artifact, Repository, Tag
from registries.oci.outlines import Lock

_LOCKS = {"delete": Lock.DELETE, "write": Lock.WRITE, "read": Lock.READ, "list": Lock.LIST}
_EXAMPLE = {"delete": True, "write": True, "read": False, "list": False, "is_offered": True}


class LocksRow(Row):
    """What is refused now."""

    delete = serializers.BooleanField(help_text="To delete it.")
    write = serializers.BooleanField(help_text="To push over it.")
    read = serializers.BooleanField(help_text="To pull it.")
    list = serializers.BooleanField(help_text="To name it in lists.")
    is_offered = serializers.BooleanField(help_text="Whether registries of this kind have locks.")


class LocksBody(Body):
    delete = serializers.BooleanField(required=False)
    write = serializers.BooleanField(required=False)
    read_ = serializers.BooleanField(required=False)
    list = serializers.BooleanField(required=False)


class LocksQuery(Query):
    tag = FilterField(help_text="Of this tag, not of the whole repository.")
    digest = FilterField(help_text="Of this image, not of the whole repository.")


class Locks(Resource):
    @extend_schema(
        operation_id="show_locks",
        tags=["locks"],
        summary="Show locks",
        parameters=[LocksQuery],
        responses=LocksRow,
        examples=[shows("A release", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """Of the repository, or of a tag or image in it. Those of a repository are asked of the
        registry. Needs `metadata write`."""
        what = self._what(request, registry, repository)
        return answer_one(request, _shown(what))

    @extend_schema(
        operation_id="change_locks",
        tags=["locks"],
        summary="Lock and unlock",
        parameters=[LocksQuery],
        request=LocksBody,
        responses={200: LocksRow} | FAILED,
        examples=[
            sends("Keep it", {"delete": True, "write": True}),
            shows("A release", _EXAMPLE),
        ],
    )
    def patch(self, request: Request, registry: str, repository: str) -> Response:
        """Locks that are not named stay as they are. Needs `metadata write`."""
        what = self._what(request, registry, repository)
        chosen = LocksBody.read(request, partial=True)
        require_match(request, _shown(what))
        require_offered(_repository_of(what), Ability.LOCKS)
        wanted = {name: bool(what.locks & lock) for name, lock in _LOCKS.items()} | chosen
        locks = reduce(or_, (_LOCKS[name] for name, on in wanted.items() if on), Lock.NONE)
        require_done(set_locks(what=what, locks=locks, actor=self.caller.actor))
        return Response(_shown(what))

    def _what(self, request: Request, registry: str, path: str) -> Repository | Artifact | Tag:
        """What is asked about, with the locks that it has now."""
        found = get_repository_or_404(self.caller.somebody, registry, path, Action.METADATA_WRITE)
        query = LocksQuery.read(request)
        tag, digest = query["tag"], query["digest"]
        if tag and digest:
            raise InvalidParameter("digest", _("Give “tag” or “digest”, not both."))
        if not tag and not digest:
            if Ability.LOCKS in abilities_of(found.registry):
                look(found)
            return found
        what: Artifact | Tag = (
            get_tag_or_404(found, tag) if tag else get_artifact_or_404(found, digest)
        )
        what.repository = found
        return what


def _repository_of(what: Repository | Artifact | Tag) -> Repository:
    return what if isinstance(what, Repository) else what.repository


def _shown(what: Repository | Artifact | Tag) -> Any:
    shown = {name: bool(what.locks & lock) for name, lock in _LOCKS.items()}
    shown["is_offered"] = Ability.LOCKS in abilities_of(_repository_of(what).registry)
    return LocksRow(shown).data
