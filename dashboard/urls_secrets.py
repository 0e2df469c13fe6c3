"""Addresses below /access/: machines, their secrets, people's tokens, and the board of all."""

from django.urls import path

from dashboard.views.access import (
    command_sign_in,
    credentials,
    machine_secrets,
    machines,
    tokens,
)

urlpatterns = [
    path("machines/", machines.machines, name="machines"),
    # No machine is called "-", and one may be called "new".
    path("machines/-/new/", machines.create, name="machine-create"),
    path("machines/<slug:name>/", machines.machine, name="access-machine"),
    path("machines/<slug:name>/change/", machines.change, name="machine-change"),
    path("machines/<slug:name>/switch/", machines.switch, name="machine-switch"),
    path("machines/<slug:name>/remove/", machines.remove, name="machine-remove"),
    path("machines/<slug:name>/secrets/new/", machine_secrets.create, name="machine-secret-create"),
    path(
        "machines/<slug:name>/secrets/<slug:key_id>/rotate/",
        machine_secrets.rotate,
        name="machine-secret-rotate",
    ),
    path(
        "machines/<slug:name>/secrets/<slug:key_id>/end/",
        machine_secrets.end,
        name="machine-secret-end",
    ),
    path(
        "machines/<slug:name>/secrets/<slug:key_id>/revoke/",
        machine_secrets.revoke,
        name="machine-secret-revoke",
    ),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.create, name="token-create"),
    path("tokens/<slug:key_id>/revoke/", tokens.revoke, name="token-revoke"),
    path("command/", command_sign_in.command_sign_in, name="command-sign-in"),
    path("command/token", command_sign_in.command_token, name="command-token"),
    path("credentials/", credentials.credentials, name="credentials"),
    path("credentials/rows.<str:form>", credentials.export, name="credentials-export"),
]
