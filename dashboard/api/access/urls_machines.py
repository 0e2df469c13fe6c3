"""Addresses of machines and whatever signs in, and of the audit log."""

from django.urls import path

from dashboard.api.access import machines

urlpatterns = [
    path("service-principals", machines.Machines.as_view(), name="api-machines"),
    path("service-principals/<slug:name>", machines.OneMachine.as_view(), name="api-machine"),
    path(
        "service-principals/<slug:name>/disable",
        machines.DisableMachine.as_view(),
        name="api-machine-disable",
    ),
    path(
        "service-principals/<slug:name>/enable",
        machines.EnableMachine.as_view(),
        name="api-machine-enable",
    ),
]
