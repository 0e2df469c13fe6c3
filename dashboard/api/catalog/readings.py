"""`…/-/manifests/<digest>/readings`: having read what only a listing has described."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import Row
from dashboard.api.catalog.images import (
    ABOUT_DETAILS,
    DETAILS,
)
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource
from dashboard.browse.images import get_artifact_or_404
from dashboard.runs.start import start_reading
from registries.documents import is_listed_only, what_went_wrong
from registries.models import Artifact


class ReadingRow(Row):
    """How far the reading of a manifest is."""

    details = serializers.ChoiceField(choices=DETAILS, help_text=ABOUT_DETAILS)
    problem = serializers.CharField(help_text="Why the last try failed; empty if it did not.")


class Readings(Resource):
    @extend_schema(
        operation_id="read_manifest",
        tags=["manifests"],
        summary="Have a manifest read",
        request=None,
        responses={202: ReadingRow},
        examples=[shows("Under way", {"details": "listed", "problem": ""})],
    )
    def post(self, request: Request, registry: str, repository: str, digest: str) -> Response:  # noqa: ARG002  see Resource
        """Has a worker read the document of a manifest that only the registry's listing described,
        and what it refers to; one that has been read stays as it is. Ask `GET` on this address how
        far it is. Needs `content read`."""
        artifact = self._artifact(registry, repository, digest)
        if is_listed_only(artifact):
            start_reading(artifact, actor=self.caller.actor)
        return Response(_reading(artifact), status=HTTPStatus.ACCEPTED)

    @extend_schema(
        operation_id="show_manifest_reading",
        tags=["manifests"],
        summary="Show how far a manifest's reading is",
        responses=ReadingRow,
        examples=[shows("It was read", {"details": "complete", "problem": ""})],
    )
    def get(self, request: Request, registry: str, repository: str, digest: str) -> Response:
        """`details` tells; with a `problem` it was given up, and may be asked for again. Needs
        `content read`."""
        return answer_one(request, _reading(self._artifact(registry, repository, digest)))

    def _artifact(self, registry: str, repository: str, digest: str) -> Artifact:
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        artifact = get_artifact_or_404(found, digest)
        artifact.repository = found
        return artifact


def _reading(artifact: Artifact) -> Any:
    problem = what_went_wrong(artifact) if is_listed_only(artifact) else ""
    return ReadingRow({"details": artifact.details, "problem": problem}).data
