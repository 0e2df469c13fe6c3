"""What people type for an image."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portolan.failures import Misused
from portolan.references import Reference, parse

DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("prod/app", Reference("prod", "app")),
        ("prod/team-a/app:1.0", Reference("prod", "team-a/app", "1.0")),
        (f"prod/team-a/app@{DIGEST}", Reference("prod", "team-a/app", "", DIGEST)),
        (f"prod/app:1@{DIGEST}", Reference("prod", "app", "1", DIGEST)),
        ("localhost:5000/app:1", Reference("localhost:5000", "app", "1")),
        ("docker://registry.example.com/a/b:1", Reference("registry.example.com", "a/b", "1")),
    ],
)
def test_an_image_is_written_as_docker_writes_it(text: str, reference: Reference) -> None:
    assert parse(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", "prod", "prod/", "/app", "prod/app:", "prod/app@sha256:12", "prod/app:a/b", "prod/app:-1",
     "prod/../x", "prod/app/-/tags", "prod/a b"],
)  # fmt: skip
def test_what_is_no_image_is_said_so(text: str) -> None:
    with pytest.raises(Misused):
        parse(text)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = parse(text)
    except Misused:
        return
    assert found.registry
    assert found.path
