"""Roles granted, explained and taken away; and what who may less is told."""

from __future__ import annotations

from pathlib import Path

from access.scopes import Scope
from tests.access.tokens import asking
from tests.live.docked import Dock
from tests.live.shells import Home


def test_a_role_is_granted_explained_and_taken_away(signed_in: Home, dock: Dock) -> None:
    asking.machine("ci")
    scope = f"{dock.name}/team-a/*"
    question = ("can-i", "push", f"{dock.name}/team-a/app", "--as", "sp:ci")
    no = signed_in.run(*question)
    assert (no.code, no.out.partition(":")[0]) == (1, "No")
    assert "pusher" in no.out

    granted = signed_in.run("grant", "sp:ci", "pusher", scope, "--until", "30d", "--reason", "CI")
    assert granted.code == 0, granted.err
    yes = signed_in.run(*question)
    assert (yes.code, yes.out.partition(":")[0]) == (0, "Yes")
    assert scope in yes.out
    assert signed_in.run("can-i", "content-delete", scope, "--as", "sp:ci").code == 1
    who = signed_in.run("who-can", "push", scope, "--json").json
    assert {row["principal"] for row in who} == {"user:anna", "sp:ci", "sp:syncer"}

    (kept,) = signed_in.run("grants", "--principal", "sp:ci", "--json").json
    assert (kept["role"], kept["scope"], kept["reason"]) == ("pusher", scope, "CI")
    assert kept["until"] is not None
    revoked = signed_in.run("revoke", "sp:ci", "pusher", scope)
    assert revoked.out == f"sp:ci is pusher on {scope} no more.\n"
    assert signed_in.run(*question).code == 1
    assert signed_in.run("revoke", str(kept["id"])).code == 4


def test_what_is_refused_is_told_in_sentences(signed_in: Home, dock: Dock) -> None:
    said = signed_in.run("grant", "user:nobody", "puher", f"{dock.name}/Team")
    assert (said.code, said.out) == (64, "")
    assert "scopes" in said.err
    assert "Traceback" not in said.err
    wrong = {
        f"can-i fly {dock.name}": "“fly” is no action. There are pull, read, push",
        f"events {dock.name} --topic pus": "“pus” is no topic. There are push, pull",
        f"grant user:anna puller2 {dock.name}": "“puller2” is no role. There are auditor",
    }
    for typed, words in wrong.items():
        said = signed_in.run(*typed.split())
        assert (said.code, said.out) == (64, ""), typed
        assert words in said.err
    not_there = {
        "grant user:anna reader nope": "You see no registry “nope”.",
        f"grant user:nobody reader {dock.name}": "There is no user:nobody.",
        "events nope": "You see no registry “nope”.",
        f"tags {dock.name}/nothing": f"You see no repository “nothing” in {dock.name}.",
    }
    for typed, words in not_there.items():
        said = signed_in.run(*typed.split())
        assert (said.code, said.err) == (4, f"portolan: {words}\n")
    said = signed_in.run("grant", "user:nobody", "reader", dock.name, "--until", "soon")
    assert (said.code, said.out) == (64, "")


def test_who_may_less_is_told_less(
    signed_in: Home, server: str, dock: Dock, tmp_path: Path
) -> None:
    """A machine that reads elsewhere, with its secret in the environment and no file."""
    scope = Scope(dock.name, "team-b/*")
    _name, secret = asking.login(asking.machine("outsider", "reader", scope))
    nobody = Home.make(tmp_path)
    who = {"PORTOLAN_SERVER": server, "PORTOLAN_TOKEN": secret}
    assert nobody.run("repos", "--json", **who).json == []
    for refused in (
        ("tags", f"{dock.name}/team-a/app"),
        ("show", f"{dock.name}/team-a/app:1"),
        ("grants",),
        ("sync", dock.name),
    ):
        said = nobody.run(*refused, **who)
        assert (said.code, said.out) == (4, ""), refused
        # What is there and not for these eyes is told as what is not there.
        other = nobody.run(*(word.replace("team-a/app", "team-z/no") for word in refused), **who)
        assert said.err == other.err.replace("team-z/no", "team-a/app")
    assert nobody.run("can-i", "pull", f"{dock.name}/team-a/app", **who).code in (1, 4)
    assert not (tmp_path / ".config").exists()
