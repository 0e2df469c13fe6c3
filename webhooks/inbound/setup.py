"""What stands in a registry's own configuration, so that it tells Portolan what happens.

distribution: docs/content/about/configuration.md, `notifications`; goharbor/website: configure-
webhooks.md; Azure CLI: `az acr webhook create`; docs of Docker Hub, Quay, GitHub and Gitea on webhooks;
docs.gitlab.com: "Container registry notifications"; project-zot/zot: examples/README-EVENTS.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What stands in the place of a secret that is not shown any more.
PLACEHOLDER = "SECRET"


@dataclass(frozen=True, slots=True)
class Guide:
    """How one kind of registry is set up: where it goes, what it is, and what to know of it."""

    kind: str
    where: str | Promise
    text: str
    note: str | Promise = ""
    of: str = ""  # the kind of registry, as connectors name it

    def __repr__(self) -> str:  # the text may have a secret in it
        return f"Guide({self.kind})"


def guides(
    registry: str, portolan: str, secret: str = PLACEHOLDER, *, first: str = ""
) -> list[Guide]:
    """For each kind, those for the kind `first` before all others; `portolan` is the address that
    registries reach Portolan by."""
    url = f"{portolan}/hooks/in/{registry}"
    with_secret = f"{url}?secret={secret}"
    in_address = _(
        "It can set no header, so the secret stands in the address. Portolan logs it nowhere; take"
        " care that what stands before it does not, either."
    )
    all_of_them = [
        Guide("Distribution 2.8", "config.yml", distribution_2(url, secret), of="distribution"),
        Guide("Distribution 3", "config.yml", distribution_3(url, secret), of="distribution"),
        Guide(
            "zot",
            "config.json",
            zot(url, secret),
            _("zot, built with the events extension. It tells of no pulls."),
            of="zot",
        ),
        Guide(
            "Harbor",
            _("Project, Webhooks; or post it to /api/v2.0/projects/NAME/webhook/policies"),
            harbor(url, secret),
            _("For each project. CloudEvents have ids, by which repeats are known."),
            of="harbor",
        ),
        Guide(
            "Azure Container Registry",
            _("A shell with the Azure CLI"),
            acr(url, secret),
            _("For each geo-replica. Azure tells of no untag: the next sync finds it."),
            of="acr",
        ),
        Guide("Docker Hub", _("Repository, Webhooks"), with_secret, in_address, of="dockerhub"),
        Guide(
            "Quay",
            _("Repository, Settings, Notifications: Push to Repository, Webhook POST"),
            with_secret,
            in_address,
            of="quay",
        ),
        Guide(
            "GitHub Packages",
            _("Organisation, Settings, Webhooks"),
            github(url, secret),
            _("It signs with the secret. It tells of no deletes: the next sync finds them."),
            of="ghcr",
        ),
        Guide(
            "Gitea / Forgejo",
            _("Organisation or user, Settings, Webhooks: Gitea"),
            gitea(url, secret),
            _(
                "It signs with the secret. Its own settings have to allow Portolan's host"
                " ([webhook] ALLOWED_HOST_LIST), if that is no public one."
            ),
            of="gitea",
        ),
        Guide(
            "GitLab",
            "/etc/gitlab/gitlab.rb",
            gitlab(url, secret),
            _("For one's own GitLab. GitLab.com tells nothing: syncs find what changed."),
            of="gitlab",
        ),
    ]
    return sorted(all_of_them, key=lambda guide: guide.of != first)


def distribution_2(url: str, secret: str) -> str:
    """The YAML block of Distribution 2.8. Blobs are left out where they begin: ten an image."""
    return (
        _distribution(url, secret)
        + "      ignoredmediatypes:\n        - application/octet-stream\n"
    )


def distribution_3(url: str, secret: str) -> str:
    """The YAML block of Distribution 3."""
    ignore = "      ignore:\n        mediatypes:\n          - application/octet-stream\n"
    return _distribution(url, secret) + ignore


def _distribution(url: str, secret: str) -> str:
    # Values as JSON, which YAML reads.
    return (
        "notifications:\n"
        "  endpoints:\n"
        "    - name: portolan\n"
        f"      url: {json.dumps(url)}\n"
        "      headers:\n"
        f"        Authorization: [{json.dumps(f'Bearer {secret}')}]\n"
        "      timeout: 2s\n"
        "      threshold: 5\n"
        "      backoff: 2s\n"
    )


def zot(url: str, secret: str) -> str:
    sink = {
        "type": "http",
        "address": url,
        "timeout": "5s",
        "credentials": {"username": "zot", "password": secret},
    }
    return json.dumps({"extensions": {"events": {"enable": True, "sinks": [sink]}}}, indent=2)


def harbor(url: str, secret: str) -> str:
    """A webhook policy, as Harbor's API takes it; its screen asks for the same."""
    policy = {
        "name": "portolan",
        "enabled": True,
        "event_types": ["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT"],
        "targets": [
            {
                "type": "http",
                "address": url,
                "auth_header": f"Bearer {secret}",
                "skip_cert_verify": False,
                "payload_format": "CloudEvents",
            }
        ],
    }
    return json.dumps(policy, indent=2)


def acr(url: str, secret: str) -> str:
    return (
        "az acr webhook create --registry NAME --name portolan \\\n"
        "  --actions push delete quarantine \\\n"
        f"  --uri '{url}' \\\n"
        f"  --headers 'Authorization=Bearer {secret}'"
    )


def github(url: str, secret: str) -> str:
    return (
        f"Payload URL: {url}\nContent type: application/json\nSecret: {secret}\n"
        "Events: Packages, Registry packages"
    )


def gitea(url: str, secret: str) -> str:
    return (
        f"Target URL: {url}\nHTTP method: POST\nPOST content type: application/json\n"
        f"Secret: {secret}\nTrigger on: Custom events, Packages"
    )


def gitlab(url: str, secret: str) -> str:
    return (
        "registry['notifications'] = [{\n"
        "  'name' => 'portolan',\n"
        f"  'url' => '{url}',\n"
        "  'timeout' => '2s',\n"
        "  'backoff' => '2s',\n"
        f"  'headers' => {{ 'Authorization' => ['Bearer {secret}'] }}\n"
        "}]"
    )
