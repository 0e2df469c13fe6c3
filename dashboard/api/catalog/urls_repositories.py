"""Addresses of repositories and of what they hold. What is asked of one stands behind `/-/`."""

from django.urls import URLPattern, URLResolver, include, path

from dashboard.api.catalog import (
    compare,
    deletions,
    digests,
    export,
    history,
    locks,
    manifest_bytes,
    manifests,
    readings,
    repositories,
    searching,
    tags,
)

of_repository = [
    path("tags", tags.Tags.as_view(), name="api-tags"),
    path("tags/<tag:tag>", tags.OneTag.as_view(), name="api-tag"),
    path("tags/<tag:tag>/history", history.TagHistory.as_view(), name="api-tag-history"),
    path("activity", history.Activity.as_view(), name="api-activity"),
    path("manifests", manifests.Manifests.as_view(), name="api-manifests"),
    path("manifests/<digest:digest>", manifests.OneManifest.as_view(), name="api-manifest"),
    path(
        "manifests/<digest:digest>/raw",
        manifest_bytes.RawManifest.as_view(),
        name="api-manifest-raw",
    ),
    path(
        "manifests/<digest:digest>/readings",
        readings.Readings.as_view(),
        name="api-manifest-readings",
    ),
    path("deletions", deletions.Deletions.as_view(), name="api-deletions"),
    path("locks", locks.Locks.as_view(), name="api-locks"),
    path("compare", compare.Compare.as_view(), name="api-compare"),
]
of_registry: list[URLPattern | URLResolver] = [
    path("repositories", repositories.Repositories.as_view(), name="api-repositories"),
    path(
        "repositories/<repository:repository>",
        repositories.OneRepository.as_view(),
        name="api-repository",
    ),
    path("repositories/<repository:repository>/-/", include(of_repository)),
]

urlpatterns = [
    path("repositories", repositories.RepositoriesAnywhere.as_view(), name="api-all-repositories"),
    path("registries/<registry:registry>/", include(of_registry)),
    path("tags", export.AllTags.as_view(), name="api-all-tags"),
    path("search", searching.Search.as_view(), name="api-search"),
    path("digests/<digest:digest>", digests.OneDigest.as_view(), name="api-digest"),
    path(
        "digests/<digest:digest>/places", digests.DigestPlaces.as_view(), name="api-digest-places"
    ),
    path("digests/<digest:digest>/tags", digests.DigestTags.as_view(), name="api-digest-tags"),
    path("digests/<digest:digest>/left", digests.DigestLeft.as_view(), name="api-digest-left"),
]
