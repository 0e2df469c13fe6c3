"""Addresses of the screens about people, machines and what they may do."""

from django.urls import URLPattern, URLResolver, include, path

from dashboard.views.access import audit

urlpatterns: list[URLPattern | URLResolver] = [
    path("access/", include("dashboard.urls_granting")),
    path("access/", include("dashboard.urls_secrets")),
    path("access/trust-rules/", include("dashboard.urls_trust")),
    path("auth/", include("access.tokens.urls")),
    path("", include("dashboard.urls_people")),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:number>/", audit.entry, name="audit-entry"),
    path("audit/entries.<str:form>", audit.export, name="audit-export"),
    path("audit/verify/", audit.verify, name="audit-verify"),
]
