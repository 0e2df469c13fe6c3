"""What can be read in a registry's token, and what of it is not believed."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci.tokens import actions_in, claims_of, seconds_left

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def token(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def test_a_token_says_how_long_it_is_good_for() -> None:
    assert seconds_left(token({"exp": NOW.timestamp() + 4500}), NOW) == 4500


@pytest.mark.parametrize("ends", [None, "soon", True, 1, NOW.timestamp()])
def test_an_end_that_is_none_or_past_says_nothing(ends: object) -> None:
    assert seconds_left(token({"exp": ends}), NOW) is None


def test_only_the_repository_asked_for_counts() -> None:
    claims = {
        "access": [
            {"type": "repository", "name": "team/app", "actions": ["pull", "delete"]},
            {"type": "repository", "name": "team/other", "actions": ["push"]},
            {"type": "registry", "name": "team/app", "actions": ["*"]},
            "nonsense",
        ]
    }
    assert actions_in(f"Bearer {token(claims)}", "team/app") == frozenset({"pull", "delete"})
    assert actions_in(f"Bearer {token({'access': []})}", "team/app") == frozenset()


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer opaque", f"Bearer {token({})}"])
def test_what_cannot_be_read_grants_nothing_and_denies_nothing(header: str | None) -> None:
    assert actions_in(header, "team/app") is None


@given(st.text() | st.lists(st.text("eyJ_-=9"), min_size=3, max_size=3).map(".".join))
def test_no_text_is_more_than_a_token_without_claims(text: str) -> None:
    assert isinstance(claims_of(text), dict)
