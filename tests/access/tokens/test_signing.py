"""Keys in turn: made once, published before they sign and until their tokens ended, then deleted."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from access.models import AuditEntry, SigningKey, User
from access.policy import SHELL, rights_of
from access.shortcuts import actor_of
from access.tasks import forget_ended_keys
from access.tokens import signing
from registries.actor import SYSTEM
from tests.access.tokens import asking

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = timedelta(days=7)


def kids(at: datetime) -> list[str]:
    return [key.kid for key in signing.published(at)]


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("token_certificate", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_first_key_is_made_when_it_is_needed_and_the_log_says_so() -> None:
    made = signing.signer()
    assert signing.signer() is made
    assert list(SigningKey.objects.values_list("kid", flat=True)) == [made.kid]
    assert AuditEntry.objects.filter(event="signing key made").latest("number").target == made.kid


def test_processes_that_start_together_make_one_key() -> None:
    together = Barrier(4)

    def start() -> None:
        together.wait()
        signing.ensured()
        connection.close()

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SigningKey.objects.count() == 1


def test_the_private_key_is_encrypted_where_it_is_stored() -> None:
    signing.ensured()
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM access_signingkey")
        (stored,) = cursor.fetchone() or ("",)
    assert stored.startswith("v1:")
    assert "PRIVATE KEY" not in stored
    assert SigningKey.objects.get().private_key.reveal().startswith("-----BEGIN PRIVATE KEY")


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_ended(
    settings: Settings,
) -> None:
    settings.TOKEN_LIFETIME_SECONDS = 300
    (old,) = signing.ensured()
    new = signing.rotate(lead=WEEK, rights=SHELL, actor=SYSTEM)
    now = timezone.now()

    assert kids(now) == [old.kid, new.kid]
    assert signing.signer().kid == old.kid

    turn = now + WEEK
    before, after = signing.signing(turn - timedelta(minutes=1)), signing.signing(turn)
    assert before is not None
    assert after is not None
    assert (before.kid, after.kid) == (old.kid, new.kid)
    assert kids(turn + timedelta(minutes=9)) == [old.kid, new.kid]
    assert kids(turn + timedelta(minutes=11)) == [new.kid]


def test_tokens_of_the_old_and_the_new_key_hold_side_by_side() -> None:
    client = Client()
    old = asking.get(client).json()["token"]
    signing.rotate(lead=timedelta(0), rights=SHELL, actor=SYSTEM)
    new = asking.get(client).json()["token"]
    assert asking.read(client, old)["jti"] != asking.read(client, new)["jti"]
    assert len(client.get("/auth/jwks.json").json()["keys"]) == 2


def test_a_second_rotation_replaces_the_key_that_was_waiting() -> None:
    (old,) = signing.ensured()
    waiting = signing.rotate(lead=WEEK, rights=SHELL, actor=SYSTEM)
    last = signing.rotate(lead=WEEK, rights=SHELL, actor=SYSTEM)
    later = signing.signing(timezone.now() + 2 * WEEK)
    assert later is not None
    assert later.kid == last.kid
    assert signing.signer().kid == old.kid
    waiting.refresh_from_db()
    assert waiting.retired_at is not None
    assert waiting.retired_at < timezone.now()


def test_a_key_is_deleted_when_its_last_token_has_ended(settings: Settings) -> None:
    settings.TOKEN_LIFETIME_SECONDS = 300
    (old,) = signing.ensured()
    new = signing.rotate(lead=timedelta(0), rights=SHELL, actor=SYSTEM)
    forget_ended_keys()
    assert SigningKey.objects.count() == 2
    assert signing.forget_ended(timezone.now() + timedelta(minutes=11)) == 1
    assert [key.kid for key in SigningKey.objects.all()] == [new.kid]
    retired = AuditEntry.objects.filter(event="signing key retired").latest("number")
    assert retired.target == old.kid
    assert (retired.new or {})["signs_until"] == new.signs_from.isoformat()


def test_who_does_not_manage_registries_everywhere_rotates_nothing(viewer: User) -> None:
    signing.ensured()
    with pytest.raises(PermissionDenied):
        signing.rotate(rights=rights_of(viewer), actor=actor_of(viewer))
    assert SigningKey.objects.count() == 1


def test_the_command_prints_certificates_of_all_published_keys() -> None:
    signing.ensured()
    assert printed().count("-----BEGIN CERTIFICATE-----") == 1
    rotated = printed("--rotate")
    assert rotated.startswith("-----BEGIN CERTIFICATE-----")
    assert rotated.count("-----BEGIN CERTIFICATE-----") == 2
    assert "PRIVATE" not in rotated
    assert printed() == rotated
    entry = AuditEntry.objects.filter(event="signing key made").latest("number")
    assert (entry.way, entry.agent) == ("shell", "manage.py token_certificate")


def test_the_command_prints_the_same_keys_as_jwks() -> None:
    said = json.loads(printed("--jwks"))
    assert said == Client().get("/auth/jwks.json").json()
    assert "d" not in said["keys"][0]


@pytest.mark.parametrize("days", ["-1", "400"])
def test_the_command_takes_a_sensible_number_of_days(days: str) -> None:
    with pytest.raises(CommandError, match="between"):
        printed("--rotate", "--days", days)
    assert not SigningKey.objects.exists()
