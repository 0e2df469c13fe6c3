"""The description is valid, complete, and says what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.views import APIView

from dashboard.api.problems import Code
from dashboard.api.resources import Resource
from tests.dashboard.api.client import Api, description
from tests.dashboard.test_anonymous_endpoints import patterns

# The description itself is not described.
APART = {"api/v1/schema/"}


def resources() -> Iterator[tuple[str, type[APIView]]]:
    for route, entry in patterns(get_resolver()):
        view = getattr(entry.callback, "cls", None)
        if route.startswith("api/") and isinstance(view, type) and issubclass(view, APIView):
            yield route, view


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_valid_and_made_without_a_warning() -> None:
    GENERATOR_STATS.reset()
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # it has no types
    validate_schema(made)  # type: ignore[no-untyped-call]  # it has no types
    GENERATOR_STATS.emit_summary()  # what a failure shows
    assert not GENERATOR_STATS


def test_every_address_and_method_is_described() -> None:
    described = {(path, method) for path, method, _ in operations()}
    for route, view in resources():
        if route in APART:
            continue
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        for method in ("get", "post", "put", "patch", "delete"):
            assert ((path, method) in described) == hasattr(view, method), (path, method)


def test_every_address_is_a_resource_of_ours() -> None:
    assert [route for route, view in resources() if not issubclass(view, Resource)] == []


def test_every_operation_has_a_name_a_summary_and_an_area() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for path, method, operation in operations():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), (path, method)
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        assert len(operation["tags"]) == 1, (path, method)


def test_every_change_is_told_what_may_be_refused() -> None:
    for path, method, operation in operations():
        answers = set(operation["responses"])
        assert {"400", "401", "403", "404", "429"} <= answers, (path, method)
        if method in ("post", "put", "patch"):
            assert {"409", "415", "422"} <= answers, (path, method)


def test_codes_are_all_named_in_its_head() -> None:
    for code in Code:
        assert f"`{code.value}`" in description()["info"]["description"]


@pytest.mark.django_db
def test_it_is_served_to_who_is_signed_in(api_outsider: Api) -> None:
    answer = api_outsider.send("GET", "/schema/")
    assert answer.json() == description()
    known = {"If-None-Match": answer.headers["ETag"]}
    assert api_outsider.send("GET", "/schema/", headers=known).status_code == 304
    assert Api().send("GET", "/schema/").status_code == 401
