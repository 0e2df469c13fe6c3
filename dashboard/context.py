"""What every page's frame needs."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from access.actions import Action
from access.policy import may, rights_of
from dashboard.views.access.audit import may_read_some


def shell(request: HttpRequest) -> dict[str, object]:
    """What this person may: `may_connect` registries, read some of the audit log (`may_audit`),
    manage webhooks somewhere (`may_webhooks`); asked when it is used."""
    return {
        "may_connect": SimpleLazyObject(lambda: may(request.user, Action.REGISTRY_MANAGE)),
        "may_audit": SimpleLazyObject(lambda: may_read_some(rights_of(request.user))),
        "may_webhooks": SimpleLazyObject(
            lambda: rights_of(request.user).may_somewhere(Action.WEBHOOK_MANAGE)
        ),
    }
