"""Webhook policies of Harbor's projects.

goharbor/harbor: api/v2.0/swagger.yaml, `WebhookPolicy`; src/server/v2.0/handler/webhook.go, which
cuts the query off an address: the secret has to go into the Authorization header.
"""

from typing import Any

from registries.connectors.api import quoted
from registries.connectors.harbor.api import HarborApi
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, NotFound, Unsupported

_EVENTS = ("PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT")


async def list_policies(api: HarborApi, project: str) -> list[NativeWebhook]:
    """Return the webhooks of a project, each with an id of the form `project/number`."""
    what = f"webhooks of project {project}"
    pages = api.pages(_policies(project), what)
    listed = [policy async for page in pages for policy in untrusted.objects(page.json)]
    return [webhook for policy in listed if (webhook := _webhook(project, policy)) is not None]


async def create_policy(api: HarborApi, wanted: NewWebhook) -> NativeWebhook:
    """Set up the policy that notifies Portolan; one of that name is replaced."""
    project = wanted.project
    if not project:
        raise Unsupported(
            "Harbor has webhooks for each project and none for all.", advice="Name the project."
        )
    what = f"webhooks of project {project}"
    body = {
        "name": wanted.name,
        "enabled": True,
        "event_types": list(_EVENTS),
        "targets": [
            {
                "type": "http",
                "address": wanted.address,
                "auth_header": wanted.authorization,
                "skip_cert_verify": False,
                # Has ids, by which repeats are known.
                "payload_format": "CloudEvents",
            }
        ],
    }
    before = [each for each in await list_policies(api, project) if each.name == wanted.name]
    if before:
        await api.send("PUT", _policy(before[0].id), what, json=body)
    else:
        await api.send("POST", _policies(project), what, json=body)
    for webhook in await list_policies(api, project):
        if webhook.name == wanted.name:
            return webhook
    raise InvalidDocument("Harbor took the webhook and does not list it.")


async def delete_policy(api: HarborApi, webhook_id: str) -> None:
    """Remove a policy by the id that `list_policies` gave it."""
    await api.send("DELETE", _policy(webhook_id), "webhook")


def _policies(project: str) -> str:
    return f"/projects/{quoted(project)}/webhook/policies"


def _policy(webhook_id: str) -> str:
    project, _, number = webhook_id.rpartition("/")
    if not (project and number.isascii() and number.isdigit()):
        raise NotFound("Harbor has no such webhook.")
    return f"{_policies(project)}/{number}"


def _webhook(project: str, policy: dict[str, Any]) -> NativeWebhook | None:
    number = untrusted.size(policy.get("id"))
    if number is None:
        return None
    target = next(untrusted.objects(policy.get("targets")), {})
    return NativeWebhook(
        id=f"{project}/{number}",
        name=untrusted.text(policy.get("name")) or "",
        address=untrusted.text(target.get("address")) or "",
        events=untrusted.texts(policy.get("event_types")),
        scope=f"project {project}",
        enabled=policy.get("enabled") is True,
    )
