"""Addresses of the token server; registries and clients have them in their configuration."""

from django.urls import path

from access.tokens import views

urlpatterns = [
    path("token", views.token, name="docker-token"),
    path("jwks.json", views.jwks, name="jwks"),
]
