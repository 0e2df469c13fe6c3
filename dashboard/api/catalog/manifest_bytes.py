"""`…/-/manifests/<digest>/raw`: the very bytes."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_repository_or_404
from dashboard.api.examples import LAYER_DIGEST, OLD_DIGEST, shows
from dashboard.api.rendering import OwnType
from dashboard.api.resources import Resource
from dashboard.browse.images import get_artifact_or_404
from registries.documents import is_listed_only
from registries.models import Manifest
from registries.oci import mediatypes

_TYPES = (*sorted(mediatypes.INDEX_TYPES | mediatypes.MANIFEST_TYPES), "application/octet-stream")


class RawManifest(Resource):
    content_negotiation_class = OwnType

    @extend_schema(
        operation_id="download_manifest",
        tags=["manifests"],
        summary="Download a manifest's bytes",
        parameters=[
            OpenApiParameter(
                name, str, OpenApiParameter.HEADER, response=[200], description=description
            )
            for name, description in (
                ("ETag", "The digest."),
                ("Docker-Content-Digest", "The digest, as registries tell it."),
            )
        ],
        responses={(200, name): OpenApiTypes.ANY for name in _TYPES}
        | {304: OpenApiResponse(description=HTTPStatus.NOT_MODIFIED.phrase)},
        examples=[
            shows(
                "An image",
                {
                    "schemaVersion": 2,
                    "mediaType": mediatypes.OCI_MANIFEST,
                    "config": {
                        "mediaType": "application/vnd.oci.image.config.v1+json",
                        "digest": OLD_DIGEST,
                        "size": 2310,
                    },
                    "layers": [
                        {
                            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                            "digest": LAYER_DIGEST,
                            "size": 28231321,
                        }
                    ],
                },
                media_type=mediatypes.OCI_MANIFEST,
            )
        ],
    )
    def get(
        self, request: Request, registry: str, repository: str, digest: str
    ) -> HttpResponse | Response:
        """The very bytes whose hash is the digest, with the media type that they were pushed with:
        mostly one of those below. `404` while only a listing has described it. Needs
        `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        artifact = get_artifact_or_404(found, digest)
        if is_listed_only(artifact):
            raise Http404(
                _("Only the registry's listing has described it: there are no bytes to give.")
            )
        manifest, etag = artifact.manifest, f'"{digest}"'
        fresh = HttpResponse(
            manifest.document,
            content_type=_type_of(manifest),
            headers={
                "Content-Disposition": f'attachment; filename="{digest.replace(":", "-")}.json"',
                "Docker-Content-Digest": digest,
                "ETag": etag,
                "X-Content-Type-Options": "nosniff",
            },
        )
        http = cast("HttpRequest", request)
        return get_conditional_response(http, etag=etag, response=fresh) or fresh


def _type_of(manifest: Manifest) -> str:
    """A header's value is nothing that a registry may write into as it likes."""
    known = manifest.media_type in _TYPES
    return manifest.media_type if known else "application/octet-stream"
