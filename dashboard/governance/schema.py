"""The JSON Schema (draft 2020-12) of governance files, for editors and pipelines.

It follows from the table of sections. It is a first look: what only the server can judge (whether a
role is there, whether a scope is one) is judged by a plan.
"""

from __future__ import annotations

from typing import Any

from dashboard.governance.document import VERSION
from dashboard.governance.sections import CLAIM_RULES, MEMBERS, SECTIONS, TOP, Field, Section

ID = "urn:portolan:governance:1"


def schema() -> dict[str, Any]:
    """The schema of a whole file, as JSON's values."""
    sections = {
        name: {
            "type": "array",
            "description": SECTIONS[name].about,
            "items": _thing(SECTIONS[name]),
        }
        for name in TOP
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Governance of Portolan",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {"version": {"const": VERSION}, **sections},
    }


def _thing(section: Section) -> dict[str, Any]:
    fields = [one for one in section.fields if not (section.parent and one.name == "team")]
    properties = {one.name: _described(one) for one in fields}
    if section.name == "teams":
        people = {"type": "array", "items": MEMBERS.by_name["user"].kind.schema()}
        properties["maintainers"] = {**people, "description": "May add and remove members."}
        properties["members"] = {**people, "description": MEMBERS.about}
        properties[CLAIM_RULES.name] = {
            "type": "array",
            "description": CLAIM_RULES.about,
            "items": _thing(CLAIM_RULES),
        }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [one.name for one in fields if one.required],
        "properties": properties,
    }


def _described(one: Field) -> dict[str, Any]:
    said = one.kind.schema()
    if one.about:
        said["description"] = one.about
    if not one.required and not one.is_secret and not one.hint and one.default is not None:
        said["default"] = one.kind.write(one.default)
    return said
