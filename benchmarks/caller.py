"""A program with a personal token, as the web server hands its requests on: through the WSGI
application, and not through Django's test client, which keeps every answer in a circle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from access import keyring
from access.models import Secret, User
from registries.actor import SYSTEM


@dataclass(frozen=True, slots=True)
class Caller:
    token: str

    def read(self, address: str) -> Iterable[bytes]:
        """The body of an answer, closed by whoever has read it. Raises RuntimeError for a refusal."""
        from dashboard.wsgi import application

        statuses: list[str] = []
        factory = RequestFactory(headers={"Authorization": f"Bearer {self.token}"})
        serve = cast("Any", application)
        body = serve(factory.get(address).environ, lambda status, _: statuses.append(status))
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{address}: {statuses}")
        return cast("Iterable[bytes]", body)

    def get(self, address: str) -> int:
        """Read an answer to its end; how many bytes it has."""
        body: Any = self.read(address)
        try:
            return sum(len(part) for part in body)
        finally:
            body.close()


def caller_of(person: User) -> Caller:
    ends = timezone.now() + timedelta(days=1)
    with transaction.atomic():
        kind = Secret.Kind.PERSONAL
        issued = keyring.add(kind, user=person, label="bench", expires_at=ends, actor=SYSTEM)
    return Caller(issued.text)
