"""What commands print in a pipe is for programs: numbers as they are, digests in full."""

from __future__ import annotations

from typing import Any

import pytest

from portolan.main import main
from portolan.session import Session
from tests.portolan.misbehaving import Saying, page, said

DIGEST = "sha256:" + "0f" * 32
REGISTRY: dict[str, Any] = {
    "name": "prod",
    "kind": "harbor",
    "host": "prod.example.com",
    "health": "healthy",
    "synced_at": None,
    "repositories": 12_345,
    "tags": 1_234_567,
    "bytes": 5_000_000,
}
GRANT: dict[str, Any] = {
    "id": 7,
    "principal": "sp:ci",
    "role": "reader",
    "scope": "prod",
    "until": None,
    "granted_by": "",
    "reason": "",
}
FOUND: dict[str, Any] = {
    "registries": [],
    "repositories": [{"registry": "prod", "path": "app", "tags": 1_234}],
    "tags": [{"registry": "prod", "repository": "app", "name": "1", "digest": DIGEST}],
    "manifests": [],
    "more": [],
}
SIDE: dict[str, Any] = {"reference": "1", "platform": "", "is_read": True}
CHANGED: dict[str, Any] = {
    "before": {**SIDE, "digest": "sha256:" + "aa" * 32},
    "after": {**SIDE, "digest": "sha256:" + "bb" * 32},
    "added_bytes": 1,
    "removed_bytes": 0,
    "shared_bytes": 0,
    "layers": [{"state": "added", "digest": DIGEST, "size": 1, "command": "COPY . /srv"}],
    "facts": [],
    "environment": [],
    "labels": [],
}


@pytest.mark.parametrize(
    ("line", "answer", "lines"),
    [
        (
            "registries",
            page([REGISTRY]),
            ["prod harbor prod.example.com healthy – 12345 1234567 5000000"],
        ),
        ("grants", page([GRANT]), ["7 sp:ci reader prod – – –"]),
        ("search app", said(FOUND), ["repository prod/app 1234", f"tag prod/app:1 {DIGEST}"]),
        ("diff prod/app:1 2", said(CHANGED), [f"+ {DIGEST} 1 B COPY . /srv"]),
    ],
)
def test_nothing_is_cut_or_made_pretty(
    line: str,
    answer: Any,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Session, "server", Saying(answer).server())
    main(line.split())
    printed = [" ".join(one.split()) for one in capsys.readouterr().out.splitlines()]
    assert printed[-len(lines) :] == lines
