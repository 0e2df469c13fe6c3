"""What is not there is told by its name, and what is no choice with those that there are."""

from __future__ import annotations

import httpx
import pytest

from portolan.failures import Ending
from portolan.main import main
from portolan.session import Session
from tests.portolan.misbehaving import Saying, page, problem, said

DIGEST = "sha256:" + "0f" * 32
# Where a registry "prod" has one repository with the tag 1.
THERE = ("/registries/prod", "/repositories/app", "/tags/1")
NOTHING: dict[str, object] = {"items": [], "next": None, "follow": "c1"}


def nothing() -> httpx.Response:
    return problem(404, "There is no such thing.", code="not_found")


class Catalog(Saying):
    """Says nothing of what is not there."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/v1")
        if path == "/events":
            return said(NOTHING)
        if path == "/check-access":
            return nothing() if "prod" not in request.url.params["scope"] else said({})
        return said({"digest": DIGEST}) if path.endswith(THERE) else nothing()


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    catalog = Catalog()
    monkeypatch.setattr(Session, "server", catalog.server())
    return catalog


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("repos nope", "You see no registry “nope”."),
        ("tags nope/app", "You see no registry “nope”."),
        ("tags prod/nope", "You see no repository “nope” in prod."),
        ("show prod/nope:1", "You see no repository “nope” in prod."),
        ("show prod/app:2", "There is no tag “2” in prod/app."),
        (f"show prod/app@{DIGEST}", f"There is no image {DIGEST} in prod/app."),
        ("diff prod/app:1 zzz", "There is no tag “zzz” in prod/app."),
        ("diff prod/app:zzz 1", "There is no tag “zzz” in prod/app."),
        ("can-i pull nope/app", "You see no registry “nope”."),
        ("events nope", "You see no registry “nope”."),
        ("events nope --follow", "You see no registry “nope”."),
        ("events prod/nope", "You see no repository “nope” in prod."),
        ("grants --scope nope/*", "You see no registry “nope”."),
    ],
)
def test_what_is_not_there_is_named(
    line: str, sentence: str, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == Ending.NOT_ALLOWED
    assert capsys.readouterr() == ("", f"portolan: {sentence}\n")


@pytest.mark.parametrize("line", ["events", "events prod", "events prod/app", "events prod/new/*"])
def test_a_place_where_nothing_happened_is_told(
    line: str, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == Ending.OK
    assert capsys.readouterr() == ("", "Nothing happened here lately.\n")


# Choices -------------------------------------------------------------------------------------------

ROLES = page([{"name": "reader"}, {"name": "owner"}])
ACTIONS = page([{"name": "content read"}])


def unknown(field: str) -> httpx.Response:
    sentence = '"nope" is not a valid choice.'
    errors = [{"field": field, "detail": sentence}]
    return problem(400, sentence, code="invalid_parameter", errors=errors)


@pytest.mark.parametrize(
    ("line", "answers", "words"),
    [
        (
            "can-i nope prod",
            [unknown("action"), ACTIONS],
            ["“nope” is no action", "pull", "content"],
        ),
        ("who-can nope prod", [unknown("action"), ACTIONS], ["“nope” is no action", "push"]),
        (
            "events --topic push --topic nope",
            [unknown("topic"), said({"topics": [{"topic": "push"}]})],
            ["“nope” is no topic. There are push."],
        ),
        (
            "grant user:bob nope prod",
            [unknown("roles"), ROLES],
            ["no role. There are reader, owner"],
        ),
        ("grants --role nope", [ROLES], ["“nope” is no role. There are reader, owner."]),
        ("tags prod/app --sort nope", [], ["There are date, name, size."]),
        ("repos prod --sort -nope", [], ["There are path, date, size."]),
        ("who-can pull prod --kind nope", [], ["There are people, machines, public."]),
        ("can-i pull prod --as bob", [], ["“bob” is nobody: write user:NAME"]),
        ("grant bob reader prod", [], ["“bob” is nobody"]),
        # Who may not read the list has the server's words, with the field's name.
        ("can-i nope prod", [unknown("action"), problem(403, "No.")], ["action: ", "valid choice"]),
    ],
)
def test_what_is_typed_wrong_is_no_answer_and_the_choices_are_told(
    line: str,
    answers: list[httpx.Response],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Session, "server", Saying(*answers).server())
    assert main(line.split()) == Ending.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    for word in words:
        assert word in shown.err


@pytest.mark.parametrize(
    "arguments",
    [["can-i", "pull", ""], ["can-i", "pull", "prod", "--as", ""], ["repos", ""], ["events", " "],
     ["search", ""], ["revoke", "", "reader", "prod"]],
)  # fmt: skip
def test_a_variable_that_is_not_set_is_no_answer(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "server", Saying().server())
    assert main(arguments) == Ending.USAGE


@pytest.mark.parametrize("question", [["can-i", "pull", "prod"], ["diff", "prod/app:1", "2"]])
def test_a_question_that_is_refused_is_not_answered(
    question: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = problem(422, "Name a platform.")
    there = [said({"name": "prod"})] * 9
    monkeypatch.setattr(Session, "server", Saying(refused, *there).server())
    assert main(question) == Ending.USAGE
