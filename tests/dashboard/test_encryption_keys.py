"""`manage.py encryption_keys` says when an old key may go."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings as SettingsWrapper

from access.models import User
from registries.models import RegistryCredential
from tests import catalog
from tests.dashboard.api.client import token_of

pytestmark = pytest.mark.django_db
OLD, NEW = b"o" * 32, b"n" * 32


def said(*options: str) -> str:
    out = StringIO()
    call_command("encryption_keys", *options, stdout=out)
    return out.getvalue()


def test_an_old_key_may_go_when_nothing_hangs_on_it(
    viewer: User, settings: SettingsWrapper
) -> None:
    settings.ENCRYPTION_KEYS = {"old": OLD}
    RegistryCredential(registry=catalog.registry("prod"), username="robot", secret="x").save()
    token_of(viewer)
    settings.ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    assert (
        "old: 1 encrypted, 1 tokens and machines’ secrets known by it. It is needed: run" in said()
    )
    after = said("--encrypt-anew")
    assert "1 encrypted anew." in after
    assert "old: 0 encrypted, 1 tokens and machines’ secrets" in after
    assert "needed until those are rotated or end" in after
    viewer.personal_tokens.all().delete()
    assert "old: 0 encrypted, 0 tokens and machines’ secrets known by it. It may be taken out." in (
        said()
    )
    assert "new: 1 encrypted, 0 tokens and machines’ secrets known by it. It encrypts." in said()


def test_a_key_that_is_gone_and_needed_is_told(settings: SettingsWrapper) -> None:
    settings.ENCRYPTION_KEYS = {"old": OLD}
    RegistryCredential(registry=catalog.registry("prod"), username="robot", secret="x").save()
    settings.ENCRYPTION_KEYS = {"new": NEW}
    assert "old: 1 encrypted" in said()
    assert "add it, or none of them opens" in said()
    with pytest.raises(CommandError, match="'old'"):
        said("--encrypt-anew")
