"""Notifications are stored once, answered at once, and refused for a wrong secret alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access.policy import SHELL
from registries.actor import SYSTEM
from registries.models import Registry
from registries.oci.transport import USER_AGENT
from tests import catalog
from tests.webhooks.inbound import bodies
from tests.webhooks.inbound.bodies import DIGEST, envelope, event, pull
from tests.webhooks.inbound.conftest import Post
from webhooks import wake
from webhooks.inbound import doors, receive, store
from webhooks.inbound.secrets import create_secret, remove_secret
from webhooks.models import InboundSecret, Notification
from webhooks.tasks import handle_notifications

IN = "/hooks/in/harbour"


def stored() -> list[tuple[str, str, str]]:
    rows = Notification.objects.order_by("id")
    return list(rows.values_list("event_id", "verb", "state"))


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The tasks that were woken; nothing is handled here."""
    tasks: list[object] = []
    monkeypatch.setattr(wake, "now", tasks.append)
    return tasks


# What is stored -----------------------------------------------------------------------------------


def test_a_notification_is_stored_with_its_words_and_wakes_the_worker(
    post: Post, woken: list[object]
) -> None:
    answer = post(envelope(event()))
    assert (answer.status_code, json.loads(answer.content)) == (200, {"stored": 1})
    row = Notification.objects.get()
    assert (row.verb, row.repository, row.tag, row.digest) == ("push", "team-a/app", "1.0", DIGEST)
    assert (row.actor, row.agent, row.address) == ("anna", "docker/28.0.1", "192.168.64.11")
    assert (row.state, row.tries, row.handled_at) == ("waiting", 0, None)
    assert row.due_at <= timezone.now()
    assert json.loads(row.body) == event()
    assert woken == [handle_notifications]


def test_all_events_of_an_envelope_are_stored(post: Post) -> None:
    post(envelope(*(event(event_id=f"e-{at}") for at in range(20))))
    assert len(stored()) == 20


def test_a_repeat_is_stored_once_and_wakes_nobody(post: Post, woken: list[object]) -> None:
    for _time in range(3):
        assert post(envelope(event(), event(event_id="e-2"))).status_code == 200
    assert [row[0] for row in stored()] == ["e-1", "e-2"]
    assert len(woken) == 1


def test_the_same_id_of_another_registry_is_another_event(post: Post) -> None:
    other = create_secret(catalog.registry("other"), rights=SHELL, actor=SYSTEM).text
    post(envelope(event()))
    post(envelope(event()), to="/hooks/in/other", authorization=f"Bearer {other}")
    assert len(stored()) == 2


def test_our_own_reads_leave_no_trace_and_our_own_deletes_do(
    post: Post, woken: list[object]
) -> None:
    ours = event("delete", event_id="gone")
    ours["request"]["useragent"] = USER_AGENT
    assert post(envelope(pull(agent=USER_AGENT))).status_code == 200
    assert woken == []
    post(envelope(ours))
    assert stored() == [("gone", "delete", "waiting")]


def test_pulls_wait_for_the_other_half_of_dockers_pair(post: Post) -> None:
    post(envelope(pull("HEAD")))
    assert Notification.objects.get().due_at > timezone.now() + timedelta(seconds=1)


def test_what_there_is_nothing_to_do_about_is_kept_as_that(post: Post) -> None:
    post(bodies.ACR_PING)
    assert stored() == [("ping-1", "ping", "ignored")]
    assert Notification.objects.get().handled_at is not None


# Junk ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\x00\x01\xff",
        b"[" * 50_000,
        b'{"events": "none"}',
        b'{"events": [null, 1, "a", [], {"target": 7, "request": [], "id": {}}]}',
        b'{"action": "push", "target": {"repository": "a\\u0000b"}}',
        json.dumps(envelope(event(repository="x" * 5000))).encode(),
    ],
)
def test_junk_is_answered_2xx_and_kept_with_the_reason(post: Post, body: bytes) -> None:
    assert post(body).status_code == 200
    rows = Notification.objects.all()
    assert rows
    assert {row.state for row in rows} == {"junk"}
    assert all(row.reason for row in rows)


def test_ten_megabytes_are_not_read_and_the_beginning_is_kept(post: Post) -> None:
    assert post(b'{"events": [' + b" " * 10 * 1024**2).status_code == 200
    row = Notification.objects.get()
    assert (row.state, len(row.body)) == ("junk", 8192)
    assert "larger than 1024 KiB" in row.reason


def test_the_same_junk_is_kept_once_and_much_junk_bounded(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_JUNK", 5)
    for number in range(9):
        post(f"junk {number}".encode())
        post(f"junk {number}".encode())
    kept = Notification.objects.filter(state="junk").order_by("id").values_list("body", flat=True)
    assert list(kept) == [f"junk {number}" for number in range(4, 9)]


def test_github_events_that_name_no_image_are_no_error(post: Post) -> None:
    package = {"name": "x" * 400, "namespace": "y" * 400, "package_type": "npm"}
    assert post({"package": package}, x_github_event="package").status_code == 200
    assert Notification.objects.get().state == "ignored"


# Secrets ------------------------------------------------------------------------------------------


def basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"portolan:{secret}".encode()).decode()


SHOWN: dict[str, Callable[[str], tuple[str, dict[str, str]]]] = {
    "bearer": lambda secret: (IN, {"authorization": f"Bearer {secret}"}),
    "basic": lambda secret: (IN, {"authorization": basic(secret)}),
    "as it is": lambda secret: (IN, {"authorization": secret}),
    "gitlab": lambda secret: (IN, {"x-gitlab-token": secret}),
    "query": lambda secret: (f"{IN}?secret={secret}", {}),
    "path": lambda secret: (f"{IN}/{secret}", {}),
}


