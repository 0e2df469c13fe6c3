"""Addresses of registries and of what they hold."""

from django.urls import include, path

from dashboard.api.catalog import (
    admin_passwords,
    checks,
    connecting,
    docker,
    docker_tokens,
    kinds,
    namespaces,
    registries,
    runs,
    storage,
    sync_problems,
    vendor,
    vendor_webhooks,
)

of_registry = [
    path("settings", connecting.Settings.as_view(), name="api-registry-settings"),
    path("check", checks.Check.as_view(), name="api-registry-check"),
    path("runs", runs.Runs.as_view(), name="api-runs"),
    path("runs/<number:run>", runs.OneRun.as_view(), name="api-run"),
    path("runs/<number:run>/cancel", runs.CancelRun.as_view(), name="api-run-cancel"),
    path("runs/<number:run>/problems", sync_problems.SyncProblems.as_view(), name="api-problems"),
    path("runs/<number:run>/causes", sync_problems.SyncCauses.as_view(), name="api-causes"),
    path("namespaces", namespaces.Namespaces.as_view(), name="api-namespaces"),
    path("storage", storage.RegistryStorage.as_view(), name="api-registry-storage"),
]

of_docker = [
    path("docker", docker.Docker.as_view(), name="api-docker"),
    path(
        "docker/passwords/<number:slot>",
        admin_passwords.Passwords.as_view(),
        name="api-admin-password",
    ),
    path("docker/trial", docker_tokens.Trial.as_view(), name="api-docker-trial"),
    path("docker/tokens", docker_tokens.Tokens.as_view(), name="api-docker-tokens"),
]

# A webhook's id is the vendor's, and may have slashes.
at_vendor = [
    path("vendor", vendor.Vendor.as_view(), name="api-vendor"),
    path("vendor/readings", vendor.VendorReadings.as_view(), name="api-vendor-readings"),
    path("vendor/access", vendor.VendorAccess.as_view(), name="api-vendor-access"),
    path("vendor/remedies/<slug:code>", vendor.VendorRemedy.as_view(), name="api-vendor-remedy"),
    path("vendor/webhooks", vendor_webhooks.VendorWebhooks.as_view(), name="api-vendor-webhooks"),
    path(
        "vendor/webhooks/<path:webhook>/pings",
        vendor_webhooks.VendorWebhookPings.as_view(),
        name="api-vendor-webhook-pings",
    ),
    path(
        "vendor/webhooks/<path:webhook>",
        vendor_webhooks.OneVendorWebhook.as_view(),
        name="api-vendor-webhook",
    ),
]

urlpatterns = [
    # Beside the list, not below it: there each word is a name that a registry may have.
    path("registry-kinds", kinds.Kinds.as_view(), name="api-registry-kinds"),
    path("registry-checks", checks.Checks.as_view(), name="api-registry-checks"),
    path("storage", storage.Storage.as_view(), name="api-storage"),
    path("registries", registries.Registries.as_view(), name="api-registries"),
    path("registries/<registry:registry>", registries.OneRegistry.as_view(), name="api-registry"),
    path("registries/<registry:registry>/", include([*of_registry, *of_docker, *at_vendor])),
    path("", include("dashboard.api.catalog.urls_repositories")),
]
