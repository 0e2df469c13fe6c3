"""No form takes files, and none reaches the disk."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.test import Client

pytestmark = pytest.mark.django_db

HEAD = (
    b"--x\r\nContent-Disposition: form-data; name=login\r\n\r\nanna\r\n"
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
)
MEBIBYTE = 2**20


class Upload:
    """A body with a file of 64 MiB, and how much of it was read."""

    size = 64 * MEBIBYTE

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        wanted = min(size if size >= 0 else self.size, self.size - self.read_bytes)
        head = HEAD[self.read_bytes : self.read_bytes + wanted]
        self.read_bytes += wanted
        return head + b"z" * (wanted - len(head))

    readline = read


@pytest.mark.parametrize("address", ["/accounts/login/", "/theme/", "/accounts/password/reset/"])
def test_a_stranger_who_sends_a_file_is_refused_at_its_beginning(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled: list[object] = []
    for handler in (MemoryFileUploadHandler, TemporaryFileUploadHandler):
        monkeypatch.setattr(handler, "new_file", lambda *args, **_options: spooled.append(args))
    upload = Upload()
    body: Any = {
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(upload.size),
        "wsgi.input": upload,
    }
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    response = client.generic("POST", address, **body)
    assert response.status_code == 400
    assert upload.read_bytes < MEBIBYTE
    assert not spooled


def test_a_form_in_parts_without_a_file_is_a_form(client: Client) -> None:
    response = client.post("/accounts/login/", {"login": "nobody", "password": "wrong"})
    assert response.status_code == 200
    assert "nobody" in response.content.decode()
