"""Addresses of events, webhooks, notifications, and what one follows."""

from django.urls import include, path

from dashboard.api.webhooks import (
    deliveries,
    events,
    feed,
    following,
    notifications,
    previews,
    switching,
    topics,
    webhooks,
)

of_webhook = [
    path("pause", switching.PauseWebhook.as_view(), name="api-webhook-pause"),
    path("resume", switching.ResumeWebhook.as_view(), name="api-webhook-resume"),
    path("rotation", switching.RotateSigningSecret.as_view(), name="api-webhook-rotation"),
    path("preview", previews.WebhookPreview.as_view(), name="api-webhook-preview"),
    path("pings", deliveries.Pings.as_view(), name="api-webhook-pings"),
    path("deliveries", deliveries.Deliveries.as_view(), name="api-deliveries"),
    path("deliveries/<number:delivery>", deliveries.OneDelivery.as_view(), name="api-delivery"),
    path("redeliveries", deliveries.Redeliveries.as_view(), name="api-redeliveries"),
]
of_notifications = [
    path("notifications", notifications.Notifications.as_view(), name="api-notifications"),
    path(
        "notifications/setup",
        notifications.NotificationSetup.as_view(),
        name="api-notification-setup",
    ),
    path(
        "notifications/secrets",
        notifications.InboundSecrets.as_view(),
        name="api-notification-secrets",
    ),
    path(
        "notifications/secrets/<uuid:secret>",
        notifications.OneInboundSecret.as_view(),
        name="api-notification-secret",
    ),
]

urlpatterns = [
    path("events", events.Events.as_view(), name="api-events"),
    path("webhooks", webhooks.Webhooks.as_view(), name="api-webhooks"),
    path("webhooks/topics", topics.Topics.as_view(), name="api-topics"),
    path("webhooks/preview", previews.Preview.as_view(), name="api-preview"),
    path("webhooks/<uuid:webhook>", webhooks.OneWebhook.as_view(), name="api-webhook"),
    path("webhooks/<uuid:webhook>/", include(of_webhook)),
    path("registries/<registry:registry>/", include(of_notifications)),
    path("following", following.Following.as_view(), name="api-following"),
    path("following/feed", feed.Feed.as_view(), name="api-feed"),
    path("following/<number:follow>", following.OneFollow.as_view(), name="api-follow"),
]
