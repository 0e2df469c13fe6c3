"""May X do Y on Z: the answer, the reasons, and who is told."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import User
from access.scopes import Scope
from tests import catalog
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db
TEAM_A, TEAM_B = Scope("harbour", "team-a/*"), Scope("harbour", "team-b/*")
APP = "harbour/team-a/app"


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


def ask(
    client: Client, who: str, action: str = "content write", scope: str = APP, status: int = 200
) -> str:
    query = {"who": who, "action": action, "scope": scope}
    response = client.get("/access/check/", query)
    assert response.status_code == status
    return response.content.decode()


def test_a_yes_says_by_which_grant(as_owner: Client, outsider: User) -> None:
    give(outsider, "pusher", TEAM_A)
    shown = ask(as_owner, "user:otto")
    # In the words that were chosen.
    assert '<option value="content write" selected>push</option>' in shown
    assert "Yes: user:otto may do “push” on harbour/team-a/app" in shown
    assert "Pusher" in shown
    assert "harbour/team-a/*" in shown


def test_a_no_says_what_is_missing_and_who_could_grant_it(as_owner: Client, outsider: User) -> None:
    give(outsider, "reader", TEAM_A)
    give(outsider, "pusher", TEAM_B)
    shown = ask(as_owner, "user:otto")
    assert "No: user:otto may not do" in shown
    assert "holds here, and does not allow this" in shown
    assert "would allow it, and does not cover all of this" in shown
    assert "allows least" in shown
    assert "anna" in shown
    assert "principal=user%3Aotto&amp;role=pusher" in shown


def test_everybody_may_ask_about_himself(as_viewer: Client, viewer: User) -> None:
    shown = ask(as_viewer, "user:viktor")
    assert "No: user:viktor may not do" in shown
    assert "/access/requests/new/?action=content%20write" in shown
    assert "Yes: user:viktor may do" in ask(as_viewer, "user:viktor", "content read")


def test_who_manages_no_access_may_not_ask_about_others(as_viewer: Client, outsider: User) -> None:
    ask(as_viewer, "user:otto", status=403)
    ask(as_viewer, "user:nobody", status=403)


def test_who_manages_access_elsewhere_asks_only_there(outsider: User, viewer: User) -> None:
    give(outsider, "owner", TEAM_B)
    client = signed_in(outsider)
    ask(client, "user:viktor", status=403)
    assert "user:viktor" in ask(client, "user:viktor", scope="harbour/team-b/app")


def test_what_one_may_not_know_of_is_not_found(as_outsider: Client) -> None:
    ask(as_outsider, "user:otto", status=404)
    ask(as_outsider, "user:otto", scope="nowhere", status=404)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"who": "user:nobody"}, "There is no user:nobody"),
        ({"who": "nonsense"}, "is nobody"),
        ({"who": "user:otto", "action": "world rule"}, "not one of the available choices"),
        ({"who": "user:otto", "scope": "No Scope"}, "is not a scope"),
    ],
)
def test_a_question_that_makes_no_sense_is_sent_back(
    as_owner: Client, outsider: User, question: dict[str, str], said: str
) -> None:
    query = {"action": "content write", "scope": APP} | question
    assert said in as_owner.get("/access/check/", query).content.decode()


def test_an_answer_takes_few_statements(as_owner: Client, outsider: User) -> None:
    give(outsider, "reader", TEAM_A)
    ask(as_owner, "user:otto")
    with CaptureQueriesContext(connection) as captured:
        ask(as_owner, "user:otto")
    few = len(captured)
    for number in range(20):
        give(User.objects.create_user(f"owner-{number}"), "owner", TEAM_A)
        give(outsider, "reader", Scope("harbour", f"team-a/{number}"))
    with CaptureQueriesContext(connection) as captured:
        ask(as_owner, "user:otto")
    assert len(captured) == few == 14
