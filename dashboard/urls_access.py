"""Addresses of the screens about people, machines and what they may do."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
