"""/livez and /readyz: what orchestrators and load balancers are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError


def broken(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_living_process_says_so_without_asking_the_database(client: Client) -> None:
    response = client.get("/livez")  # without the db mark, any query would fail
    assert response.status_code == 200
    assert response.content == b"ok\n"


def test_a_probe_by_a_machine_s_address_is_answered_and_a_page_is_not(client: Client) -> None:
    by_address = {"host": "10.1.2.3:8000"}
    assert client.get("/livez", headers=by_address).status_code == 200
    assert client.get("/accounts/login/", headers=by_address).status_code == 400


@pytest.mark.django_db
def test_ready_means_that_every_part_is_there(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "parts": {"postgres": "ok", "migrations": "ok", "redis": "ok"},
    }
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_redis_being_down_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dashboard.views.health.cache.get", broken(RedisConnectionError("at redis.internal:6379"))
    )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"] == {"postgres": "ok", "migrations": "ok", "redis": "down"}
    assert b"redis.internal" not in response.content


@pytest.mark.django_db
def test_postgres_being_down_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dashboard.views.health.connection.cursor", broken(OperationalError("password=secret"))
    )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["postgres"] == "down"
    assert b"secret" not in response.content


@pytest.mark.django_db
def test_migrations_to_apply_are_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def two(*_: object) -> list[object]:
        return [object(), object()]

    monkeypatch.setattr("dashboard.views.health.MigrationExecutor.migration_plan", two)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["migrations"] == "2 to apply"
