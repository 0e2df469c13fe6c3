"""The export: all of the governance, no secret in it, and for each only what is his to manage."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.policy import NO_RIGHTS, SHELL, rights_of
from access.scopes import Scope
from dashboard.governance.document import dump, parse
from dashboard.governance.export import export
from dashboard.governance.schema import schema
from dashboard.governance.writing import HEAD
from tests.cast import give
from tests.dashboard.governance import house

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("export", *arguments, stdout=out)
    return out.getvalue()


def test_an_export_is_the_whole_governance_in_one_readable_file() -> None:
    house.furnish()
    text = printed()
    assert text == HEAD + house.FILE
    assert dump(parse(text)) == text


def test_no_secret_is_in_an_export() -> None:
    house.furnish()
    text = printed()
    assert [secret for secret in house.HIDDEN if secret in text] == []


def test_an_empty_installation_exports_empty_sections() -> None:
    assert dump(parse(printed())) == printed()
    assert "grants: []" in printed()


def test_the_shell_writes_a_file_or_says_why_not(tmp_path: Path) -> None:
    house.furnish()
    call_command("export", "-o", str(tmp_path / "portolan.yaml"))
    assert (tmp_path / "portolan.yaml").read_text(encoding="utf-8") == HEAD + house.FILE
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", "-o", str(tmp_path / "no" / "such.yaml"))


def test_the_shell_prints_the_schema_that_the_files_first_line_names() -> None:
    assert json.loads(printed("--schema")) == schema()


# Who sees what --------------------------------------------------------------------------------


def test_who_has_no_rights_exports_nothing() -> None:
    house.furnish()
    assert export(NO_RIGHTS).items == {}
    stranger = User.objects.create_user("otto")
    # A person may have teams, and has none.
    assert dump(export(rights_of(stranger), stranger)).count("[]") == 3


def test_an_owner_of_everything_exports_as_the_shell_does() -> None:
    house.furnish()
    anna = User.objects.get(username="anna")
    assert export(rights_of(anna)) == export(SHELL)


def test_who_manages_one_registry_exports_what_is_about_that_one_alone() -> None:
    house.furnish()
    dora = User.objects.create_user("dora")
    give(dora, "owner", Scope("harbour"))
    text = dump(export(rights_of(dora)))
    document = parse(text)
    assert {name: len(items) for name, items in document.items.items()} == {
        "registries": 1,
        "mirrors": 0,  # its other end is elsewhere
        "roles": 1,
        "grants": 2,  # her own, and the team's
        "admin_accounts": 1,
        "webhooks": 1,
    }
    assert "yard" not in text
    assert "anna" not in text


def test_who_manages_it_elsewhere_exports_nothing_of_this_one() -> None:
    house.furnish()
    dora = User.objects.create_user("dora")
    give(dora, "contributor", Scope("yard"))
    text = dump(export(rights_of(dora)))
    assert "name: yard" in text
    assert "harbour" not in text
    assert "grants" not in text  # a contributor manages no access


def test_a_member_of_a_team_exports_it_and_its_machines() -> None:
    house.furnish()
    bert = User.objects.get(username="bert")
    text = dump(export(rights_of(bert), bert))
    assert set(parse(text).items) >= {"teams", "service_principals", "trust_rules"}
    assert "name: platform" in text
    assert "name: ci" in text
    assert "grants" not in text


# How much it costs ----------------------------------------------------------------------------


def test_a_hundred_times_as_much_takes_the_same_number_of_statements() -> None:
    house.furnish()
    few = statements()
    people = User.objects.bulk_create(User(username=f"person-{n}") for n in range(100))
    teams = Team.objects.bulk_create(Team(name=f"team-{n}") for n in range(100))
    Membership.objects.bulk_create(
        Membership(team=team, user=user) for team, user in zip(teams, people, strict=True)
    )
    ServicePrincipal.objects.bulk_create(
        ServicePrincipal(name=f"machine-{n}", team=team) for n, team in enumerate(teams)
    )
    reader = Role.objects.get(name="reader")
    Grant.objects.bulk_create(Grant(user=user, role=reader, granted_by="x") for user in people)
    assert statements() == few


def statements() -> int:
    with CaptureQueriesContext(connection) as queries:
        export(SHELL)
    return len(queries)
