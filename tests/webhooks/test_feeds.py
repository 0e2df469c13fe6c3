"""A person's feed: whose it is, what it tells, and that its address is kept."""

from __future__ import annotations

import logging
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from access.models import Grant, User
from access.scopes import Scope
from tests import catalog
from tests.cast import give
from tests.webhooks import outbox
from webhooks import following
from webhooks.catalog import Topic
from webhooks.following import end_feed, follow, make_feed
from webhooks.models import Follow, Reader

pytestmark = pytest.mark.django_db(transaction=True)
ATOM = "{http://www.w3.org/2005/Atom}"
TEAM = Scope("harbour", "team-a/*")


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


@pytest.fixture
def fiona(outsider: User) -> User:
    give(outsider, "reader", TEAM)
    follow(outsider, TEAM, mail=Follow.Mail.NONE)
    return outsider


def read(token: str, query: str = "", **headers: str) -> ET.Element:
    response = Client().get(f"/feeds/{token}.atom{query}", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert "private" in response.headers["Cache-Control"]
    return ET.fromstring(response.content)


def titles(feed: ET.Element) -> list[str]:
    return [entry.findtext(f"{ATOM}title", "") for entry in feed.iter(f"{ATOM}entry")]


def test_a_feed_tells_what_is_followed_newest_first(fiona: User) -> None:
    first = outbox.event(tag="1.0")
    outbox.event(Topic.TAG_DELETED, "team-a/other", tag="2.0")
    outbox.event(Topic.PUSH)
    outbox.event(repository="team-b/app")
    feed = read(make_feed(fiona))
    assert [title.split(" tag")[0] for title in titles(feed)] == [
        "harbour/team-a/other:",
        "harbour/team-a/app:",
    ]
    entry = feed.findall(f"{ATOM}entry")[1]
    assert entry.findtext(f"{ATOM}id") == f"urn:uuid:{first.uid}"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.attrib["href"].endswith("/r/harbour/team-a/app/-/tags/1.0")


def test_a_feed_has_all_that_the_specification_asks(fiona: User) -> None:
    """RFC 4287, sections 4.1.1 and 4.1.2."""
    outbox.event()
    feed = read(make_feed(fiona))
    for part in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"{ATOM}{name}")) == 1, name
    for entry in feed.findall(f"{ATOM}entry"):
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == "anna"


def test_its_ids_outlive_its_address(fiona: User) -> None:
    outbox.event()
    ids = [[found.text for found in read(make_feed(fiona)).iter(f"{ATOM}id")] for _ in range(2)]
    assert ids[0] == ids[1]


def test_one_place_alone_can_be_asked_for(fiona: User) -> None:
    outbox.event()
    outbox.event(repository="team-a/other")
    token = make_feed(fiona)
    assert len(titles(read(token, "?scope=harbour/team-a/app"))) == 1
    assert titles(read(token, "?scope=harbour/team-b/app")) == []
    assert Client().get(f"/feeds/{token}.atom?scope=No!").status_code == 404


def test_it_tells_what_one_may_see_now(fiona: User) -> None:
    outbox.event()
    token = make_feed(fiona)
    assert len(titles(read(token))) == 1
    Grant.objects.filter(user=fiona).delete()
    assert titles(read(token)) == []
    assert titles(read(token, "?scope=harbour/team-a/app")) == []


def test_a_new_address_ends_the_one_before(fiona: User) -> None:
    old, new = make_feed(fiona), make_feed(fiona)
    assert Client().get(f"/feeds/{old}.atom").status_code == 404
    read(new)
    end_feed(fiona)
    assert Client().get(f"/feeds/{new}.atom").status_code == 404


def test_who_is_switched_off_has_no_feed(fiona: User) -> None:
    token = make_feed(fiona)
    User.objects.filter(pk=fiona.pk).update(is_active=False)
    assert Client().get(f"/feeds/{token}.atom").status_code == 404


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 42 + "!", "A" * 9999])
def test_what_is_no_secret_opens_nothing(fiona: User, token: str) -> None:
    assert Client().get(f"/feeds/{token}.atom").status_code == 404


def test_no_feed_is_no_secret_either(fiona: User) -> None:
    Reader.objects.create(user=fiona)
    assert following.reader_of("") is None


def test_only_its_digest_is_kept(fiona: User) -> None:
    token = make_feed(fiona)
    assert token not in str(Reader.objects.filter(user=fiona).values())


def test_a_reader_that_has_it_is_not_sent_it_again(fiona: User) -> None:
    outbox.event()
    token = make_feed(fiona)
    etag = Client().get(f"/feeds/{token}.atom").headers["ETag"]
    again = Client().get(f"/feeds/{token}.atom", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    outbox.event()
    assert len(titles(read(token, **{"if-none-match": etag}))) == 2


def test_an_empty_feed_does_not_change_with_the_clock(fiona: User) -> None:
    token = make_feed(fiona)
    etags = {Client().get(f"/feeds/{token}.atom").headers["ETag"] for _ in range(2)}
    assert len(etags) == 1


def test_what_xml_cannot_hold_does_not_break_it(fiona: User) -> None:
    outbox.event(actor_label="an\x1bna\ufffe & <b>")
    feed = read(make_feed(fiona))
    assert feed.findtext(f"{ATOM}entry/{ATOM}author/{ATOM}name") == "an�na� & <b>"


def test_the_address_is_in_no_log(
    fiona: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_feed(fiona)

    def fail(*_given: object) -> None:
        raise RuntimeError(f"/feeds/{token}.atom")

    monkeypatch.setattr("webhooks.feeds.told_to", fail)
    with caplog.at_level(logging.DEBUG):
        assert Client().get(f"/feeds/{token}.atom").status_code == 500
        Client().get(f"/feeds/{token[:-1]}.atom")
    assert token[:-1] not in caplog.text
    assert "A feed failed: RuntimeError" in caplog.text
