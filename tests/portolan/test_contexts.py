"""What is remembered of servers, and for whose eyes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from portolan.contexts import Context, Contexts, Login
from portolan.failures import Ending, Failure, Misused, NotSignedIn
from portolan.main import main
from portolan.output import Output
from portolan.session import Choice, Session

A = Context("a", "https://a.example.com", "token-a", "user:anna")
B = Context("b", "https://b.example.com", "token-b", "sp:ci", ca_file="/ca.pem")


@pytest.fixture
def both() -> Contexts:
    contexts = Contexts().with_context(A).with_context(B)
    contexts.save()
    return contexts


def chosen(**choice: str) -> Context:
    return Session(Choice(**choice), Output()).context  # type: ignore[arg-type]  # all are texts


def test_only_the_owner_reads_it(both: Contexts, home: Path) -> None:
    directory = home / "portolan"
    assert stat.S_IMODE((directory / "contexts.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [file.name for file in directory.iterdir()] == ["contexts.json"]
    assert Contexts.load() == both


def test_a_token_is_in_no_representation(both: Contexts) -> None:
    assert "token-" not in repr(both)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"current": "", "contexts": 1}'])
def test_a_damaged_file_is_said_so(both: Contexts, home: Path, text: str) -> None:
    (home / "portolan" / "contexts.json").write_text(text, encoding="utf-8")
    with pytest.raises(Failure, match="cannot be read"):
        Contexts.load()


def test_a_file_of_a_later_version_is_read(both: Contexts, home: Path) -> None:
    path = home / "portolan" / "contexts.json"
    text = path.read_text(encoding="utf-8").replace('"token":', '"new": 1, "token":')
    path.write_text(text, encoding="utf-8")
    assert Contexts.load() == both


def test_the_current_context_is_asked_and_another_by_name_or_address(both: Contexts) -> None:
    assert chosen().server == B.server
    assert chosen().ca_file == "/ca.pem"
    assert chosen(context="a").token == "token-a"
    assert chosen(server="a.example.com").token == "token-a"
    with pytest.raises(Misused, match="Known: a, b"):
        chosen(context="c")
    with pytest.raises(Misused, match="is at https://a"):
        chosen(context="a", server="b.example.com")


def test_a_token_goes_to_no_other_server(both: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSignedIn, match="portolan login"):
        chosen(server="c.example.com")
    monkeypatch.setenv("PORTOLAN_SERVER", "https://c.example.com")
    with pytest.raises(NotSignedIn) as failure:
        chosen()
    assert failure.value.ending is Ending.NOT_SIGNED_IN
    assert chosen(context="a").server == A.server


def test_a_pipeline_needs_no_file(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PORTOLAN_SERVER", "portolan.example.com")
    monkeypatch.setenv("PORTOLAN_TOKEN", "a-token")
    found = chosen()
    assert (found.server, found.token) == ("https://portolan.example.com", "a-token")
    assert not (home / "portolan").exists()


def test_http_that_was_allowed_once_stays_so_there_alone() -> None:
    plain = Context("p", "http://p.example.com", "token-p", insecure_http=True)
    Contexts().with_context(plain).save()
    assert chosen().server == "http://p.example.com"
    assert chosen(server="http://p.example.com").token == "token-p"
    with pytest.raises(Misused, match="without TLS"):
        chosen(server="http://q.example.com")


def test_when_the_current_one_is_forgotten_no_other_is_asked_instead(both: Contexts) -> None:
    left = both.without("b")
    assert (left.current, list(left.contexts)) == ("", ["a"])
    assert both.without("a").current == "b"
    left.save()
    with pytest.raises(NotSignedIn, match="portolan use a"):
        chosen()
    assert chosen(context="a").token == "token-a"


def test_signing_out_says_how_to_choose_another(
    both: Contexts, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["logout"]) == Ending.OK
    shown = capsys.readouterr()
    assert shown.out == f"Signed out of {B.server}.\n"
    assert shown.err == "No server is chosen. Run: portolan use a\n"
    assert main(["logout"]) == Ending.NOT_SIGNED_IN
    assert "portolan use a" in capsys.readouterr().err
    assert Contexts.load().contexts == {"a": A}
    assert main(["use", "a"]) == Ending.OK
    assert chosen().token == "token-a"


@pytest.mark.parametrize("typed", ["a-token\r", " a-token\n"])
def test_a_line_break_around_a_token_is_none_of_it(
    typed: str, both: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTOLAN_TOKEN", typed)
    assert chosen().token == "a-token"


@pytest.mark.parametrize("typed", ["tökén", "two words", "a\rb", " "])
def test_what_is_no_token_is_not_sent_and_not_printed(
    typed: str, both: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTOLAN_TOKEN", typed)
    with pytest.raises(Misused, match="PORTOLAN_TOKEN is no token") as failure:
        chosen()
    assert failure.value.sentence == "PORTOLAN_TOKEN is no token of Portolan."


def test_a_place_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("PORTOLAN_CONFIG_DIR", str(home / "file" / "below"))
    with pytest.raises(Failure, match=r"cannot be written: .*PORTOLAN_CONFIG_DIR"):
        Contexts().with_context(A).save()


def test_a_host_is_known_by_a_context_or_by_a_login() -> None:
    here = Contexts().with_context(Context("c", "https://c", "token-c", registries=("r.example",)))
    assert here.knows("r.example")
    assert not here.without("c").knows("r.example")
    by_hand = here.with_login("r.example", Login("robot", "other"))
    assert by_hand.without("c").knows("r.example")
    assert not by_hand.without_login("r.example").knows("r.example")
