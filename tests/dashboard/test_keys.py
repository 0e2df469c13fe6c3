"""Keys come from the operator; only an installation that is being tried out makes its own."""

import base64
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import keys


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "PORTOLAN_TRIAL"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def encoded(byte: int, length: int = 32) -> str:
    return base64.b64encode(bytes([byte]) * length).decode()


def test_production_without_keys_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY"):
        keys.secret_key(tmp_path)
    with pytest.raises(ImproperlyConfigured, match="Set ENCRYPTION_KEYS"):
        keys.encryption_keys(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_trial_makes_its_keys_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTOLAN_TRIAL", "1")
    home = tmp_path / "data"
    assert keys.secret_key(home) == keys.secret_key(home)
    assert keys.encryption_keys(home) == keys.encryption_keys(home)
    assert len(keys.secret_key(home)) >= 50


def test_made_keys_are_for_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTOLAN_TRIAL", "1")
    keys.secret_key(tmp_path)
    keys.encryption_keys(tmp_path)
    files = list(tmp_path.iterdir())
    assert len(files) == 2  # no drafts are left over
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_a_key_another_process_made_first_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTOLAN_TRIAL", "1")

    def slow_to_make(count: int) -> str:
        (tmp_path / "secret_key").write_text("the other's")
        return "ours"

    monkeypatch.setattr("dashboard.keys.secrets.token_urlsafe", slow_to_make)
    assert keys.secret_key(tmp_path) == "the other's"
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_the_first_listed_key_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", f"new:{encoded(2)},old:{encoded(1)}")
    assert list(keys.encryption_keys(tmp_path).items()) == [
        ("new", b"\x02" * 32),
        ("old", b"\x01" * 32),
    ]


@pytest.mark.parametrize(
    "listed",
    [
        encoded(1),  # no id
        f"k1:{encoded(1, 16)}",  # too short
        f"k:1:{encoded(1)}",
        f"k-1:{encoded(1)}",  # the id is part of a stored form with its own separators
        "k1:not base64!",
        f"k1:{encoded(1)},",
    ],
)
def test_a_key_of_another_form_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", listed)
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS must be") as refusal:
        keys.encryption_keys(tmp_path)
    assert listed not in str(refusal.value)
