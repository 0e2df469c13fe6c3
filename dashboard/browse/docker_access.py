"""Docker's access to a registry, as screens and API show it: its setup, and a token tried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from access.models import Team
from access.policy import Rights, public_rights, rights_of
from access.principals import Principal
from access.tokens import setup, signing
from access.tokens.scope import Allowed, Asked, allow, parse
from registries.models import Registry


def setup_of(registry: Registry) -> dict[str, Any]:
    """What stands in the registry's own configuration, so that it takes tokens from here."""
    keys = signing.ensured()
    place = (registry.name, settings.PUBLIC_URL)
    return {
        "distribution_2": setup.as_yaml(setup.distribution_2(*place)),
        "distribution_3": setup.as_yaml(setup.distribution_3(*place)),
        "zot": json.dumps(setup.zot(*place), indent=2),
        "certificates": "".join(key.certificate for key in keys),
        "jwks": json.dumps(signing.as_jwks(keys), indent=2),
        "keys": keys,
        "bundle_path": setup.BUNDLE,
        "keys_path": setup.KEYS,
    }


def tried_out(
    registry: Registry, who: Principal, scope: str
) -> Sequence[tuple[Asked, Allowed | None]]:
    """What somebody's token would allow, of each scope that was asked for; none is issued. Raises
    ValidationError, by the field's name."""
    try:
        rights = _rights_of(who)
    except ValidationError as error:
        raise ValidationError({"who": error.messages}) from None
    asked = parse([scope])
    if not asked:
        text = _("Write it as docker does: repository:team/app:pull,push, or registry:catalog:*.")
        raise ValidationError({"scope": text})
    return [(one, allow(one, rights, registry.name)) for one in asked]


def _rights_of(who: Principal) -> Rights:
    somebody = who.find()
    if somebody is None:
        return public_rights()
    if isinstance(somebody, Team):
        raise ValidationError(_("A team does not sign in: ask about one of its members."))
    return rights_of(somebody)
