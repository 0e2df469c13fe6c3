"""Exchanging as CI jobs do, and what is told of a refusal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from access.models import AuditEntry, Secret
from access.tokens.exchange import Refused, exchange
from tests.access.tokens.asking import FORM

ADDRESS = "/auth/token/exchange"


def post(client: Client, token: str, **changes: Any) -> Any:
    fields = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    }
    return client.post(ADDRESS, urlencode(fields | changes, doseq=True), content_type=FORM)


def refusal(token: str, **options: str) -> Refused:
    with pytest.raises(Refused) as caught:
        exchange(token, **options)
    assert not Secret.objects.exists()
    return caught.value


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")
