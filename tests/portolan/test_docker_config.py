"""Docker's file keeps all that is not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portolan import docker_config
from portolan.failures import Failure


def written(home: Path, text: str) -> Path:
    path = home / "docker" / "config.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_hosts_are_added_and_all_else_stays(home: Path) -> None:
    before = {
        "auths": {"other.example.com": {"auth": "YTpi"}},
        "credsStore": "desktop",
        "credHelpers": {"ecr.example.com": "ecr-login"},
        "HttpHeaders": {"X": "ü"},
    }
    path = written(home, json.dumps(before))
    ours, others = docker_config.add(["prod.example.com", "ecr.example.com"])
    assert (ours, others) == (["prod.example.com"], ["ecr.example.com"])
    after = json.loads(path.read_text(encoding="utf-8"))
    assert after["credHelpers"] == {
        "ecr.example.com": "ecr-login",
        "prod.example.com": "portolan",
    }
    assert list(after) == list(before)
    assert {**after, "credHelpers": before["credHelpers"]} == before

    assert docker_config.remove(["prod.example.com", "ecr.example.com"]) == ["prod.example.com"]
    assert json.loads(path.read_text(encoding="utf-8")) == before


def test_a_file_that_is_not_there_is_made_and_one_that_is_a_link_stays_one(home: Path) -> None:
    docker_config.add(["a.example.com"])
    path = home / "docker" / "config.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "credHelpers": {"a.example.com": "portolan"}
    }
    real = home / "dotfiles.json"
    path.rename(real)
    path.symlink_to(real)
    docker_config.add(["b.example.com"])
    assert path.is_symlink()
    assert "b.example.com" in real.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"credHelpers": []}', ""])
def test_a_file_that_cannot_be_read_is_left_alone(home: Path, text: str) -> None:
    path = written(home, text)
    with pytest.raises(Failure):
        docker_config.add(["a.example.com"])
    assert path.read_text(encoding="utf-8") == text


def test_nothing_to_add_writes_nothing(home: Path) -> None:
    docker_config.add([])
    docker_config.remove(["a.example.com"])
    assert not (home / "docker").exists()


def test_a_file_that_cannot_be_written_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "file"))
    with pytest.raises(Failure, match=r"cannot be .*--no-docker"):
        docker_config.add(["a.example.com"])
