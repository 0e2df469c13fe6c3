"""What goes wrong has one shape, wherever it goes wrong."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from dashboard.api.resources import LARGEST_BODY
from dashboard.governance.tree import BYTES
from tests import catalog
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db
TYPE = "application/problem+json"


def test_what_one_may_not_see_is_not_there(api_outsider: Api) -> None:
    catalog.registry("prod")
    hidden, absent = (api_outsider.get(f"/registries/{name}") for name in ("prod", "nothing"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == absent.json()
    assert hidden.headers["Content-Type"] == TYPE


def test_what_one_may_see_and_not_do_says_which_right_is_missing(api_viewer: Api) -> None:
    catalog.registry("prod")
    refused = api_viewer.post("/registries/prod/runs").json()
    assert refused["code"] == "forbidden"
    assert (refused["action"], refused["scope"]) == ("registry manage", "prod")


def test_an_address_that_there_is_not_answers_as_the_api_does(api_owner: Api) -> None:
    answer = api_owner.get("/nowhere")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, TYPE)


def test_a_method_that_is_not_offered_names_those_that_are(api_owner: Api) -> None:
    catalog.registry("prod")
    answer = api_owner.ask("PUT", "/registries/prod/runs")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"full": NaN}', b'{"full": true}]'])
def test_a_body_that_is_no_json_is_refused(api_owner: Api, body: bytes) -> None:
    catalog.registry("prod")
    answer = api_owner.post("/registries/prod/runs", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_body_that_is_no_object_is_refused(api_owner: Api, body: object) -> None:
    catalog.registry("prod")
    answer = api_owner.post("/registries/prod/runs", [body] if body is None else body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_misspelt_field_is_refused_and_the_right_one_named(api_owner: Api) -> None:
    catalog.registry("prod")
    answer = api_owner.post("/registries/prod/runs", {"fulll": True})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "fulll"
    assert "“full”" in error["detail"]


def test_a_misspelt_parameter_is_refused_and_the_right_one_named(api_owner: Api) -> None:
    answer = api_owner.get("/registries", sorted="name")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "sorted"
    assert "“sort”" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"sort": "size"},
        {"fields": "name,nothing"},
        {"after": "\x00"},
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(api_owner: Api, query: dict[str, Any]) -> None:
    answer = api_owner.get("/registries", **query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_a_sync_that_is_running_already_is_a_conflict_that_names_it(
    api_owner: Api, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    monkeypatch.setattr("registries.tasks.sync_registry.delay", lambda _run: None)
    catalog.registry("prod")
    first = api_owner.post("/registries/prod/runs")
    assert first.status_code == 202
    second = api_owner.post("/registries/prod/runs")
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert second.json()["run"] == first.json()["id"]


def test_what_breaks_is_logged_under_the_id_that_is_told(
    api_owner: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("the secret of the boiler room")

    monkeypatch.setattr("dashboard.api.catalog.registries.cards_of", broken)
    with caplog.at_level(logging.ERROR):
        answer = api_owner.send("GET", "/registries")
    assert answer.status_code == 500
    assert "boiler" not in answer.content.decode()
    assert answer.json()["error_id"] in caplog.text


def test_fields_that_an_action_refuses_are_told_by_name(
    api_owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise ValidationError({"name": ["Too long.", "Not nice."], "__all__": ["Not now."]})

    catalog.registry("prod")
    monkeypatch.setattr("dashboard.api.catalog.runs.start_sync", refused)
    answer = api_owner.post("/registries/prod/runs").json()
    assert answer["errors"] == [
        {"field": "name", "detail": "Too long."},
        {"field": "name", "detail": "Not nice."},
    ]
    assert "Not now." in answer["detail"]


def test_another_media_type_than_json_is_refused(api_owner: Api) -> None:
    catalog.registry("prod")
    form = "application/x-www-form-urlencoded"
    answer = api_owner.send("POST", "/registries/prod/runs", b"full=true", content_type=form)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api_viewer: Api) -> None:
    for key in ({}, {"Idempotency-Key": "large"}):
        refused = api_viewer.post("/tokens", b" " * (LARGEST_BODY + 1), headers=key)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert api_viewer.post("/tokens", b" " * LARGEST_BODY, headers=key).status_code != 413


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "large"}])
def test_a_governance_file_may_be_larger_than_other_bodies(
    api_viewer: Api, key: dict[str, str]
) -> None:
    text = "version: 1\n" + "#\n" * (BYTES // 2 - 10)
    planned = api_viewer.post("/plan", {"document": text}, headers=key)
    assert (planned.status_code, planned.json()["changes"]) == (200, [])
    refused = api_viewer.post("/plan", b" " * (2 * BYTES + 1), headers=key)
    assert refused.status_code == 413
