"""Addresses of roles, grants, explanations, teams, people, requests and reviews."""

from django.urls import path

from dashboard.api.access import explaining, grants, roles

urlpatterns = [
    path("actions", roles.Actions.as_view(), name="api-actions"),
    path("roles", roles.Roles.as_view(), name="api-roles"),
    path("roles/<slug:role>", roles.OneRole.as_view(), name="api-role"),
    path("grants", grants.Grants.as_view(), name="api-grants"),
    path("grants/revocations", grants.Revocations.as_view(), name="api-revocations"),
    path("grants/<number:grant>", grants.OneGrant.as_view(), name="api-grant"),
    path(
        "principals/<principal:principal>/grants",
        grants.GrantsOfPrincipal.as_view(),
        name="api-principal-grants",
    ),
    path("effective-access", explaining.EffectiveAccess.as_view(), name="api-effective-access"),
    path("check-access", explaining.CheckAccess.as_view(), name="api-check-access"),
    path("who-can", explaining.WhoCan.as_view(), name="api-who-can"),
]
