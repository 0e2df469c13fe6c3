"""Nobody sends files to Portolan."""

from __future__ import annotations

from typing import NoReturn

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParserError


class NoFiles(FileUploadHandler):
    """Refuses a form at its first file: Django's own handlers write it to the disk as soon as any
    field is asked for, which is before anybody had to sign in, and as much of it as comes."""

    def new_file(self, *_args: object, **_options: object) -> NoReturn:
        raise MultiPartParserError("No form here takes files.")

    def receive_data_chunk(self, _raw_data: bytes, _start: int) -> None:
        return None

    def file_complete(self, _file_size: int) -> None:
        return None
