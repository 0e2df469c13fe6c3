"""Addresses of the screens. Fixed ones are in the design: scripts and people rely on them."""

from allauth.mfa.recovery_codes.views import view_recovery_codes
from allauth.mfa.totp.views import activate_totp
from django.urls import include, path, register_converter
from django.views.decorators.cache import never_cache

from dashboard import converters
from dashboard.views import (
    changes,
    compare,
    digests,
    documents,
    history,
    image,
    locks,
    preferences,
    registry,
    repository,
    search,
    vendor,
)
from dashboard.views.access import docker
from dashboard.views.access.profile import elsewhere
from dashboard.views.access.sign_on import come_back, leave
from dashboard.views.webhooks import notifications

register_converter(converters.RegistryName, "registry")
register_converter(converters.RepositoryPath, "repository")
register_converter(converters.TagName, "tag")
register_converter(converters.Digest, "digest")
register_converter(converters.DigestStart, "digest_start")
register_converter(converters.Number, "number")
register_converter(converters.PrincipalName, "principal")
register_converter(converters.UserName, "user")

# What is asked of a repository stands behind `/-/`.
of_repository = [
    path("artifacts", repository.artifacts, name="artifacts"),
    path("activity", history.activity, name="activity"),
    path("compare", compare.compare, name="compare"),
    path("tags/<tag:tag>", image.by_tag, name="tag"),
    path("tags/<tag:tag>/history", history.tag, name="tag-history"),
    path("manifests/<digest:digest>", image.by_digest, name="manifest"),
    path("manifests/<digest:digest>/raw", image.raw, name="manifest-raw"),
    path("manifests/<digest:digest>/read", documents.read, name="manifest-read"),
    path("manifests/<digest:digest>/delete", changes.remove_image, name="image-delete"),
    path("untag", changes.remove_tags, name="untag"),
    path("delete", changes.remove_repository, name="repository-delete"),
    path("locks", locks.locks, name="locks"),
]

urlpatterns = [
    # Before allauth's pages, which these replace.
    path("accounts/email/", elsewhere),
    path("accounts/confirm-email/", elsewhere),
    path("accounts/confirm-email/<str:key>/", elsewhere),
    path("accounts/password/set/", elsewhere),
    path("accounts/oidc/<provider_id>/login/", leave),
    path("accounts/oidc/<provider_id>/login/callback/", come_back),
    path("accounts/2fa/totp/activate/", never_cache(activate_totp)),  # it shows the seed
    path("accounts/2fa/recovery-codes/", never_cache(view_recovery_codes)),
    path("accounts/", include("allauth.urls")),
    path("theme/", preferences.theme, name="theme"),
    path("search", search.results, name="search"),
    path("search/palette", search.palette, name="palette"),
    path("digests/<digest:digest>", digests.digest, name="digest"),
    path("digests/<digest:digest>/<slug:which>", digests.listed, name="digest-list"),
    path("digests/<digest_start:start>", digests.beginning, name="digest-beginning"),
    path("r/<registry:name>/", registry.registry, name="registry"),
    path("r/<registry:name>/-/namespaces", registry.namespaces, name="namespaces"),
    path("r/<registry:name>/-/docker", docker.docker, name="docker-access"),
    path("r/<registry:name>/-/docker/admin", docker.switch, name="admin-account"),
    path("r/<registry:name>/-/docker/admin/<int:slot>", docker.password, name="admin-password"),
    path("r/<registry:name>/-/notifications", notifications.notifications, name="notifications"),
    path(
        "r/<registry:name>/-/notifications/secrets",
        notifications.create,
        name="notification-secret-create",
    ),
    path(
        "r/<registry:name>/-/notifications/secrets/<uuid:pk>/remove",
        notifications.remove,
        name="notification-secret-remove",
    ),
    path("r/<registry:name>/-/vendor", vendor.vendor, name="vendor"),
    path("r/<registry:name>/-/vendor/read", vendor.read, name="vendor-read"),
    path("r/<registry:name>/-/vendor/do/<slug:code>", vendor.remedy, name="vendor-remedy"),
    path(
        "r/<registry:name>/-/vendor/webhooks", vendor.create_webhook, name="vendor-webhook-create"
    ),
    path(
        "r/<registry:name>/-/vendor/webhooks/ping", vendor.ping_webhook, name="vendor-webhook-ping"
    ),
    path(
        "r/<registry:name>/-/vendor/webhooks/remove",
        vendor.remove_webhook,
        name="vendor-webhook-remove",
    ),
    path("r/<registry:name>/<repository:path>", repository.tags, name="repository"),
    path("r/<registry:name>/<repository:path>/-/", include(of_repository)),
    path("", include("webhooks.urls")),
    path("webhooks/", include("dashboard.urls_webhooks")),
    path("mirrors/", include("dashboard.urls_mirrors")),
    path("api/v1/", include("dashboard.api.urls")),
    path("", include("dashboard.urls_access")),
    path("", include("dashboard.urls_manage")),
]

handler403 = "dashboard.views.errors.forbidden"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.server_error"
