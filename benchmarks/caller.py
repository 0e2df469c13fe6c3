"""Who asks in a benchmark, as the web server hands requests on: through the WSGI application, and
not through Django's test client, which keeps every answer in a circle and copies what pages show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from access import keyring
from access.models import Secret, User
from registries.actor import SYSTEM


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a token, or a browser with a session."""

    headers: Mapping[str, str]

    def read(self, address: str) -> Iterable[bytes]:
        """The body of an answer, closed by whoever has read it. Raises RuntimeError for a refusal."""
        from dashboard.wsgi import application

        statuses: list[str] = []
        factory = RequestFactory(headers=dict(self.headers))
        serve = cast("Any", application)
        body = serve(factory.get(address).environ, lambda status, _: statuses.append(status))
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{address}: {statuses}")
        return cast("Iterable[bytes]", body)

    def get(self, address: str) -> int:
        """Read an answer to its end; how many bytes it has."""
        return len(self.content(address))

    def content(self, address: str) -> bytes:
        body: Any = self.read(address)
        try:
            return b"".join(body)
        finally:
            body.close()


def browser_of(person: User) -> Caller:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person)
    return Caller({"Cookie": client.cookies.output(attrs=[], header="", sep=";").strip()})


def caller_of(person: User) -> Caller:
    """A program with a personal token of this person's."""
    ends = timezone.now() + timedelta(days=1)
    with transaction.atomic():
        kind = Secret.Kind.PERSONAL
        issued = keyring.add(kind, user=person, label="bench", expires_at=ends, actor=SYSTEM)
    return Caller({"Authorization": f"Bearer {issued.text}"})
