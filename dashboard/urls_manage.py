"""Addresses of the screens that manage: overview, connections, runs, first run, health."""

from django.urls import path

from dashboard.views import connect, first_run, health, home, registries, runs

urlpatterns = [
    path("", home.home, name="home"),
    path("registries/", registries.registries, name="registries"),
    path("registries/connect/", connect.connect, name="registry-connect"),
    path("registries/<slug:name>/edit/", connect.edit, name="registry-edit"),
    path("registries/<slug:name>/remove/", connect.remove, name="registry-remove"),
    path("registries/<slug:name>/sync/", runs.sync, name="registry-sync"),
    path("registries/<slug:name>/runs/", runs.runs, name="registry-runs"),
    path("registries/<slug:name>/runs/<int:pk>/", runs.run, name="run"),
    path("registries/<slug:name>/runs/<int:pk>/cancel/", runs.cancel, name="run-cancel"),
    path("first-run/<uidb64>/<token>/", first_run.first_run, name="first-run"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
