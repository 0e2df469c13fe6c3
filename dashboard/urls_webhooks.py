"""Addresses below /webhooks/: what is sent out, to whom, and what came of it."""

from django.urls import path

from dashboard.views.webhooks import deliveries, editing, listing, previewing, show_secret, webhook

urlpatterns = [
    path("", listing.webhooks, name="webhooks"),
    path("new/", editing.create, name="webhook-create"),
    path("preview/", previewing.show, name="webhook-preview"),
    path("<uuid:pk>/", webhook.webhook, name="webhook"),
    path("<uuid:pk>/change/", editing.change, name="webhook-change"),
    path("<uuid:pk>/remove/", editing.remove, name="webhook-remove"),
    path("<uuid:pk>/switch/", webhook.switch, name="webhook-switch"),
    path("<uuid:pk>/secret/", show_secret.rotate, name="webhook-secret"),
    path("<uuid:pk>/ping/", webhook.ping, name="webhook-ping"),
    path("<uuid:pk>/again/", webhook.again, name="webhook-again"),
    path("<uuid:pk>/deliveries/<int:number>/", deliveries.delivery, name="delivery"),
    path("<uuid:pk>/deliveries/<int:number>/again/", deliveries.again, name="delivery-again"),
    path("<uuid:pk>/deliveries/<int:number>/result/", deliveries.result, name="delivery-result"),
]
