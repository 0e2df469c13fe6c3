"""Addresses of registries and of what they hold."""

from django.urls import include, path

from dashboard.api.catalog import registries, runs

of_registry = [
    path("runs", runs.Runs.as_view(), name="api-runs"),
    path("runs/<number:run>", runs.OneRun.as_view(), name="api-run"),
    path("runs/<number:run>/cancel", runs.CancelRun.as_view(), name="api-run-cancel"),
]

urlpatterns = [
    path("registries", registries.Registries.as_view(), name="api-registries"),
    path("registries/<registry:registry>", registries.OneRegistry.as_view(), name="api-registry"),
    path("registries/<registry:registry>/", include(of_registry)),
    path("", include("dashboard.api.catalog.urls_repositories")),
]
