"""The table of kinds, and the page that repeats it."""

from __future__ import annotations

from pathlib import Path

from registries.connectors import CONNECTORS, Ability
from registries.management.commands.kinds import table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "registries.md"


def test_every_kind_is_a_row_and_everything_it_may_offer_a_column() -> None:
    head, _, *rows = table().splitlines()
    assert len(rows) == len(CONNECTORS)
    assert {row.count("|") for row in rows} == {head.count("|")} == {len(Ability) + 4}


def test_a_kind_says_that_it_tests_webhooks_if_and_only_if_it_does() -> None:
    does = {kind for kind, one in CONNECTORS.items() if "ping_webhook" in vars(one)}
    assert does == {kind for kind, one in CONNECTORS.items() if Ability.PINGS in one.abilities}


def test_the_page_on_kinds_has_the_table_as_it_is() -> None:
    assert table() in PAGE.read_text(), (
        "put the output of `manage.py kinds` into docs/registries.md"
    )


def test_the_page_says_of_every_kind_how_it_is_connected() -> None:
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    for connector in CONNECTORS.values():
        name = connector.label.split()[0]
        assert any(name in heading for heading in headings), connector.label
