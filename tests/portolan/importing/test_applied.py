"""An imported document planned and applied by the server: what people then really may."""

from __future__ import annotations

import pytest

from access.actions import Action
from access.models import Grant, ServicePrincipal, User
from access.policy import public_rights, rights_of
from access.scopes import Scope
from dashboard.governance.document import parse
from portolan.importing import harbor
from portolan.importing.result import Imported, Options
from portolan.importing.writing import write
from tests import catalog
from tests.dashboard.governance.applying import applied, people, planned

pytestmark = pytest.mark.django_db


def imported() -> Imported:
    access = [{"resource": "repository", "action": it} for it in ("pull", "push")]
    permission = {"kind": "project", "namespace": "shop", "access": access}
    answers = {
        "projects": [{"name": "shop", "project_id": 1, "metadata": {"public": "true"}}],
        "members": {
            "shop": [
                {"entity_name": "anna", "entity_type": "u", "role_id": 1},
                {"entity_name": "devs", "entity_type": "g", "role_id": 2},
            ]
        },
        "robots": [{"name": "robot$shop+ci", "expires_at": -1, "permissions": [permission]}],
    }
    return harbor.convert(answers, Options("harbour"))


def test_people_who_are_not_there_are_named_by_the_plan_and_nothing_is_done() -> None:
    catalog.registry("harbour")
    told = planned(parse(write(imported().document))).problems
    assert "anna" in " ".join(str(one) for one in told)
    assert not Grant.objects.exists()


def test_who_was_imported_may_what_he_may_there_and_no_more() -> None:
    catalog.registry("harbour")
    (anna,) = people("anna")
    applied(parse(write(imported().document)))
    inside, outside = Scope.parse("harbour/shop/api"), Scope.parse("harbour/other/api")
    rights = rights_of(User.objects.get(pk=anna.pk))
    assert rights.may(Action.ACCESS_MANAGE, inside)
    assert rights.may(Action.CONTENT_DELETE, inside)
    assert not rights.may(Action.REGISTRY_MANAGE, inside)
    assert not rights.may_somewhere(Action.CONTENT_READ, outside)
    machine = rights_of(ServicePrincipal.objects.get(name="shop-ci"))
    assert machine.may(Action.CONTENT_WRITE, inside)
    assert not machine.may(Action.CONTENT_DELETE, inside)
    assert public_rights().may(Action.CONTENT_READ, inside)
    assert not public_rights().may(Action.CATALOG_LIST, inside)
