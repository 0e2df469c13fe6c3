"""Addresses below /webhooks/: what is sent out, to whom, and what came of it."""

from django.urls import path

from dashboard.views.webhooks import deliveries, editing, listing, show_secret, webhook

urlpatterns = [
    path("", listing.webhooks, name="webhooks"),
    path("new/", editing.create, name="webhook-create"),
    path("<uuid:pk>/", webhook.webhook, name="webhook"),
    path("<uuid:pk>/change/", editing.change, name="webhook-change"),
    path("<uuid:pk>/remove/", editing.remove, name="webhook-remove"),
    path("<uuid:pk>/switch/", webhook.switch, name="webhook-switch"),
    path("<uuid:pk>/secret/", show_secret.rotate, name="webhook-secret"),
    path("<uuid:pk>/deliveries/<int:number>/", deliveries.delivery, name="delivery"),
]
