"""What each sender says is understood, and nothing that anybody sends raises."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhooks.inbound import bodies
from tests.webhooks.inbound.bodies import DIGEST, Body, envelope, event
from webhooks.inbound import distribution, harbor, quay, senders
from webhooks.inbound.senders import KEPT_BYTES, KEPT_LEAST, MOST_EVENTS, SENDERS, understand
from webhooks.inbound.told import Heard, Misread, Told, host_of, moment

NOON = datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)


def heard(body: object, **headers: str) -> list[Heard]:
    return [it for it, _ in understand(headers, json.dumps(body).encode())]


def told(body: object, **headers: str) -> dict[str, Any]:
    """The one thing told, without what is empty."""
    (one,) = heard(body, **headers)
    assert isinstance(one, Told), one
    return {name: value for name, value in asdict(one).items() if value}


def why(body: object, **headers: str) -> str:
    (one,) = heard(body, **headers)
    assert isinstance(one, Misread), one
    return one.why


def without_id(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "event_id"}


# Distribution -------------------------------------------------------------------------------------


def test_a_push_of_distribution_is_told_with_who_and_from_where() -> None:
    assert told(envelope(event())) == {
        "event_id": "e-1",
        "verb": "push",
        "repository": "team-a/app",
        "tag": "1.0",
        "digest": DIGEST,
        "actor": "anna",
        "agent": "docker/28.0.1",
        "address": "192.168.64.11",
        "method": "PUT",
        "occurred_at": datetime(2026, 11, 26, 0, 2, 3, 123456, tzinfo=UTC),
    }


def test_events_of_blobs_are_left_out_and_those_of_manifests_are_not() -> None:
    layer = event(mediaType="application/octet-stream", tag=None, event_id="blob")
    mounted = event("mount", mediaType=None, tag=None, event_id="mounted")
    index = event(mediaType="application/vnd.oci.image.index.v1+json", event_id="index")
    deleted = event("delete", mediaType=None, tag=None, event_id="gone")
    found = heard(envelope(layer, mounted, index, deleted))
    assert [it.event_id for it in found if isinstance(it, Told)] == ["index", "gone"]
    assert heard(envelope(layer)) == []


def test_one_broken_event_does_not_take_the_others_along() -> None:
    found = heard(envelope(event(), "no event", event(repository="Not/A Path"), event(tag="-")))
    assert [type(it) for it in found] == [Told, Misread, Misread, Misread]


def test_an_event_without_an_id_gets_one_each_time() -> None:
    anonymous = envelope(event(event_id=""))
    assert told(anonymous)["event_id"] != told(anonymous)["event_id"]


# Others -------------------------------------------------------------------------------------------


def test_acr_sends_the_event_bare_and_deletes_by_digest() -> None:
    gone = told(bodies.acr("delete", tag=None))
    assert (gone["verb"], gone["digest"], "tag" in gone) == ("delete", DIGEST, False)
    assert told(bodies.acr("quarantine"))["verb"] == "quarantine"
    assert told(bodies.ACR_PING)["verb"] == "ping"
    assert "no catalog" in told(bodies.acr("chart_push"))["ignored"]


def test_harbor_tells_in_both_of_its_forms() -> None:
    common = {"repository": "team-a/app", "tag": "1.0", "digest": DIGEST, "actor": "robot$ci"}
    pushed = told(bodies.HARBOR)
    assert pushed == common | {
        "verb": "push",
        "event_id": pushed["event_id"],
        "occurred_at": datetime.fromtimestamp(1764115323, UTC),
    }
    assert told(bodies.HARBOR_CLOUD) == common | {
        "verb": "pull",
        "event_id": "66e18103",
        "occurred_at": NOON,
    }


def test_harbors_digest_in_the_place_of_a_tag_is_no_tag() -> None:
    data = {
        "resources": [{"digest": DIGEST, "tag": DIGEST}, {"digest": DIGEST, "tag": "2"}],
        "repository": {"repo_full_name": "team-a/app"},
    }
    first, second = heard(bodies.HARBOR_CLOUD | {"data": data})
    assert isinstance(first, Told)
    assert isinstance(second, Told)
    assert (first.tag, second.tag) == ("", "2")
    assert first.event_id != second.event_id


def test_harbors_scans_and_quotas_are_nothing_to_do() -> None:
    assert "SCANNING_COMPLETED" in told(bodies.HARBOR | {"type": "SCANNING_COMPLETED"})["ignored"]


def test_docker_hub_tells_of_a_push_without_digest() -> None:
    assert without_id(told(bodies.DOCKER_HUB)) == {
        "verb": "push",
        "repository": "acme/app",
        "tag": "latest",
        "actor": "acmebot",
        "occurred_at": datetime.fromtimestamp(1764115323, UTC),
    }


def test_quay_tells_of_each_tag_and_equal_pushes_are_two() -> None:
    first, second = heard(bodies.QUAY), heard(bodies.QUAY)
    assert [it.tag for it in first if isinstance(it, Told)] == ["latest", "1.0"]
    ids = [it.event_id for it in first + second if isinstance(it, Told)]
    assert len(set(ids)) == 4


def test_github_tells_of_container_packages_by_the_headers() -> None:
    headers = {"x-github-event": "registry_package", "x-github-delivery": "d-1"}
    assert told(bodies.GITHUB, **headers) == {
        "event_id": "d-1",
        "verb": "push",
        "repository": "acme/app",
        "tag": "1.0",
        "digest": DIGEST,
        "actor": "octo",
        "occurred_at": NOON,
    }
    other = bodies.GITHUB | {"registry_package": {"name": "lib", "package_type": "npm"}}
    assert "no container image" in told(other, **headers)["ignored"]
    assert told({"zen": "Design for failure."}, **(headers | {"x-github-event": "ping"}))[
        "verb"
    ] == ("ping")


def test_gitea_tells_of_containers_and_is_not_taken_for_github() -> None:
    assert told(bodies.GITEA, **bodies.GITEA_HEADERS) == {
        "event_id": "d-2",
        "verb": "push",
        "repository": "acme/tools/app",
        "tag": "1.0",
        "actor": "octo",
        "occurred_at": NOON,
    }


def test_gitea_tells_of_deletions_and_of_manifests_without_a_tag() -> None:
    package = bodies.GITEA["package"]
    untagged = bodies.GITEA | {"action": "deleted", "package": package | {"version": DIGEST}}
    assert told(untagged, **bodies.GITEA_HEADERS) == {
        "event_id": "d-2",
        "verb": "delete",
        "repository": "acme/tools/app",
        "digest": DIGEST,
        "actor": "octo",
    }


@pytest.mark.parametrize("odd", [{"action": "copied"}, {"package": {"type": "npm"}}, {}])
def test_gitea_tells_of_other_things_that_are_left_alone(odd: dict[str, Any]) -> None:
    headers = bodies.GITEA_HEADERS if odd else bodies.GITEA_HEADERS | {"x-gitea-event": "push"}
    found = told(bodies.GITEA | odd, **headers)
    assert (found["verb"], bool(found["ignored"])) == ("other", True)


def test_a_gitlab_project_tells_nothing_and_its_registry_speaks_as_distribution() -> None:
    hook = {"x-gitlab-event": "Push Hook", "x-gitlab-event-uuid": "u-1"}
    assert told({"object_kind": "push"}, **hook)["ignored"]
    assert told(envelope(event()), **hook)["verb"] == "push"


def test_zot_tells_in_headers_and_structured() -> None:
    expected = {
        "event_id": "zot-1",
        "verb": "push",
        "repository": "team-a/app",
        "tag": "1.0",
        "digest": DIGEST,
        "occurred_at": NOON,
    }
    assert told(bodies.ZOT, **bodies.ZOT_HEADERS) == expected
    structured = {
        "id": "zot-1",
        "type": "zotregistry.image.updated",
        "time": "2026-11-26T01:02:03Z",
        "data": bodies.ZOT,
    }
    assert told(structured) == expected
    by_digest = told(bodies.ZOT | {"reference": DIGEST}, **bodies.ZOT_HEADERS)
    assert "tag" not in by_digest


# Whatever comes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a":' * 5_000, "no JSON"),
        (b'{"hello": "world"}', "no sender"),
        (b'{"action": "push"}', "names no repository"),
        (b'{"action": "push", "target": {"repository": "a\\u0000\\u0000/../b"}}', "be called"),
    ],
)
def test_junk_says_what_is_wrong_with_it(body: bytes, said: str) -> None:
    ((one, words),) = understand({}, body)
    assert isinstance(one, Misread)
    assert said in one.why
    assert "\0" not in words
    assert len(words) <= KEPT_BYTES


def test_an_envelope_without_end_is_cut() -> None:
    found = heard(envelope(*(event(event_id=str(at)) for at in range(MOST_EVENTS + 5))))
    assert len(found) == MOST_EVENTS + 1
    assert isinstance(found[-1], Misread)


def _of_many(count: int) -> dict[str, Body]:
    image = {"digest": DIGEST, "tag": "1"}
    data = {"resources": [image] * count, "repository": {"repo_full_name": "team-a/app"}}
    return {
        "distribution": envelope(*(event(event_id=str(at)) for at in range(count))),
        "quay": bodies.QUAY | {"updated_tags": ["1"] * count},
        "harbor": bodies.HARBOR | {"event_data": data},
        "harbor's cloud events": bodies.HARBOR_CLOUD | {"data": data},
    }


@pytest.mark.parametrize("sender", _of_many(0))
def test_what_names_thousands_is_written_once_and_read_up_to_the_limit(
    sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(_of_many(3 * MOST_EVENTS)[sender]).encode()
    written: list[int] = []
    taken: list[Heard] = []

    def write(said: object) -> bytes:
        written.append(len(json.dumps(said)))
        return b"{}"

    def counted(told: Told) -> Heard:
        taken.append(told)
        return told

    monkeypatch.setattr(senders, "_written", write)
    for module in (distribution, quay, harbor):
        monkeypatch.setattr(module, "named", counted)
    found = understand({}, body)
    assert sum(written) <= len(body)
    assert sum(len(words) for _, words in found) <= KEPT_LEAST * MOST_EVENTS
    assert len(taken) == MOST_EVENTS + 1
    assert [type(it) for it, _ in found] == [Told] * MOST_EVENTS + [Misread]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("id", "timestamp", "action", "target", "request", "actor", "events", "type"),
                    *("event_data", "data", "resources", "repository", "repo_full_name", "tag"),
                    *("digest", "push_data", "pushed_at", "updated_tags", "docker_url", "addr"),
                    *("package", "registry_package", "package_version", "name", "reference"),
                    *(
                        "container_metadata",
                        "mediaType",
                        "occur_at",
                        "time",
                        "operator",
                        "resources",
                    ),
                )
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "x-github-event": st.sampled_from(("package", "ping", "")),
        "x-gitea-event": st.sampled_from(("package", "push")),
        "x-gitlab-event": st.just("Push Hook"),
        "ce-type": st.sampled_from(("zotregistry.image.updated", "other")),
        "ce-id": st.text(max_size=300),
    },
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, HEADERS)
def test_no_reader_raises_and_nothing_is_longer_than_its_column(
    body: object, headers: dict[str, str]
) -> None:
    limits = {"event_id": 255, "repository": 255, "tag": 128, "digest": 140, "method": 8}
    for it, words in understand(headers, json.dumps(body).encode()):
        assert "\0" not in words
        if isinstance(it, Misread) or it.ignored:
            continue
        assert all(len(getattr(it, name)) <= most for name, most in limits.items())
        assert it.event_id
        assert "\0" not in f"{it}"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SENDERS), ANYTHING)
def test_a_sender_that_is_taken_for_another_reads_on(sender: Any, body: object) -> None:
    document = body if isinstance(body, dict) else {}
    headers = bodies.ZOT_HEADERS | bodies.GITEA_HEADERS
    for it, _said in sender.read(headers, document):
        assert isinstance(it, (Told, Misread))


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_a_moment_is_one_of_our_time_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or 2000 <= found.year < 2200


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.1:4000", "10.0.0.1"),
        ("[::1]:4000", "::1"),
        ("::1", "::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_its_port(address: str, host: str) -> None:
    assert host_of(address) == host
