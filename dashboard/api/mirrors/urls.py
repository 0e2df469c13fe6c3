"""Addresses of mirrors, and of two places compared without keeping anything."""

from django.urls import path

from dashboard.api.mirrors import boards, mirrors

urlpatterns = [
    path("mirrors", mirrors.Mirrors.as_view(), name="api-mirrors"),
    path("mirrors/compare", boards.ComparedTags.as_view(), name="api-compare-tags"),
    path("mirrors/compare/repositories", boards.ComparedRepositories.as_view(), name="api-compare"),
    path("mirrors/<number:mirror>", mirrors.OneMirror.as_view(), name="api-mirror"),
    path("mirrors/<number:mirror>/health", boards.Health.as_view(), name="api-mirror-health"),
    path("mirrors/<number:mirror>/tags", boards.MirroredTags.as_view(), name="api-mirror-tags"),
    path(
        "mirrors/<number:mirror>/repositories",
        boards.MirroredRepositories.as_view(),
        name="api-mirror-repositories",
    ),
]
