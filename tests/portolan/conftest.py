"""Files of the command in a directory of each test's own, and no environment of whoever runs them."""

import logging
from pathlib import Path

import pytest

ENVIRONMENT = ("SERVER", "TOKEN", "CONTEXT", "CA_FILE", "DEBUG")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ENVIRONMENT:
        monkeypatch.delenv(f"PORTOLAN_{name}", raising=False)
    monkeypatch.setenv("PORTOLAN_CONFIG_DIR", str(tmp_path / "portolan"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path


@pytest.fixture(autouse=True)
def no_logs_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command keeps none. Where this process was the server for other tests, its log would stand
    among what the command prints."""
    monkeypatch.setattr(logging.getLogger("httpx"), "propagate", False)
