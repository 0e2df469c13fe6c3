"""What holds for every template, read from its source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# What is no text of a language: names, keys, units and what stands between values.
UNTRANSLATED = {"Portolan", "Ctrl", "Ctrl K", "K", "Esc", "root", "s"}

_CODE = re.compile(r"{#.*?#}|{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", re.DOTALL)
_TRANSLATED = re.compile(r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}", re.DOTALL)
_NOT_READ = re.compile(r"<(style|code|script)\b.*?</\1>|<!doctype[^>]*>", re.DOTALL)
_DJANGO = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_ELEMENT = re.compile(r"<[a-zA-Z](?:\"[^\"]*\"|'[^']*'|[^>\"'])*>", re.DOTALL)
POLLS = ("registry/level.html", "dashboard/run.html", "webhooks/ping.html", "image/listed.html")
_READ_OUT = re.compile(
    r'\s(?:title|alt|aria-label|placeholder|data-tip|data-label|data-failed)="([^"]*)"'
)


def without_code(source: str) -> str:
    """A template with a bullet wherever Django puts something in."""
    source = _TRANSLATED.sub("•", _CODE.sub("", source))
    return _DJANGO.sub("•", _NOT_READ.sub("", source))


def texts(source: str) -> set[str]:
    """What people read of a template, or hear, that no catalog of translations can change."""
    html = without_code(source)
    heard = {part for value in _READ_OUT.findall(html) for part in value.split("•")}
    read = {part for piece in re.split(r"<[^>]*>", html) for part in piece.split("•")}
    return {text.strip(" ·\n") for text in heard | read if re.search(r"[A-Za-z]", text)}


def name_of(template: Path) -> str:
    return str(template.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_every_text_can_be_translated(template: Path) -> None:
    assert texts(template.read_text()) <= UNTRANSLATED


def test_a_text_that_cannot_be_translated_would_be_found() -> None:
    source = '{% if x %}<p title="Hear">Read {{ y }}</p>{% translate "Fine" %}{# No #}{% endif %}'
    assert texts(source) == {"Hear", "Read"}


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_what_htmx_fetches_can_be_had_without_it(template: Path) -> None:
    """A link has its address, a form its action, a button the form around it.

    The others are a part of the tree, which holds a link, and a poll, beside which stands one.
    """
    for element in _ELEMENT.findall(without_code(template.read_text())):
        if " hx-get=" not in element and " hx-post=" not in element:
            continue
        kind = element[1:].split()[0]
        needed = {"a": " href=", "form": " action=", "button": " name="}.get(kind, "")
        assert needed in element, element
        assert needed or name_of(template).endswith(POLLS)


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_every_script_has_the_nonce_of_the_policy(template: Path) -> None:
    for element in re.findall(r"<(?:script|style)\b[^>]*>", template.read_text()):
        assert "nonce" in element, element
