"""A secret at rest: unreadable, bound to its place, and never shown by accident."""

import base64
from copy import copy

import pytest
from django.core.exceptions import FieldError
from django.db import connection
from pytest_django import Settings

from registries.fields import UndecryptableError, decrypt, encrypt
from registries.models import Registry, RegistryCredential
from registries.secret import Secret

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def credential() -> RegistryCredential:
    registry = Registry.objects.create(name="production", url="https://registry.example.com")
    credential = RegistryCredential(registry=registry, username="robot", secret=Secret(PASSWORD))
    credential.save()
    return credential


def stored(pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT secret FROM registries_registrycredential WHERE registry_id = %s", [pk]
        )
        (value,) = cursor.fetchone()
    return str(value)


def test_what_was_stored_can_be_revealed(credential: RegistryCredential) -> None:
    assert RegistryCredential.objects.get(pk=credential.pk).secret.reveal() == PASSWORD


def test_the_database_holds_neither_the_text_nor_its_plain_encoding(
    credential: RegistryCredential,
) -> None:
    value = stored(credential.pk)
    assert value.startswith("v1:")
    assert PASSWORD not in value
    assert base64.b64encode(PASSWORD.encode()).decode() not in value


def test_the_same_password_never_looks_the_same_twice(credential: RegistryCredential) -> None:
    before = stored(credential.pk)
    credential.save()
    assert stored(credential.pk) != before


def test_a_secret_shows_itself_only_to_who_asks_by_name(credential: RegistryCredential) -> None:
    fetched = RegistryCredential.objects.get(pk=credential.pk)
    for shown in (repr(fetched.secret), str(fetched.secret), f"{fetched.secret}", str(fetched)):
        assert PASSWORD not in shown
    assert PASSWORD not in repr(vars(fetched))


def test_a_ciphertext_copied_to_another_row_does_not_open(credential: RegistryCredential) -> None:
    other = Registry.objects.create(name="other", url="https://other.example.com")
    RegistryCredential(registry=other, username="x", secret=Secret("of the other")).save()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registries_registrycredential SET secret = %s WHERE registry_id = %s",
            [stored(credential.pk), other.pk],
        )
    with pytest.raises(UndecryptableError, match="moved here from another row"):
        RegistryCredential.objects.get(pk=other.pk).secret.reveal()


def test_a_list_of_rows_with_a_damaged_secret_still_loads(credential: RegistryCredential) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registries_registrycredential SET secret = 'v1:gone:AAAA'")
    (fetched,) = RegistryCredential.objects.all()
    assert fetched.username == "robot"
    with pytest.raises(UndecryptableError, match="add it to ENCRYPTION_KEYS"):
        fetched.secret.reveal()


def test_saving_a_row_whose_secret_was_never_read_keeps_it(credential: RegistryCredential) -> None:
    fetched = RegistryCredential.objects.get(pk=credential.pk)
    fetched.username = "another"
    fetched.save()
    assert RegistryCredential.objects.get(pk=credential.pk).secret.reveal() == PASSWORD


def test_an_older_key_still_opens_and_the_first_encrypts(
    credential: RegistryCredential, settings: Settings
) -> None:
    settings.ENCRYPTION_KEYS = {"newer": b"\x07" * 32, **settings.ENCRYPTION_KEYS}
    fetched = RegistryCredential.objects.get(pk=credential.pk)
    assert fetched.secret.reveal() == PASSWORD
    fetched.save()
    assert stored(credential.pk).startswith("v1:newer:")


@pytest.mark.parametrize("damage", ["v2:k1:AAAA", "v1:k1:not base64!", "v1:k1:AAAA", "", "text"])
def test_a_damaged_value_is_refused_without_showing_it(damage: str, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = {"k1": b"\x01" * 32}
    with pytest.raises(UndecryptableError):
        decrypt(damage, context="table:column:1")


def test_one_changed_bit_is_noticed(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = {"k1": b"\x01" * 32}
    version, key_id, encoded = encrypt("text", context="here").split(":")
    sealed = bytearray(base64.b64decode(encoded))
    sealed[-1] ^= 1
    changed = ":".join([version, key_id, base64.b64encode(bytes(sealed)).decode()])
    with pytest.raises(UndecryptableError):
        decrypt(changed, context="here")


def test_secrets_cannot_be_searched() -> None:
    with pytest.raises(FieldError, match="cannot be searched"):
        RegistryCredential.objects.filter(secret="guess").exists()


def test_a_secret_without_a_row_has_no_place_to_be_bound_to() -> None:
    with pytest.raises(FieldError, match="Save the row before"):
        RegistryCredential(username="x", secret=Secret("y")).save()


def test_secrets_compare_by_content() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), copy(Secret("a"))}) == 1
    assert not Secret("")
