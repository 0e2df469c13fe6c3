"""Addresses below /api/v1/. No slash at the end, but for the two that are fixed in the design."""

from django.urls import include, path

from dashboard.api import governance, governance_files, me, schema
from dashboard.views import api_docs

urlpatterns = [
    path("", me.Me.as_view(), name="api"),
    path("schema/", schema.Schema.as_view(), name="api-schema"),
    path("docs/", api_docs.docs, name="api-docs"),
    path("export", governance_files.Export.as_view(), name="api-export"),
    path("export/schema", governance_files.GovernanceSchema.as_view(), name="api-export-schema"),
    path("plan", governance.Plans.as_view(), name="api-plan"),
    path("apply", governance.Applications.as_view(), name="api-apply"),
    path("", include("dashboard.api.catalog.urls")),
    path("", include("dashboard.api.mirrors.urls")),
    path("", include("dashboard.api.access.urls")),
    path("", include("dashboard.api.access.urls_machines")),
    path("", include("dashboard.api.webhooks.urls")),
]
