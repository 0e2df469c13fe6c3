"""Addresses of roles, grants, explanations, teams, people, requests and reviews."""

from django.urls import path

from dashboard.api.access import roles

urlpatterns = [
    path("actions", roles.Actions.as_view(), name="api-actions"),
    path("roles", roles.Roles.as_view(), name="api-roles"),
    path("roles/<slug:role>", roles.OneRole.as_view(), name="api-role"),
]
