"""The template tags that lists repeat."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from dashboard.pagination import CappedCount

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "ab" * 32


def render(template: str, **context: object) -> str:
    return engines["django"].from_string(template).render(context, RequestFactory().get("/"))


def test_a_digest_is_short_to_the_eye_and_whole_in_title_and_copy() -> None:
    html = render("{% digest value %}", value=DIGEST)
    assert f'title="{DIGEST}"' in html
    assert f'value="{DIGEST}"' in html
    assert "</span>abababababab</span>" in html


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (1023, "1,023"), (1024, "1.0"), (1_048_575, "1.0"), (157_286_400, "150")],
)
def test_sizes_are_binary(size: int, text: str) -> None:
    assert f">{text}\N{NO-BREAK SPACE}" in render("{% filesize size %}", size=size)


def test_sizes_are_written_as_the_language_writes_numbers() -> None:
    with translation.override("de"):
        assert "1,5\N{NO-BREAK SPACE}KiB" in render("{% filesize 1536 %}")


def test_a_time_says_the_exact_moment_to_the_keyboard_too() -> None:
    html = render("{% when at 'pushed' %}", at=datetime(2026, 11, 3, 14, 5, tzinfo=UTC))
    assert 'datetime="2026-11-03T14:05:00+00:00" tabindex="0"' in html
    assert 'data-tip="3 Nov 2026, 14:05 UTC"' in html
    assert "pushed" in html


def test_what_is_not_known_is_a_dash_with_a_word_for_the_ear() -> None:
    assert 'class="visually-hidden">none<' in render("{% when nothing %}", nothing=None)


def test_a_capped_count_says_that_there_are_more() -> None:
    assert ">1,000+<" in render("{% count n %}", n=CappedCount(1000, capped=True))
    assert ">7<" in render("{% count n %}", n=7)


def test_platforms_beyond_the_first_few_are_counted() -> None:
    html = render("{% platforms names 1 %}", names=["linux/amd64", "linux/arm64"])
    assert ">linux/amd64<" in html
    assert 'data-tip="linux/arm64">+1<' in html


def test_what_a_registry_sent_is_escaped() -> None:
    evil = '"><script>alert(1)</script>'
    for template in ("{% digest evil %}", "{% platforms names %}", "{% copy_button evil %}"):
        assert "<script>" not in render(template, evil=evil, names=[evil])


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    sprite = set(json.loads((ROOT / "static/src/icons.json").read_text()))
    named = set()
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([\w-]+)"', template.read_text()))
    assert named <= sprite
