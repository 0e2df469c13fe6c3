"""Addresses of the token server; registries and clients have them in their configuration."""

from django.urls import path

from access.tokens import exchange_views, views

urlpatterns = [
    path("token", views.token, name="docker-token"),
    path("token/exchange", exchange_views.token_exchange, name="token-exchange"),
    path("jwks.json", views.jwks, name="jwks"),
]
