"""Addresses of repositories and of what they hold. What is asked of one stands behind `/-/`."""

from django.urls import URLPattern, URLResolver, include, path

from dashboard.api.catalog import repositories, tags

of_repository = [
    path("tags", tags.Tags.as_view(), name="api-tags"),
    path("tags/<tag:tag>", tags.OneTag.as_view(), name="api-tag"),
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
]
