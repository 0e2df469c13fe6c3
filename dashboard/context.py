"""What every page's frame needs."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from access.actions import Action
from access.policy import may


def shell(request: HttpRequest) -> dict[str, object]:
    """`may_manage`: whether this person may connect and change registries; asked when it is used."""
    return {"may_manage": SimpleLazyObject(lambda: may(request.user, Action.REGISTRY_MANAGE))}
