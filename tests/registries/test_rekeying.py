"""A new key takes the place of an old one, and nothing is lost on the way."""

from __future__ import annotations

import pytest
from django.db import models
from pytest_django.fixtures import Settings as SettingsWrapper

from registries.fields import EncryptedTextField, decrypt
from registries.models import RegistryCredential
from registries.rekeying import encrypt_anew, encrypted_columns, held_by_key
from registries.secret import Secret
from tests import catalog
from webhooks.models import Subscription

pytestmark = pytest.mark.django_db
OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture(autouse=True)
def stored(settings: SettingsWrapper) -> None:
    """Two passwords under the old key, and both keys known."""
    settings.ENCRYPTION_KEYS = {"old": OLD}
    for name in ("prod", "edge"):
        RegistryCredential(
            registry=catalog.registry(name), username="robot", secret=f"of {name}"
        ).save()
    settings.ENCRYPTION_KEYS = {"new": NEW, "old": OLD}


def column(model: type[models.Model], name: str) -> EncryptedTextField:
    (found,) = [one for one in encrypted_columns() if one.model is model and one.name == name]
    return found


def test_every_encrypted_column_is_found() -> None:
    found = {(one.model, one.name) for one in encrypted_columns()}
    assert {(RegistryCredential, "secret"), (Subscription, "url")} <= found


def test_values_are_counted_by_their_key() -> None:
    RegistryCredential(registry=catalog.registry("third"), username="robot", secret="x").save()
    assert held_by_key(column(RegistryCredential, "secret")) == {"old": 2, "new": 1}


def test_what_was_encrypted_anew_opens_without_the_old_key(settings: SettingsWrapper) -> None:
    outcome = encrypt_anew(column(RegistryCredential, "secret"))
    assert (outcome.changed, outcome.unreadable) == (2, ())
    settings.ENCRYPTION_KEYS = {"new": NEW}
    opened = {one.registry.name: one.secret.reveal() for one in RegistryCredential.objects.all()}
    assert opened == {"prod": "of prod", "edge": "of edge"}
    assert encrypt_anew(column(RegistryCredential, "secret")).changed == 0


def test_what_does_not_open_is_told_and_left_as_it_is(settings: SettingsWrapper) -> None:
    settings.ENCRYPTION_KEYS = {"new": NEW}
    outcome = encrypt_anew(column(RegistryCredential, "secret"))
    assert outcome.changed == 0
    assert len(outcome.unreadable) == 2
    assert "'old'" in outcome.unreadable[0]
    assert held_by_key(column(RegistryCredential, "secret")) == {"old": 2}


def test_who_changes_a_secret_meanwhile_is_not_overwritten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def meanwhile(stored: str, *, context: str) -> str:
        for one in RegistryCredential.objects.all():
            one.secret = Secret("changed by a person")
            one.save()
        return decrypt(stored, context=context)

    monkeypatch.setattr("registries.rekeying.decrypt", meanwhile)
    assert encrypt_anew(column(RegistryCredential, "secret")).changed == 0
    assert {one.secret.reveal() for one in RegistryCredential.objects.all()} == {
        "changed by a person"
    }
