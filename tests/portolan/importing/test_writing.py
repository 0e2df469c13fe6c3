"""The file that an import writes, as the server's strict reader sees it."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.governance import document, tree
from portolan.importing.writing import write

AWKWARD = (
    "no",
    "1e3",
    "0x1f",
    "12:30",
    "- a",
    "a: b",
    "a #b",
    "*x",
    "&x",
    "null",
    "~",
    "",
    "a" * 300,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"]))))
def test_every_text_comes_back_as_it_was(texts: list[str]) -> None:
    root = tree.read(write({"version": 1, "texts": texts}))
    assert [node.value for node in root.value["texts"].value] == texts


def test_what_is_the_same_twice_is_written_twice() -> None:
    actions = ["content read", "content write"]
    roles = [{"name": name, "label": name, "actions": actions} for name in ("a", "b")]
    text = write({"version": 1, "roles": roles})
    assert "&id" not in text
    assert len(document.parse(text).items["roles"]) == 2


def test_the_file_is_the_same_for_everybody_and_says_what_to_do_with_it() -> None:
    text = write({"version": 1, "grants": [{"principal": "sp:ci", "scope": "hub/a/*"}]})
    assert text.endswith("version: 1\n\ngrants:\n  - principal: sp:ci\n    scope: hub/a/*\n")
    assert "portolan plan FILE" in text
    assert yaml.safe_load(text)["grants"] == [{"principal": "sp:ci", "scope": "hub/a/*"}]