@pytest.mark.parametrize("way", list(SHOWN))
def test_a_secret_is_taken_from_wherever_a_sender_can_put_it(
    way: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for shown, status in ((secret, 200), (secret[:-1] + "?", 401), (secret.lower(), 401)):
        to, headers = SHOWN[way](shown)
        answer = Client().post(to, b"{}", content_type="application/json", headers=headers)
        assert answer.status_code == status
    assert secret not in caplog.text


def test_a_signature_of_github_is_checked_over_the_body(harbour: Registry, secret: str) -> None:
    body = json.dumps(bodies.GITHUB).encode()
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    for signature, sent, status in (
        (f"sha256={made}", body, 200),
        (f"sha256={made}", body + b" ", 401),
        ("sha256=" + "0" * 64, body, 401),
        (made, body, 401),
        ("sha256=ü", body, 401),
    ):
        headers = {"x-hub-signature-256": signature, "x-github-event": "registry_package"}
        answer = Client().post(IN, sent, content_type="application/json", headers=headers)
        assert answer.status_code == status, signature
    assert Notification.objects.get().verb == "push"


def test_an_address_of_a_hundred_parts_is_no_failure_of_ours(harbour: Registry) -> None:
    query = "&".join(f"part{number}=1" for number in range(100))
    assert Client().post(f"{IN}?{query}", b"{}", content_type="text/plain").status_code == 401


def test_an_unknown_registry_is_refused_as_a_wrong_secret_is(post: Post) -> None:
    catalog.registry("without-secrets")
    wrong = post(envelope(event()), authorization="Bearer wrong")
    for to in ("/hooks/in/nowhere", "/hooks/in/without-secrets", "/hooks/in/", "/hooks/in/a/b/c"):
        answer = post(envelope(event()), to=to, authorization="Bearer wrong")
        assert (answer.status_code, answer.content) == (401, wrong.content)
    assert post(envelope(event()), to="/hooks/in/nowhere").status_code == 401
    assert post(envelope(event()), authorization="").status_code == 401
    assert stored() == []


def test_wrong_secrets_ask_the_database_nothing_however_many_come(
    post: Post, django_assert_max_num_queries: Callable[..., object]
) -> None:
    post(envelope(event()))
    with django_assert_max_num_queries(1):  # type: ignore[attr-defined]
        for number in range(50):
            to = f"/hooks/in/guess-{number}"
            assert post(b"{}", to=to, authorization="Bearer wrong").status_code == 401
    assert post(envelope(event(event_id="e-2"))).status_code == 200


def test_two_secrets_work_and_a_removed_one_works_no_more(
    post: Post, harbour: Registry, secret: str
) -> None:
    second = create_secret(harbour, rights=SHELL, actor=SYSTEM).text
    for shown in (secret, second):
        assert post(b"{}", authorization=f"Bearer {shown}").status_code == 200
    first = InboundSecret.objects.order_by("created_at")[0]
    remove_secret(first, rights=SHELL, actor=SYSTEM)
    doors.forget()
    assert post(b"{}", authorization=f"Bearer {secret}").status_code == 401
    assert post(b"{}", authorization=f"Bearer {second}").status_code == 200


def test_an_ended_secret_is_refused(post: Post) -> None:
    InboundSecret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert post(b"{}").status_code == 401


def test_the_last_use_of_a_secret_is_known(post: Post) -> None:
    post(b"{}")
    first = InboundSecret.objects.get().last_used_at
    assert first is not None
    post(b"{}")
    assert InboundSecret.objects.get().last_used_at == first


# Manners ------------------------------------------------------------------------------------------


def test_other_methods_are_told_what_to_do(post: Post, secret: str) -> None:
    client = Client()
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = client.generic(method, f"{IN}?secret={secret}")
        assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
    assert client.options(IN).status_code == 204


def test_the_handshake_of_cloudevents_needs_the_secret(secret: str) -> None:
    asks = {"webhook-request-origin": "events.example.com"}
    assert Client().options(IN, headers=asks).status_code == 401
    answer = Client().options(f"{IN}?secret={secret}", headers=asks)
    assert (answer.status_code, answer["WebHook-Allowed-Origin"]) == (200, "events.example.com")


def test_it_answers_without_sessions_cookies_or_queries_of_theirs(
    post: Post, django_assert_num_queries: Callable[..., object]
) -> None:
    post(envelope(event()))
    with django_assert_num_queries(0):  # type: ignore[attr-defined]  # sees all but the INSERT
        answer = post(envelope(event(event_id="e-2")))
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"


def test_a_database_that_is_away_is_a_503_and_no_secret_is_logged(
    post: Post, secret: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> int:
        raise DatabaseError("gone")

    monkeypatch.setattr(receive, "store", fail)
    caplog.set_level(logging.DEBUG)
    answer = post(envelope(event()), to=f"{IN}/{secret}", authorization="")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "harbour" in caplog.text
    assert secret not in caplog.text


def test_a_connection_on_which_nothing_was_prepared_is_replaced(
    transactional_db: None, post: Post
) -> None:
    post(envelope(event()))
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # what a pooler's other connection looks like
    assert post(envelope(event(event_id="e-2"))).status_code == 200
    connection.connection.close()  # what a restart of the database leaves behind
    assert post(envelope(event(event_id="e-3"))).status_code == 200
    assert len(stored()) == 3


def test_an_address_that_the_urls_name_is_the_one_that_is_answered() -> None:
    assert reverse("notifications-in", args=["harbour"]) == f"{receive.PREFIX}harbour"
