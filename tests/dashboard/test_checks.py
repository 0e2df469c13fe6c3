"""What `manage.py check` says of an installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.core.checks import run_checks
from django.db import connections
from pytest_django import Settings

GOOD_KEY = "k3y-" + "abcdefghij" * 6


def ids(tags: list[str] | None = None, databases: list[str] | None = None) -> set[str]:
    found_ones = run_checks(tags=tags, databases=databases)
    return {str(found.id) for found in found_ones if str(found.id).startswith("portolan.")}


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.SECRET_KEY = GOOD_KEY
    settings.PUBLIC_URL = "https://portolan.example.com"
    settings.DEBUG = False


def test_a_sound_installation_passes() -> None:
    assert ids() == set()


@pytest.mark.parametrize("key", ["short", "a" * 80])
def test_a_weak_key_is_an_error(settings: Settings, key: str) -> None:
    settings.SECRET_KEY = key
    assert ids() == {"portolan.E001"}


@pytest.mark.parametrize(
    "url", ["portolan.example.com", "https://portolan.example.com/path", "ftp://x", "https://"]
)
def test_an_address_nobody_can_open_is_an_error(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = url
    assert "portolan.E002" in ids()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://portolan.example.com", {"portolan.W001"}),
        ("http://10.0.0.8:8000", {"portolan.W001"}),
        ("http://127.0.0.1:8000", set()),
        ("http://localhost:8000", set()),
        ("http://[::1]:8000", set()),
    ],
)
def test_plain_http_is_for_ones_own_machine(settings: Settings, url: str, found: set[str]) -> None:
    settings.PUBLIC_URL = url
    assert ids() == found


def test_debug_where_others_can_look_is_an_error(settings: Settings) -> None:
    settings.DEBUG = True
    assert ids() == {"portolan.E003"}
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert ids() == set()


def test_a_network_for_webhooks_that_cannot_be_read_is_an_error(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.0.0.0/8", "hooks.corp"]
    assert ids() == set()
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.0.0.1/8"]
    assert ids() == {"portolan.E006"}


@pytest.mark.django_db
def test_the_database_has_what_search_needs() -> None:
    assert ids(tags=["database"], databases=["default"]) == set()


def _without_trigrams(execute: Callable[[str], object], sql: str) -> object:
    return execute(sql.replace("'pg_trgm'", "'no such thing'"))


@pytest.mark.django_db
def test_a_database_without_trigrams_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = connections["default"].cursor

    def barren() -> object:
        real = cursor()
        execute = real.execute
        barren_one = partial(_without_trigrams, execute)
        monkeypatch.setattr(real, "execute", barren_one)
        return real

    monkeypatch.setattr(connections["default"], "cursor", barren)
    assert ids(tags=["database"], databases=["default"]) == {"portolan.E005"}
