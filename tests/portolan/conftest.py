"""Files of the command in a directory of each test's own, and no environment of whoever runs them."""

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
