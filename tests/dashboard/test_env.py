"""The environment is read strictly: what makes no sense is refused with the variable's name."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import env


def test_a_variable_is_read_without_the_space_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NAME", "  a value\n")
    assert env.text("SOME_NAME") == "a value"


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("SOME_NAME", "from the environment")
    monkeypatch.setenv("SOME_NAME_FILE", str(tmp_path / "secret"))
    assert env.text("SOME_NAME") == "from the file"


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_NAME_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="SOME_NAME_FILE"):
        env.text("SOME_NAME")


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_NAME", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SOME_NAME"):
        env.text("SOME_NAME")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NAME", "  ")
    assert env.text("SOME_NAME", "default") == "default"


@pytest.mark.parametrize(
    ("value", "meant"), [("yes", True), ("1", True), ("ON", True), ("no", False), ("False", False)]
)
def test_a_flag_takes_the_usual_words(
    monkeypatch: pytest.MonkeyPatch, value: str, meant: bool
) -> None:
    monkeypatch.setenv("SOME_NAME", value)
    assert env.flag("SOME_NAME", default=not meant) is meant


def test_a_flag_does_not_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NAME", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SOME_NAME must be yes or no"):
        env.flag("SOME_NAME", default=True)


def test_a_number_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NAME", "eight")
    with pytest.raises(ImproperlyConfigured, match="SOME_NAME must be a whole number"):
        env.number("SOME_NAME", 8)


def test_words_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NAME", "one, two,,three ")
    assert env.words("SOME_NAME") == ["one", "two", "three"]


def test_a_database_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss@db:5433/port?sslmode=require")
    assert env.database() == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "port",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    "url",
    ["postgresql://me@%2Frun%2FPostgres/port", "postgresql://me@/port?host=/run/Postgres"],
)
def test_a_socket_directory_keeps_its_case(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert env.database()["HOST"] == "/run/Postgres"


def test_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///some.db")
    with pytest.raises(ImproperlyConfigured, match="SQLite is not supported"):
        env.database()


@pytest.mark.parametrize("text", ["5,soon", "-1", "nan", "inf"])
def test_pauses_that_nobody_can_wait_are_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PAUSES", "5, 0.5")
    assert env.pauses("PAUSES", "1") == [5.0, 0.5]
    monkeypatch.setenv("PAUSES", text)
    with pytest.raises(ImproperlyConfigured, match="PAUSES"):
        env.pauses("PAUSES", "1")
