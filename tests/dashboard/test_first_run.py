"""The first owner: no default password, a link that works once."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.migrations import CreateModel
from django.db.migrations.loader import MigrationLoader

from access.models import User
from dashboard import first_run

pytestmark = pytest.mark.django_db


def parts(link: str) -> tuple[str, str]:
    key, token = urlsplit(link).path.strip("/").split("/")[1:]
    return key, token


def test_the_first_owner_is_made_once_and_cannot_sign_in() -> None:
    owner = first_run.ensure_owner()

    assert owner is not None
    assert (owner.username, owner.is_superuser) == ("owner", True)
    assert not owner.has_usable_password()
    assert first_run.ensure_owner() == owner


def test_no_owner_is_made_where_one_can_sign_in() -> None:
    User.objects.create_superuser("ada", password="correct horse battery")
    assert first_run.ensure_owner() is None


def test_an_owner_who_was_deactivated_does_not_count() -> None:
    User.objects.create_superuser("ada", password="correct horse battery", is_active=False)
    assert first_run.ensure_owner() is not None


def test_an_ordinary_person_called_owner_does_not_become_one() -> None:
    User.objects.create_user("owner", password="correct horse battery")
    with pytest.raises(ValidationError, match="createsuperuser"):
        first_run.ensure_owner()


def test_the_link_is_good_until_the_password_is_set() -> None:
    owner = first_run.ensure_owner()
    assert owner is not None
    link = first_run.link("https://portolan.example.com/", owner)
    assert link.startswith("https://portolan.example.com/first-run/")
    assert first_run.owner_for(*parts(link)) == owner

    owner.set_password("correct horse battery")
    owner.save()

    assert first_run.owner_for(*parts(link)) is None


@pytest.mark.parametrize("key", ["", "!", "MTIz", "4pyT"])
def test_a_link_for_nobody_is_not_good(key: str) -> None:
    owner = first_run.ensure_owner()
    assert owner is not None
    _, token = parts(first_run.link("", owner))
    assert first_run.owner_for(key, token) is None


def test_a_link_made_for_resetting_a_password_is_not_good() -> None:
    from django.contrib.auth.tokens import default_token_generator

    owner = first_run.ensure_owner()
    assert owner is not None
    key, _ = parts(first_run.link("", owner))
    assert first_run.owner_for(key, default_token_generator.make_token(owner)) is None


def test_people_are_a_model_of_our_own_from_the_first_migration_on() -> None:
    first = MigrationLoader(None).disk_migrations["access", "0001_initial"]
    made = {operation.name for operation in first.operations if isinstance(operation, CreateModel)}
    assert get_user_model() is User
    assert "User" in made
