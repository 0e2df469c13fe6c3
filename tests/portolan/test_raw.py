"""Any address of the API: what is not JSON is bytes in a pipe, and gives a terminal no orders."""

from __future__ import annotations

import httpx
import pytest

from portolan.commands.raw import api
from portolan.output import Output
from portolan.session import Choice, Session
from tests.portolan.misbehaving import Saying

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EVIL = b'{"a": "\xc2\x9b31mRED \x1b]0;owned\x07"}\xff'


def answered(media_type: str, content: bytes) -> None:
    session = Session(Choice(), Output())
    answer = httpx.Response(200, content=content, headers={"Content-Type": media_type})
    session.server = Saying(answer).server()
    api(session, "get", "/registries/prod/repositories/app/-/manifests/sha256:00/raw")


@pytest.mark.parametrize("media_type", [MANIFEST, "text/plain; charset=undefined", ""])
def test_a_manifest_is_its_bytes_and_on_a_terminal_only_its_text(
    media_type: str,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered(media_type, EVIL)
    assert capsysbinary.readouterr().out == EVIL
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    answered(media_type, EVIL)
    assert capsysbinary.readouterr().out.decode() == '{"a": "�31mRED �]0;owned�"}�'
