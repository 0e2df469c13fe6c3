"""What the page prints for a registry's configuration says what that registry reads."""

from __future__ import annotations

import json

import pytest

from webhooks.inbound.setup import Guide, guides

PORTOLAN = "https://portolan.example.com"
SECRET = "ptl_in_x"


def guide(kind: str) -> Guide:
    (found,) = (it for it in guides("harbour", PORTOLAN, SECRET) if it.kind == kind)
    return found


def test_every_kind_is_told_address_and_secret() -> None:
    for it in guides("harbour", PORTOLAN, SECRET):
        assert f"{PORTOLAN}/hooks/in/harbour" in it.text, it.kind
        assert SECRET in it.text, it.kind
        assert SECRET not in repr(it)


def test_senders_that_set_headers_have_no_secret_in_the_address() -> None:
    for it in guides("harbour", PORTOLAN, SECRET):
        in_address = it.kind in ("Docker Hub", "Quay")
        assert (f"harbour?secret={SECRET}" in it.text) is in_address, it.kind


@pytest.mark.parametrize("kind", ["zot", "Harbor"])
def test_what_is_json_is_json(kind: str) -> None:
    assert json.loads(guide(kind).text)


def test_both_generations_of_distribution_leave_blobs_out_in_their_own_words() -> None:
    assert "ignoredmediatypes:" in guide("Distribution 2.8").text
    assert "ignore:\n        mediatypes:" in guide("Distribution 3").text
