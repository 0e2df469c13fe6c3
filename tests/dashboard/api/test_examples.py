"""Every operation shows what is sent and what comes back, and each example is what it says it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from dashboard.api.problems import MEDIA_TYPE
from tests.dashboard.api.client import description
from tests.dashboard.api.test_description import operations

# A secret whole: prefix, key id, and the part that nobody may have.
SECRET = re.compile(r"(ptl_[a-z]+_\w+|whsec)_\w+")
# Times as this API writes them; and nothing is looked up for it.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def contents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of each operation what is sent and what a success is answered with: name, type, content."""
    for _path, _method, operation in operations():
        name = operation["operationId"]
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} (sent)", media_type, content
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                if media_type != MEDIA_TYPE:
                    yield f"{name} ({status})", media_type, content


CONTENTS = list(contents())
SHOWN = [
    (name, called, content["schema"], example["value"])
    for name, media_type, content in CONTENTS
    for called, example in content.get("examples", {}).items()
    if media_type == "application/json"
]


def test_every_body_and_every_answer_has_an_example() -> None:
    without = [
        (name, media_type)
        for name, media_type, content in CONTENTS
        # A manifest's own bytes; its types are many.
        if not content.get("examples") and not name.startswith("download_manifest")
    ]
    assert without == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [pytest.param(schema, value, id=f"{name} {called}") for name, called, schema, value in SHOWN],
)
def test_an_example_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    Exactly({"components": strict(), **schema}).validate(value)


def test_examples_are_of_one_company_and_hold_no_secret() -> None:
    said = json.dumps([value for _name, _called, _schema, value in SHOWN])
    assert SECRET.findall(said) == []
    assert set(re.findall(r"user:(\w+)", said)) <= {"anna", "otto"}
    assert set(re.findall(r"team:(\w+)", said)) == {"shop"}
    assert set(re.findall(r"sp:([\w-]+)", said)) == {"shop-builds"}
    assert set(re.findall(r'"registry": "(\w+)"', said)) <= {"prod", "harbour", "hub"}


@cache
def strict() -> dict[str, Any]:
    """The components, with nothing in an object that they do not name."""
    components: dict[str, Any] = deepcopy(description()["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return components


def _format(_validator: Any, form: str, value: Any, _schema: Any) -> Iterator[Any]:
    if form == "date-time" and isinstance(value, str) and not TIME.fullmatch(value):
        yield ValidationError(f"{value} is no time")


Exactly = extend(Draft202012Validator, {"format": _format})  # type: ignore[no-untyped-call]  # it has no types
