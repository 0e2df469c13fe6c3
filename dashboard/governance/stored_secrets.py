"""Which secrets of a document are others than those that are stored. Opened here, compared, let go."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.views.decorators.debug import sensitive_variables

from dashboard.governance.changes import FieldChange
from dashboard.governance.document import Item
from dashboard.governance.problems import Problem
from dashboard.governance.secrets import MissingSecret, Resolver
from dashboard.governance.sections import Field
from dashboard.governance.state import Row
from registries.fields import UndecryptableError
from registries.models import Registry
from registries.secret import Secret
from webhooks.models import Subscription

STORED = "(stored)"


class Compared:
    """Compares with the help of a resolver; without one, the secrets of what is there already are
    left for the apply, and `uncompared` tells of which. What leads to nothing is in `problems`."""

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver
        self.problems: list[Problem] = []
        self.uncompared: list[Problem] = []

    def __call__(self, item: Item, row: Row | None) -> list[FieldChange]:
        """The secrets of a thing that are to be stored, with where they come from."""
        if "host" in item.section.by_name and "url" not in item.values:
            self._require_place(item, row)
        return [
            FieldChange(
                one.name,
                STORED if row else "",
                one.kind.show(item.values[one.name]),
                is_secret=True,
            )
            for one in item.section.fields
            if one.is_secret and one.name in item.values and self._differs(one, item, row)
        ]

    def _require_place(self, item: Item, row: Row | None) -> None:
        """A webhook without its address: at least the host is known, and stays."""
        host = item.values.get("host", "")
        if row is None and not host:
            self.problems.append(item.problem("Say where it is sent: “url”, or at least “host”."))
        elif row is not None and host not in ("", row.item.values["host"]):
            sentence = (
                f"It sends to {row.item.values['host']}, and the address of another host is a"
                " secret that is not here: say it with “url”, or leave “host” out."
            )
            self.problems.append(item.problem(sentence, "host"))

    @sensitive_variables()
    def _differs(self, one: Field, item: Item, row: Row | None) -> bool:
        said = item.values[one.name]
        if self._resolver is None:
            if row is not None:
                self.uncompared.append(
                    item.problem("It is compared with what is stored when it is applied.", one.name)
                )
            return row is None
        try:
            value = resolved(said, self._resolver)
        except MissingSecret as error:
            self.problems.append(item.problem(str(error), one.name))
            return True
        return row is None or value != _stored(row, one.name)


@sensitive_variables()
def resolved(said: str | Mapping[str, str], resolver: Resolver) -> str | dict[str, str]:
    """What a document says of a secret, or of several by name, as values; raises MissingSecret."""
    if isinstance(said, str):
        return resolver(said)
    return {name: resolver(text) for name, text in said.items()}


@sensitive_variables()
def _stored(row: Row, name: str) -> str | dict[str, str] | None:
    """What is stored, None for nothing, or for what no key opens any more."""
    try:
        secret = _secret(row, name)
        text = secret.reveal() if secret is not None else ""
    except UndecryptableError:
        return None
    if name == "headers":
        headers: dict[str, str] = json.loads(text) if text else {}
        return headers
    return text


def _secret(row: Row, name: str) -> Secret | None:
    held = row.held
    if isinstance(held, Registry):
        credential = getattr(held, {"password": "credential"}.get(name, "api_credential"), None)
        return credential.secret if credential else None
    if isinstance(held, Subscription):
        return held.url if name == "url" else held.headers
    return None
