"""What senders send, written from their documentation: the shapes of PROTOCOLS c to g."""

from __future__ import annotations

from typing import Any

from registries.oci import mediatypes

DIGEST = "sha256:" + "a1" * 32
OTHER_DIGEST = "sha256:" + "b2" * 32
AT = "2026-11-26T01:02:03.123456789+01:00"
Body = dict[str, Any]


def event(action: str = "push", *, event_id: str = "e-1", **target: Any) -> Body:
    """An event of Distribution's; `target` is merged into the usual one, None takes a field away."""
    usual = {
        "mediaType": mediatypes.DOCKER_MANIFEST,
        "digest": DIGEST,
        "size": 708,
        "length": 708,
        "repository": "team-a/app",
        "url": f"http://registry:5000/v2/team-a/app/manifests/{DIGEST}",
        "tag": "1.0",
    }
    return {
        "id": event_id,
        "timestamp": AT,
        "action": action,
        "target": {name: it for name, it in (usual | target).items() if it is not None},
        "request": {
            "id": "6df24a34",
            "addr": "192.168.64.11:42961",
            "host": "registry:5000",
            "method": "PUT",
            "useragent": "docker/28.0.1",
        },
        "actor": {"name": "anna"},
        "source": {"addr": "registry:5000", "instanceID": "a53db899"},
    }


def envelope(*events: object) -> Body:
    return {"events": list(events)}


def pull(
    method: str = "GET",
    *,
    agent: str = "docker/28.0.1",
    address: str = "10.0.0.7:4000",
    event_id: str = "p-1",
    **target: Any,
) -> Body:
    made = event("pull", event_id=event_id, **target)
    made["request"] |= {"method": method, "useragent": agent, "addr": address}
    return made


def acr(action: str = "push", **target: Any) -> Body:
    made = event(action, event_id="acr-1", **target)
    del made["actor"], made["source"]
    return made


ACR_PING = {"id": "ping-1", "timestamp": AT, "action": "ping"}

HARBOR = {
    "type": "PUSH_ARTIFACT",
    "occur_at": 1764115323,
    "operator": "robot$ci",
    "event_data": {
        "resources": [{"digest": DIGEST, "tag": "1.0", "resource_url": "harbor/team-a/app:1.0"}],
        "repository": {
            "date_created": 1764000000,
            "name": "app",
            "namespace": "team-a",
            "repo_full_name": "team-a/app",
            "repo_type": "private",
        },
    },
}
HARBOR_CLOUD = {
    "specversion": "1.0",
    "id": "66e18103",
    "requestid": "51c0b694",
    "source": "/projects/2/webhook/policies/15",
    "type": "harbor.artifact.pulled",
    "datacontenttype": "application/json",
    "time": "2026-11-26T01:02:03Z",
    "operator": "robot$ci",
    "data": HARBOR["event_data"],
}
DOCKER_HUB = {
    "callback_url": "https://registry.hub.docker.com/u/acme/app/hook/1/",
    "push_data": {"pushed_at": 1764115323, "pusher": "acmebot", "tag": "latest"},
    "repository": {"repo_name": "acme/app", "namespace": "acme", "name": "app", "is_private": True},
}
QUAY = {
    "repository": "acme/app",
    "namespace": "acme",
    "name": "app",
    "docker_url": "quay.io/acme/app",
    "homepage": "https://quay.io/repository/acme/app",
    "updated_tags": ["latest", "1.0"],
}
GITHUB = {
    "action": "published",
    "registry_package": {
        "name": "app",
        "namespace": "Acme",
        "package_type": "CONTAINER",
        "package_version": {
            "version": DIGEST,
            "updated_at": "2026-11-26T01:02:03Z",
            "container_metadata": {"tag": {"name": "1.0", "digest": DIGEST}},
        },
    },
    "sender": {"login": "octo"},
}
# As a Gitea 1.26 sends it, with the headers of GitHub beside its own.
GITEA: dict[str, Any] = {
    "action": "created",
    "repository": None,
    "package": {
        "id": 7,
        "owner": {"login": "Acme"},
        "repository": None,
        "type": "container",
        "name": "tools/app",
        "version": "1.0",
        "created_at": "2026-11-26T02:02:03+01:00",
    },
    "organization": {"name": "Acme"},
    "sender": {"login": "octo"},
}
GITEA_HEADERS = {
    "x-gitea-event": "package",
    "x-gitea-delivery": "d-2",
    "x-github-event": "package",
    "x-github-delivery": "d-2",
}
ZOT = {
    "name": "team-a/app",
    "reference": "1.0",
    "digest": DIGEST,
    "mediaType": mediatypes.OCI_MANIFEST,
    "manifest": "{}",
}
ZOT_HEADERS = {
    "ce-type": "zotregistry.image.updated",
    "ce-id": "zot-1",
    "ce-source": "zotregistry.dev",
    "ce-specversion": "1.0",
    "ce-time": "2026-11-26T01:02:03Z",
}
