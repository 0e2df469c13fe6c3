"""A server that is busy, broken, or none of Portolan's."""

from __future__ import annotations

import gzip
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from portolan import VERSION
from portolan.failures import Ending, Failure, Misused, NotSignedIn, Refused, Unreachable
from portolan.server import LARGEST_ANSWER, Server
from tests.portolan.misbehaving import ADDRESS, Saying, page, problem, said

BUSY = {"Retry-After": "7"}


def test_it_says_who_asks_and_with_what() -> None:
    saying = Saying(said({}))
    saying.server().get("/registries", q="a b", limit=None, full=True)
    (request,) = saying.requests
    assert str(request.url) == f"{ADDRESS}/api/v1/registries?q=a+b&full=true"
    assert request.headers["User-Agent"] == f"portolan/{VERSION}"
    assert request.headers["Authorization"] == "Bearer a-token"


def test_what_stands_in_the_address_stays_there() -> None:
    saying = Saying(said({}), page([1], "c1"), page([2]))
    saying.server().get("/registries?sort=-name&fields=name%2Ctags")
    list(saying.server().pages("/registries?sort=-name", topic=["a", "b"]))
    asked = [str(request.url).partition("/registries")[2] for request in saying.requests]
    assert asked == [
        "?sort=-name&fields=name%2Ctags",
        "?sort=-name&topic=a&topic=b&limit=200",
        "?sort=-name&topic=a&topic=b&limit=200&after=c1",
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_said(status: int) -> None:
    saying = Saying(httpx.Response(status, headers=BUSY), said({"name": "prod"}))
    assert saying.server().get("/registries/prod") == {"name": "prod"}
    assert saying.slept == [7.0]


def test_a_date_says_when_to_come_again_too() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    saying = Saying(httpx.Response(503, headers={"Retry-After": at}), said({}))
    saying.server().get("/")
    assert 25 < saying.slept[0] <= 30


def test_patience_without_a_word_grows_and_ends() -> None:
    saying = Saying(*(httpx.Response(503) for _ in range(5)))
    with pytest.raises(Unreachable, match="503 Service Unavailable"):
        saying.server().get("/")
    assert saying.slept == [1, 2, 4, 8]


def test_an_hour_is_not_waited() -> None:
    saying = Saying(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(Unreachable, match="3600 seconds of patience"):
        saying.server().get("/")
    assert saying.slept == []


def test_a_post_is_sent_again_under_the_same_key() -> None:
    saying = Saying(httpx.Response(503), httpx.ReadTimeout("slow"), said({}, 201))
    with pytest.raises(Unreachable, match="did not answer in time"):
        saying.server().post("/grants", {})
    keys = [request.headers["Idempotency-Key"] for request in saying.requests]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert len(keys[0]) > 30


@pytest.mark.parametrize("asked", ["9" * 400, "1" + "0" * 20])
def test_endless_patience_is_not_had(asked: str) -> None:
    saying = Saying(httpx.Response(503, headers={"Retry-After": asked}))
    with pytest.raises(Unreachable, match="of patience"):
        saying.server().get("/")


def test_what_is_no_time_to_come_again_is_none() -> None:
    wrong = ["²", "soon", "-1", "Mon, 01 Jan 99999 00:00:00 +9999"]
    answers = [httpx.Response(503, headers=[(b"Retry-After", one.encode())]) for one in wrong]
    saying = Saying(*answers, said({"name": "prod"}))
    assert saying.server().get("/") == {"name": "prod"}
    assert saying.slept == [1, 2, 4, 8]


def test_a_line_that_broke_is_tried_once_more() -> None:
    saying = Saying(httpx.ConnectError("refused"), said({}))
    saying.server().get("/")
    saying = Saying(httpx.ConnectError("refused"), httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="cannot be reached: the connection failed"):
        saying.server().get("/")


def test_what_cannot_be_sent_is_said_so_without_a_word_of_it() -> None:
    """The text of such an error is what was to be sent: `Illegal header value b'Bearer ptl_…'`."""
    said_by_h11 = httpx.LocalProtocolError("Illegal header value b'Bearer ptl_pat_secret'")
    saying = Saying(said_by_h11)
    with pytest.raises(Misused) as failure:
        saying.server().get("/")
    assert "ptl_" not in failure.value.sentence
    assert saying.slept == []
    for headers in ({"X": "ü"}, {"ü": "x"}):
        with pytest.raises(Misused, match="cannot be sent"):
            Saying().server().send("GET", "/", headers=headers)
    with pytest.raises(Misused, match="cannot be sent"):
        Saying().server().get("/\x01")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ALL_PROXY", "socks5://proxy.example.com", "socksio"),
        ("ALL_PROXY", "gopher://anna:hunter2@proxy.example.com", "The proxy"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_lets_nobody_out_is_told(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Failure, match=said) as failure:
        Server(ADDRESS, "a-token")
    assert "hunter2" not in failure.value.sentence


def test_a_change_that_might_have_been_made_is_not_sent_again() -> None:
    saying = Saying(httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable):
        saying.server().delete("/grants/7")
    assert len(saying.requests) == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_token_for_this_machine_is_given_to_no_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens at the proxy's port.
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as here:
        here.settimeout(5)
        asked = Server(
            f"http://127.0.0.1:{here.getsockname()[1]}", "a-token", sleep=lambda _s: None
        )
        answer = ThreadPoolExecutor(1).submit(asked.get, "/registries")
        connection, _address = here.accept()
        with connection:
            assert connection.recv(100).startswith(b"GET /api/v1/registries ")
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
            connection.sendall(head + b"{}")
            assert answer.result(5) == {}


def test_what_is_refused_is_told_field_by_field() -> None:
    errors = [{"field": "role", "detail": "There is no such role."}]
    saying = Saying(problem(422, "This cannot be done.", errors=errors))
    with pytest.raises(Refused) as refused:
        saying.server().post("/grants", {})
    assert refused.value.sentence == "This cannot be done."
    assert refused.value.details == ("role: There is no such role.",)
    assert refused.value.ending is Ending.USAGE


def test_nothing_is_said_twice() -> None:
    def sentence_and_details(status: int, sentence: str, **error: str) -> tuple[str, list[str]]:
        with pytest.raises(Refused) as refused:
            Saying(problem(status, sentence, errors=[error])).server().get("/")
        return refused.value.sentence, list(refused.value.details)

    required = "This field is required."
    for sentence in (f"q: {required}", required):
        told = sentence_and_details(400, sentence, field="q", detail=required)
        assert told == (f"q: {required}", [])


@pytest.mark.parametrize(
    ("status", "code", "errors", "ending"),
    [
        (400, "invalid_parameter", [{"field": "sort", "detail": "x"}], Ending.USAGE),
        (400, "malformed", [], Ending.USAGE),
        (422, "invalid", [{"field": "scopes.0", "detail": "x"}], Ending.USAGE),
        # The last owner cannot be taken away: nothing was typed wrong.
        (422, "invalid", [], Ending.NO),
        # A governance file that cannot be applied.
        (422, "invalid", [{"field": "teams", "detail": "x", "line": "3"}], Ending.NO),
        (422, "key_reused", [], Ending.NO),
        (422, "registry_failed", [], Ending.NO),
    ],
)
def test_what_was_typed_wrong_ends_otherwise_than_what_cannot_be(
    status: int, code: str, errors: list[dict[str, str]], ending: Ending
) -> None:
    with pytest.raises(Refused) as refused:
        Saying(problem(status, "No.", code=code, errors=errors)).server().get("/")
    assert refused.value.ending is ending


@pytest.mark.parametrize(("status", "ending"), [(403, 4), (404, 4), (409, 1), (412, 1)])
def test_a_refusal_ends_by_its_kind(status: int, ending: int) -> None:
    with pytest.raises(Refused) as refused:
        Saying(problem(status, "No.")).server().get("/")
    assert refused.value.ending == ending


def test_a_missing_right_is_named() -> None:
    more = {"action": "content delete", "scope": "prod/team-a/*"}
    with pytest.raises(Refused) as refused:
        Saying(problem(403, "This is not allowed.", **more)).server().get("/")
    assert refused.value.details == ("It needs “content delete” on prod/team-a/*.",)


def test_a_token_that_does_not_work_is_its_own_ending() -> None:
    with pytest.raises(NotSignedIn, match="has expired"):
        Saying(problem(401, "The secret has expired.")).server().get("/")
    with pytest.raises(NotSignedIn):
        Saying(httpx.Response(401, text="<html>")).server().get("/")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<title>Welcome</title>"),
        httpx.Response(200, content=b'{"a":', headers={"Content-Type": "application/json"}),
        httpx.Response(200, content=b"{}"),
        httpx.Response(200, content=b"[" * 100_000, headers={"Content-Type": "application/json"}),
        httpx.Response(200, content=b"\xff", headers={"Content-Type": "application/json"}),
        httpx.Response(500, html="<h1>Oops</h1>"),
        httpx.Response(502, content=b"{", headers={"Content-Type": "application/problem+json"}),
        httpx.Response(404, text="not found"),
        httpx.Response(418, json=[]),
    ],
)
def test_what_is_no_answer_of_portolan_is_said_so(answer: httpx.Response) -> None:
    with pytest.raises(Unreachable) as failure:
        Saying(answer).server().get("/")
    assert "portolan.example.com" in failure.value.sentence
    assert "<" not in failure.value.sentence


def test_a_token_does_not_follow_to_another_address() -> None:
    elsewhere = {"Location": "https://evil.example.com/"}
    saying = Saying(httpx.Response(308, headers=elsewhere), said({}))
    with pytest.raises(Unreachable, match="has moved to https://evil"):
        saying.server().get("/")
    assert len(saying.requests) == 1


def test_what_broke_there_is_told_with_its_number() -> None:
    broken = problem(500, "Something broke here.", code="internal", error_id="ab12cd34")
    with pytest.raises(Unreachable, match="ab12cd34"):
        Saying(broken).server().get("/")


def test_an_answer_larger_than_anyone_needs_is_left() -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    size, most = 3 * 1024**2, 2 * 1024**2
    bomb = gzip.compress(b" " * size)
    with pytest.raises(Unreachable, match="more than 2 MiB"):
        Saying(httpx.Response(200, content=bomb, headers=packed)).server().send(
            "GET", "/", largest=most
        )
    saying = Saying(httpx.Response(200, content=bomb, headers=packed))
    assert len(saying.server().send("GET", "/", largest=None).content) == size
    small = httpx.Response(200, content=gzip.compress(b'{"name": "prod"}'), headers=packed)
    assert Saying(small).server().get("/") == {"name": "prod"}
    # What `get`, `post` and `text` ask with.
    assert (Server.send.__kwdefaults__ or {})["largest"] == LARGEST_ANSWER


def test_a_text_is_utf_8_whatever_is_said_of_it() -> None:
    def answered(content: bytes) -> str:
        headers = {"Content-Type": "application/yaml; charset=undefined"}
        saying = Saying(httpx.Response(200, content=content, headers=headers))
        return saying.server().text("/export", "application/yaml")

    assert answered("version: 1 # é\n".encode()) == "version: 1 # é\n"
    with pytest.raises(Unreachable, match="no text in UTF-8"):
        answered(b"\xff")


# Pages ---------------------------------------------------------------------------------------------


def test_pages_are_turned_when_their_rows_are_wanted() -> None:
    saying = Saying(page([1, 2], "c1"), page([3, 4], "c2"), page([5]))
    rows = saying.server().pages("/registries")
    assert [next(rows), next(rows)] == [1, 2]
    assert len(saying.requests) == 1
    assert list(rows) == [3, 4, 5]
    assert [request.url.params.get("after") for request in saying.requests] == [None, "c1", "c2"]


def test_no_more_is_asked_for_than_is_wanted() -> None:
    saying = Saying(page(range(200), "c1"), page(range(50), "c2"))
    assert len(list(saying.server().pages("/registries", limit=250))) == 250
    assert [request.url.params["limit"] for request in saying.requests] == ["200", "50"]


def test_a_server_that_turns_in_a_circle_is_left() -> None:
    saying = Saying(page([1], "same"), page([2], "same"))
    assert list(saying.server().pages("/registries")) == [1, 2]


def test_what_is_no_list_is_said_so() -> None:
    for answer in (said({"items": None}), said([1, 2]), said({"items": {}})):
        with pytest.raises(Unreachable, match="no list"):
            list(Saying(answer).server().pages("/registries"))
