"""Addresses of mirrors, and of two places compared without keeping anything."""

from django.urls import path

from dashboard.api.mirrors import boards, mirrors

urlpatterns = [
    path("", mirrors.Mirrors.as_view(), name="api-mirrors"),
    path("/compare", boards.ComparedTags.as_view(), name="api-compare-tags"),
    path("/compare/repositories", boards.ComparedRepositories.as_view(), name="api-compare"),
    path("/<number:mirror>", mirrors.OneMirror.as_view(), name="api-mirror"),
    path("/<number:mirror>/health", boards.Health.as_view(), name="api-mirror-health"),
    path("/<number:mirror>/tags", boards.MirroredTags.as_view(), name="api-mirror-tags"),
    path(
        "/<number:mirror>/repositories",
        boards.MirroredRepositories.as_view(),
        name="api-mirror-repositories",
    ),
]
