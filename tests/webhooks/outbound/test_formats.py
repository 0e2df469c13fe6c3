"""The bodies that receivers parse and people read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.outbound.messages import DIGEST, MANIFEST, OLD_DIGEST, UID, event
from webhooks.catalog import Topic
from webhooks.models import Event, Subscription
from webhooks.outbound.formats import FORMS

PORTOLAN = "https://portolan.example.com"
PAGE = f"{PORTOLAN}/r/harbour/team/app/-/tags/1.2"
# What a registry could send as a name to disturb a chat.
NASTY = "<!channel> *b* _i_ `c` [x](http://evil.example) | <http://evil.example|here> & \n"


def written(form: Subscription.Form, told: Event) -> tuple[dict[str, str], Any]:
    headers, body = FORMS[form](told, PORTOLAN)
    return headers, orjson.loads(body)


def test_every_form_can_write_every_topic() -> None:
    assert set(FORMS) == set(Subscription.Form.values)
    for form in Subscription.Form:
        for topic in Topic:
            bare = Event(topic=topic, actor_kind="system", actor_label="Portolan")
            for told in (event(topic), event(topic, tag="", digest=""), bare):
                headers, body = written(form, told)
                assert headers["Content-Type"].startswith("application/")
                assert body


# CloudEvents ---------------------------------------------------------------------------------------


def test_a_structured_event_says_all_in_one_document() -> None:
    headers, body = written(
        Subscription.Form.STRUCTURED, event(Topic.TAG_MOVED, old_digest=OLD_DIGEST)
    )
    assert headers == {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    assert body == {
        "specversion": "1.0",
        "id": f"evt_{UID.hex}",
        "source": f"{PORTOLAN}/r/harbour",
        "type": "portolan.tag.moved",
        "time": "2026-11-20T12:00:00Z",
        "subject": "team/app:1.2",
        "datacontenttype": "application/json",
        "data": {
            "registry": "harbour",
            "repository": "team/app",
            "tag": "1.2",
            "digest": DIGEST,
            "old_digest": OLD_DIGEST,
            "host": "harbour.example.com",
            "media_type": MANIFEST,
            "size": 524,
            "actor": {"kind": "user", "label": "anna"},
            "url": PAGE,
        },
    }


def test_a_binary_event_says_the_same_in_headers_and_body() -> None:
    _, document = written(Subscription.Form.STRUCTURED, event())
    headers, body = written(Subscription.Form.BINARY, event())
    assert body == document.pop("data")
    assert headers.pop("Content-Type") == document.pop("datacontenttype")
    assert headers == {f"ce-{name}": value for name, value in document.items()}


def test_a_header_holds_nothing_but_printable_ascii() -> None:
    headers, _ = written(Subscription.Form.BINARY, event(repository="", data={"owner": 'é "\n%'}))
    assert headers["ce-subject"] == "%C3%A9%20%22%0A%25"


# Azure ---------------------------------------------------------------------------------------------


def test_a_push_is_written_as_azure_writes_it() -> None:
    headers, body = written(Subscription.Form.ACR, event())
    assert headers["Content-Type"].startswith("application/json")
    assert body == {
        "id": str(UID),
        "timestamp": "2026-11-20T12:00:00.000000000Z",
        "action": "push",
        "target": {
            "mediaType": MANIFEST,
            "size": 524,
            "length": 524,
            "digest": DIGEST,
            "repository": "team/app",
            "tag": "1.2",
        },
        "request": {
            "id": str(UID),
            "host": "harbour.example.com",
            "method": "PUT",
            "useragent": "Portolan",
        },
    }


def test_a_delete_names_the_digest_and_no_size() -> None:
    _, body = written(Subscription.Form.ACR, event(Topic.DELETE, tag=""))
    assert body["action"] == "delete"
    assert body["target"] == {"mediaType": MANIFEST, "digest": DIGEST, "repository": "team/app"}
    assert body["request"]["method"] == "DELETE"


def test_a_chart_has_a_name_and_a_version_and_no_request() -> None:
    _, body = written(
        Subscription.Form.ACR, event(Topic.CHART_PUSH, repository="charts/web", tag="1.2.0_build.5")
    )
    assert "request" not in body
    assert body["action"] == "chart_push"
    assert body["target"]["mediaType"] == "application/vnd.acr.helm.chart"
    assert (body["target"]["name"], body["target"]["version"]) == ("web", "1.2.0+build.5")


@pytest.mark.parametrize(
    ("topic", "action"),
    [
        (Topic.CHART_DELETE, "chart_delete"),
        (Topic.QUARANTINE, "quarantine"),
        (Topic.PING, "ping"),
        (Topic.TAG_MOVED, "tag_moved"),
    ],
)
def test_receivers_tell_bodies_apart_by_the_action(topic: Topic, action: str) -> None:
    _, body = written(Subscription.Form.ACR, event(topic))
    assert body["action"] == action


def test_a_ping_has_no_target() -> None:
    _, body = written(Subscription.Form.ACR, event(Topic.PING, registry="", repository="", tag=""))
    assert "target" not in body


# For people ----------------------------------------------------------------------------------------


def test_slack_is_told_in_a_line_with_a_link_to_our_page() -> None:
    _, body = written(Subscription.Form.SLACK, event())
    assert body["text"] == "Image pushed: team/app:1.2"
    assert body["blocks"][0]["text"]["text"] == f"*Image pushed*\n<{PAGE}|team/app:1.2>"
    assert DIGEST[:19] in body["blocks"][1]["elements"][0]["text"]


@given(st.text() | st.just(NASTY))
def test_nothing_that_a_registry_sent_is_markup_to_slack(name: str) -> None:
    _, body = written(
        Subscription.Form.SLACK, event(tag=name, actor_label=name, data={"reason": name})
    )
    assert "<" not in body["text"]
    line = body["blocks"][0]["text"]["text"].partition("\n")[2]
    assert (line.count("<"), line.count(">"), line.count("|")) == (1, 1, 1)
    told = body["blocks"][1]["elements"][0]["text"]
    assert "<" not in told
    assert "\n" not in told
    assert told.count("`") % 2 == 0


def test_teams_gets_a_card_with_a_button_to_our_page() -> None:
    _, body = written(Subscription.Form.TEAMS, event())
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert [action["url"] for action in card["actions"]] == [PAGE]
    texts = ["".join(run["text"] for run in line["inlines"]) for line in card["body"]]
    assert texts[:3] == ["Image pushed", "team/app:1.2", "Registry: harbour"]


def test_nothing_that_a_registry_sent_is_markup_to_teams() -> None:
    _, body = written(Subscription.Form.TEAMS, event(tag=NASTY, data={"reason": NASTY}))
    # TextBlock and FactSet read Markdown, text runs do not.
    for line in body["attachments"][0]["content"]["body"]:
        assert line["type"] == "RichTextBlock"
        assert {run["type"] for run in line["inlines"]} == {"TextRun"}


def test_long_names_are_cut_to_what_chats_take() -> None:
    long = event(repository="a" * 255, tag="b" * 128, data={"reason": "c" * 100_000})
    _, body = written(Subscription.Form.SLACK, long)
    assert all(
        len(text["text"]) <= 3000
        for text in (body["blocks"][0]["text"], *body["blocks"][1]["elements"])
    )
    assert len(FORMS[Subscription.Form.TEAMS](long, PORTOLAN)[1]) < 20_000


@pytest.mark.parametrize(
    ("told", "page"),
    [
        (event(), "/r/harbour/team/app/-/tags/1.2"),
        (event(tag=""), f"/r/harbour/team/app/-/manifests/{DIGEST.replace(':', '%3A')}"),
        (event(Topic.TAG_DELETED), "/r/harbour/team/app"),
        (event(Topic.REPOSITORY_GONE, tag="", digest=""), "/r/harbour/"),
        (event(Topic.SYNC_FAILED, repository="", tag="", digest=""), "/r/harbour/"),
        (event(Topic.PING, registry="", repository=""), "/"),
    ],
)
def test_links_lead_to_a_page_that_is_still_there(told: Event, page: str) -> None:
    _, body = written(Subscription.Form.STRUCTURED, told)
    assert body["data"]["url"] == PORTOLAN + page
