"""Docker's credential helper protocol, as docker speaks it."""

from __future__ import annotations

import json

import pytest

from portolan.contexts import Context, Contexts, Login
from portolan.credential_helper import NOT_FOUND, main

HOST = "registry.example.com"


@pytest.fixture(autouse=True)
def signed_in() -> None:
    other = Context("b", "https://b.example.com", "token-b", "sp:ci", registries=(HOST,))
    current = Context("a", "https://a.example.com", "token-a", "user:anna", registries=(HOST,))
    Contexts().with_context(other).with_context(current).save()


def asked(capsys: pytest.CaptureFixture[str], verb: str, given: str = "") -> tuple[int, str]:
    ended = main([verb], given)
    return ended, capsys.readouterr().out


def test_a_known_host_gets_the_name_and_token_of_the_current_context(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for given in (HOST, f"{HOST}\n", f"https://{HOST}", f"https://{HOST}/v2/"):
        ended, said = asked(capsys, "get", given)
        assert ended == 0
        assert json.loads(said) == {
            "ServerURL": given.strip(),
            "Username": "anna",
            "Secret": "token-a",
        }


def test_any_other_host_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for given in ("evil.example.com", f"{HOST}.evil.example.com", f"{HOST}:5000", "a@" + HOST):
        assert asked(capsys, "get", given) == (1, f"{NOT_FOUND}\n")
    assert asked(capsys, "get", "") == (1, "no credentials server URL\n")


def test_a_docker_login_goes_before_and_a_logout_ends_both(
    capsys: pytest.CaptureFixture[str],
) -> None:
    login = json.dumps({"ServerURL": HOST, "Username": "robot", "Secret": "other"})
    assert asked(capsys, "store", login) == (0, "")
    assert json.loads(asked(capsys, "get", HOST)[1])["Username"] == "robot"
    assert json.loads(asked(capsys, "list")[1]) == {HOST: "robot"}
    assert asked(capsys, "erase", HOST) == (0, "")
    assert asked(capsys, "get", HOST) == (1, f"{NOT_FOUND}\n")
    assert json.loads(asked(capsys, "list")[1]) == {}
    # The API's sign-in is not docker's to end.
    assert Contexts.load().contexts["a"].token == "token-a"


def test_what_we_said_ourselves_is_not_kept_when_docker_hands_it_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = Contexts.load()
    said = asked(capsys, "get", HOST)[1]
    assert asked(capsys, "store", said) == (0, "")
    assert Contexts.load() == before
    # Nor does another's login go before any longer.
    Contexts.load().with_login(HOST, Login("robot", "other")).save()
    assert asked(capsys, "store", said) == (0, "")
    assert Contexts.load() == before


@pytest.mark.parametrize("given", ["", "{", "[]", "{}", '{"ServerURL": ""}', "null"])
def test_what_is_no_credential_is_not_stored(
    capsys: pytest.CaptureFixture[str], given: str
) -> None:
    before = Contexts.load()
    assert asked(capsys, "store", given)[0] == 1
    assert Contexts.load() == before


def test_other_words_are_answered_with_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["version"], ["get", "get"]):
        assert main(arguments, "") == 1
        assert "get|store|erase|list" in capsys.readouterr().err
