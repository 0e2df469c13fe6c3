"""Sources as files and as services that are only asked, and only where somebody said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from portolan.importing import harbor, portus, reading
from portolan.importing.problems import NotImportable
from portolan.importing.reading import Credential
from portolan.importing.result import Options
from tests.portolan.importing.checked import checked

WHO = Credential("admin", "sesame")
Answer = Callable[[httpx.Request], httpx.Response]


def paged(rows: list[Any], request: httpx.Request) -> httpx.Response:
    page, size = int(request.url.params["page"]), int(request.url.params["page_size"])
    headers = {"X-Total-Count": str(len(rows)), "Set-Cookie": "sid=1"}
    return httpx.Response(200, json=rows[(page - 1) * size : page * size], headers=headers)


def a_harbor(seen: list[httpx.Request]) -> Answer:
    """With 130 projects, a robot on the first, and a group list that may not be read."""
    projects = [{"name": f"p{it}", "project_id": it, "metadata": {}} for it in range(1, 131)]
    access = [{"resource": "repository", "action": "pull"}]
    permission = {"kind": "project", "namespace": "p1", "access": access}
    robot = {"id": 1, "name": "robot$p1+ci", "expires_at": -1, "permissions": [permission]}

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        match request.url.path.removeprefix("/api/v2.0").split("/"):
            case ["", "projects"]:
                return paged(projects, request)
            case ["", "projects", number, "members"]:
                row = {"entity_name": f"user{number}", "entity_type": "u", "role_id": 3}
                return paged([row], request)
            case ["", "robots"]:
                mine = request.url.params.get("q") in (None, "Level=project,ProjectID=1")
                return paged([robot] if mine else [], request)
        return httpx.Response(403, json={"errors": []})

    return answer


def test_a_harbor_is_read_to_the_end_of_its_pages() -> None:
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(a_harbor(seen))
    answers = reading.harbor("https://harbor.example.com", WHO, transport=transport)
    found = checked(harbor.convert(answers, Options(registry="harbour")))
    assert ("user:user130", "reader", "harbour/p130/*") in found.grants
    assert ("sp:p1-ci", "puller", "harbour/p1/*") in found.grants
    assert len(found.grants) == 131
    assert any("groups may not be read" in remark.reason for remark in found.imported.remarks)
    assert {request.method for request in seen} == {"GET"}
    assert not any("Cookie" in request.headers for request in seen[:1])
    assert all(request.headers["Authorization"].startswith("Basic ") for request in seen)


def test_a_portus_is_asked_with_its_token_and_for_names_of_the_global_namespace_alone() -> None:
    team = {"id": 7, "name": "shop"}
    lists = {
        "/teams": [team],
        "/users": [{"id": 1, "username": "anna", "enabled": True, "bot": False}],
        "/namespaces": [
            {"id": 1, "name": "hub.example.com", "global": True, "visibility": "public"},
            {"id": 2, "name": "shop", "global": False, "visibility": "private", "team": team},
        ],
        "/teams/7/members": [{"id": 1, "username": "anna"}],
        "/namespaces/1/repositories": [{"name": "alpine"}],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Portus-Auth"] == "admin:sesame"
        return httpx.Response(200, json=lists[request.url.path.removeprefix("/api/v1")])

    transport = httpx.MockTransport(answer)
    answers = reading.portus("https://portus.example.com", WHO, transport=transport)
    found = checked(portus.convert(answers, Options(registry="hub")))
    assert found.grants == [
        ("anonymous", "puller", "hub/alpine"),
        ("team:shop", "reader", "hub/shop/*"),
    ]


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (httpx.Response(401), "refuses the projects"),
        (httpx.Response(500), "answers 500"),
        (httpx.Response(302, headers={"Location": "https://evil.example.com/"}), "answers 302"),
        (httpx.Response(200, text="<html>"), "no list of projects"),
        (httpx.Response(200, json={"projects": []}), "no list of projects"),
        (httpx.Response(200, text="[" * 100_000), "no list of projects"),
    ],
)
def test_what_is_no_answer_is_one_sentence_and_never_the_password(
    response: httpx.Response, sentence: str
) -> None:
    transport = httpx.MockTransport(lambda _request: response)
    with pytest.raises(NotImportable, match=sentence) as refused:
        reading.harbor("https://harbor.example.com", WHO, transport=transport)
    assert "sesame" not in str(refused.value) + repr(WHO)


def test_a_list_that_never_ends_and_a_server_that_is_not_there_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_MOST_PAGES", 3)
    endless = httpx.Response(200, json=[{}], headers={"X-Total-Count": "999999"})
    with pytest.raises(NotImportable, match="no end"):
        reading.harbor("https://h", WHO, transport=httpx.MockTransport(lambda _it: endless))

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(NotImportable, match="does not answer"):
        reading.harbor("https://h", WHO, transport=httpx.MockTransport(refuse))


def test_a_page_without_measure_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ANSWER_BYTES", 1_000)
    large = httpx.Response(200, json=["x" * 2_000])
    with pytest.raises(NotImportable, match="larger than"):
        reading.harbor("https://h", WHO, transport=httpx.MockTransport(lambda _it: large))


def test_in_a_configuration_all_words_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "auth.yml"
    path.write_text("users: {no: {}, 1234: {}, '': }\nacl: [{match: {account: no, name: }}]\n")
    assert reading.configuration_file(path) == {
        "users": {"no": {}, "1234": {}, "": None},
        "acl": [{"match": {"account": "no", "name": None}}],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "not YAML"),
        ("acl: []\nacl: [x]\n", "stands there twice"),
        ("a: !!python/object:os.system x", "not YAML"),
        ("[" * 900, "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_no_configuration_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "auth.yml"
    path.write_text(text)
    with pytest.raises(NotImportable, match=sentence):
        reading.configuration_file(path)


def test_what_is_no_file_of_answers_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotImportable, match="cannot be read"):
        reading.answers_file(tmp_path / "none.json")
    path = tmp_path / "some.json"
    for data in (b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"1" * 5_000 + b"}"):
        path.write_bytes(data)
        with pytest.raises(NotImportable):
            reading.answers_file(path)
    path.write_text(json.dumps({"projects": []}))
    assert reading.answers_file(path) == {"projects": []}


def test_names_stand_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_text("\ufeffteam/a\n\n# no name\n  team/b \n")
    assert reading.names_file(path) == ("team/a", "team/b")


@pytest.mark.parametrize("secret", ["sesame\nopen", "sésame"])
def test_a_token_that_cannot_be_sent_is_not_repeated(secret: str) -> None:
    with pytest.raises(NotImportable, match="characters that cannot be sent") as failure:
        reading.portus("https://portus.example.com", Credential("admin", secret))
    assert "same" not in str(failure.value)


def test_what_goes_wrong_on_the_way_is_said_without_the_token() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        # As h11 does on the way.
        raise httpx.LocalProtocolError(f"Illegal header value {request.headers['Portus-Auth']!r}")

    transport = httpx.MockTransport(answer)
    with pytest.raises(NotImportable, match="does not answer") as failure:
        reading.portus("https://portus.example.com", WHO, transport=transport)
    assert WHO.secret not in str(failure.value)


def _doubling(line: str, last: str) -> str:
    """Thirty lines, each of which says the one before several times."""
    first = "a0: &a0 {k: v}\n"
    lines = (line.format(here=f"a{it}", before=f"*a{it - 1}") for it in range(1, 30))
    return first + "".join(lines) + last


@pytest.mark.parametrize(
    "text",
    [
        _doubling("{here}: &{here} [{before}, {before}]\n", "acl: *a29\n"),
        _doubling("{here}: &{here} {{a: {before}, b: {before}}}\n", "acl: *a29\n"),
        "a: &a {" + "".join(f"k{it}: v, " for it in range(200)) + "}\nb:\n" + "- {<<: *a}\n" * 200,
        "acl: &a [*a]\n",
    ],
    ids=["lists", "mappings", "merges", "itself"],
)
def test_a_small_file_that_becomes_large_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "YAML_BYTES", 20_000)
    monkeypatch.setattr(reading, "_MERGED", 20_000)
    path = tmp_path / "auth.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotImportable, match=r"multiply|merges too much|not YAML"):
        reading.configuration_file(path)


def test_anchors_and_merges_as_people_use_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "auth.yml"
    path.write_text(
        "base: &base {actions: &all ['*'], comment: x}\n"
        "acl:\n- {<<: *base, match: {account: anna}}\n- {match: {}, actions: *all}\n",
        encoding="utf-8",
    )
    first, second = reading.configuration_file(path)["acl"]
    assert first == {"actions": ["*"], "comment": "x", "match": {"account": "anna"}}
    assert second == {"match": {}, "actions": ["*"]}


def test_a_service_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SERVICE_BYTES", 1_000)

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{"id": 1}] * 30, headers={"Link": '</>; rel="next"'})

    transport = httpx.MockTransport(answer)
    with pytest.raises(NotImportable, match="more than anyone can import"):
        reading.portus("https://portus.example.com", WHO, transport=transport)
