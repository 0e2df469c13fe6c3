"""A first page, with everything it loads, stays light. Needs the built assets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

LIMIT = 200 * 1024
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_the_first_page_weighs_less_than_200_kilobytes(as_owner: Client) -> None:
    if not (ROOT / "static/dist/portolan.css").exists():
        pytest.skip("the assets are not built: npm run build")
    page = as_owner.get("/registries/").content.decode()
    loaded = set(re.findall(r'(?:src|href)="/static/([^"#]+)', page))
    assert {"portolan.css", "portolan.js", "icons.svg"} <= loaded
    weight = len(gzip.compress(page.encode())) + sum(map(compressed, loaded | {"rhumb-lines.svg"}))
    assert weight < LIMIT


def test_no_page_loads_anything_from_another_host() -> None:
    for source in (ROOT / "templates").rglob("*.html"):
        assert not re.search(r'(?:src|href)="(?:https?:)?//', source.read_text()), source


def test_no_template_has_styles_or_handlers_that_the_policy_forbids() -> None:
    for source in (ROOT / "templates").rglob("*.html"):
        assert not re.search(r'\s(?:style|on\w+)="|hx-on|<style>', source.read_text()), source


def compressed(name: str) -> int:
    path = finders.find(name)
    assert isinstance(path, str), name
    return len(gzip.compress(Path(path).read_bytes()))
