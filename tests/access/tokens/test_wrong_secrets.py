"""Wrong names and secrets: 401 with the challenge, slower and slower, and nobody else waits."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from access.models import AdminAccount, AuditEntry, Secret, ServicePrincipal, User
from access.scopes import Scope
from access.secrets import mint
from access.tokens import limits
from access.tokens.limits import FREE_OF_ACCOUNT, FREE_OF_ADDRESS, LONGEST_DELAY, delay_after
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.access.tokens.asking import access, basic, get, post
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db

PULL = "repository:team-a/app:pull"


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def machine(harbour: Registry) -> ServicePrincipal:
    return asking.machine("ci", "pusher", Scope("harbour"))


@pytest.fixture
def right(machine: ServicePrincipal) -> asking.Login:
    return asking.login(machine)


def refused(said: Any) -> str:
    """Why, as the audit log has it, of an answer that is a 401 as clients need it."""
    assert said.status_code == 401, said.content
    assert said.headers["WWW-Authenticate"].startswith('Basic realm="Portolan"')
    body = said.json()
    assert body["errors"][0]["code"] == "UNAUTHORIZED"
    assert body["details"] == body["errors"][0]["message"]
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.actor_kind, entry.way) == ("token refused", "anonymous", "docker")
    return str((entry.new or {})["because"])


def last_account() -> str:
    return AuditEntry.objects.latest("number").target


def test_a_wrong_secret_is_refused_in_either_form(client: Client, right: asking.Login) -> None:
    wrong = ("ci", mint(Secret.Kind.SERVICE).text)
    assert refused(get(client, PULL, wrong)) == "no such secret"
    assert refused(post(client, PULL, wrong)) == "no such secret"
    assert get(client, PULL, right).status_code == 200


def test_a_password_of_an_account_is_refused_and_the_client_reads_what_to_do(
    client: Client, owner: User
) -> None:
    said = get(client, PULL, ("anna", PASSWORD))
    assert refused(said) == "not a secret of ours"
    assert "personal access token" in said.json()["details"]


def test_a_secret_with_one_other_character_is_wrong(client: Client, right: asking.Login) -> None:
    name, text = right
    changed = text[:30] + ("A" if text[30] != "A" else "B") + text[31:]
    assert refused(get(client, PULL, (name, changed))) == "not a secret of ours"


def test_a_key_id_of_another_secret_does_not_help(client: Client, right: asking.Login) -> None:
    foreign = mint(Secret.Kind.SERVICE)
    Secret.objects.filter(service_principal__name="ci").update(key_id=foreign.key_id)
    assert refused(get(client, PULL, ("ci", foreign.text))) == "no such secret"


def test_a_right_secret_under_another_name_is_refused(client: Client, right: asking.Login) -> None:
    asking.machine("cd")
    for name in ("cd", "CI", "sp:ci", ""):
        cache.clear()
        assert refused(post(client, PULL, (name, right[1]))) == "the secret is somebody else's"


def test_a_revoked_secret_is_refused(client: Client, right: asking.Login) -> None:
    Secret.objects.update(revoked_at=timezone.now())
    assert refused(get(client, PULL, right)) == "the secret was revoked"


def test_an_expired_secret_is_refused(client: Client, right: asking.Login) -> None:
    Secret.objects.update(expires_at=timezone.now())
    assert refused(get(client, PULL, right)) == "the secret has expired"


def test_a_disabled_machine_is_refused_also_with_an_exchanged_secret(
    client: Client, machine: ServicePrincipal, right: asking.Login
) -> None:
    end = timezone.now() + timedelta(hours=1)
    exchanged = asking.secret(Secret.Kind.EXCHANGED, end, service_principal=machine)
    ServicePrincipal.objects.update(disabled_at=timezone.now())
    for text in (right[1], exchanged):
        cache.clear()
        assert refused(get(client, PULL, ("ci", text))) == "the service principal is disabled"


def test_a_token_of_somebody_who_was_switched_off_is_refused(client: Client, owner: User) -> None:
    who = asking.token_of(owner, timezone.now() + timedelta(hours=1))
    assert get(client, PULL, who).status_code == 200
    User.objects.update(is_active=False)
    assert refused(get(client, PULL, who)) == "the account is switched off"


def test_an_admin_account_that_is_off_is_refused(client: Client, harbour: Registry) -> None:
    account = AdminAccount.objects.create(registry=harbour)
    text = asking.secret(Secret.Kind.ADMIN, admin_account=account)
    assert refused(get(client, PULL, ("harbour", text))) == "the admin account is switched off"
    assert last_account() == "harbour"


def test_the_client_is_not_told_which_names_and_secrets_there_are(
    client: Client, right: asking.Login
) -> None:
    Secret.objects.update(revoked_at=timezone.now())
    answers = {
        get(client, PULL, who).json()["details"]
        for who in (right, ("nobody", right[1]), ("ci", mint(Secret.Kind.SERVICE).text))
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"a:" + b"x" * 9000).decode(),
        "Bearer abc",
        "Digest username=x",
        "\t",
    ],
)
def test_a_header_that_cannot_be_read_is_refused(client: Client, header: str) -> None:
    said = client.get("/auth/token", {"service": "harbour"}, headers={"Authorization": header})
    if header.strip():
        assert refused(said) in {"unreadable header", "no secret"}


@pytest.mark.parametrize("name", ["\x00", "a\x00b@example.com", "ä" * 5000, "a\r\nb", "%s"])
def test_a_name_that_nobody_has_is_refused_and_not_written_down(client: Client, name: str) -> None:
    refused(post(client, PULL, (name, "x")))
    assert len(last_account()) <= 4


def test_a_secret_in_the_place_of_the_name_is_not_written_down(
    client: Client, right: asking.Login
) -> None:
    refused(get(client, PULL, (right[1], "ci")))
    assert last_account() == "ptl…"
    refused(get(client, PULL, ("ci", "x")))
    assert last_account() == "ci"


def test_no_secret_is_ever_in_the_audit_log(client: Client, right: asking.Login) -> None:
    wrong = mint(Secret.Kind.SERVICE).text
    get(client, PULL, ("ci", wrong))
    get(client, "repository:team-a/app:delete", right)
    for entry in AuditEntry.objects.values():
        assert right[1] not in str(entry)
        assert wrong not in str(entry)


# Guessing ------------------------------------------------------------------------------------------


def test_delays_double_up_to_a_limit() -> None:
    assert [delay_after(failures, 5) for failures in (1, 4, 5, 6, 7)] == [0, 0, 1, 2, 4]
    assert delay_after(1000, 5) == LONGEST_DELAY


def test_guessing_is_slowed_down_and_says_how_long_to_wait(
    client: Client, right: asking.Login
) -> None:
    wrong = ("ci", mint(Secret.Kind.SERVICE).text)
    answers = [get(client, PULL, wrong) for _ in range(FREE_OF_ACCOUNT + 1)]
    assert [said.status_code for said in answers] == [401] * FREE_OF_ACCOUNT + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].json()["errors"][0]["code"] == "TOOMANYREQUESTS"


def test_who_has_the_right_secret_does_not_wait_for_who_guesses(
    client: Client, right: asking.Login
) -> None:
    for _ in range(FREE_OF_ADDRESS + 3):
        last = get(client, PULL, ("ci", "x"))
    assert last.status_code == 429
    assert access(client, get(client, PULL, right)) == {"repository:team-a/app": ["pull"]}
    assert get(client, PULL).status_code == 200  # nor does who gives none


def test_guessing_from_elsewhere_is_counted_apart(client: Client, right: asking.Login) -> None:
    for _ in range(FREE_OF_ACCOUNT + 1):
        get(client, PULL, ("ci", "x"))
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert get(elsewhere, PULL, ("ci", "x")).status_code == 401


def test_many_names_from_one_address_are_slowed_down_too(client: Client) -> None:
    answers = [get(client, PULL, (f"name{n}", "x")) for n in range(FREE_OF_ADDRESS + 1)]
    assert [said.status_code for said in answers] == [401] * FREE_OF_ADDRESS + [429]


def test_addresses_of_one_ipv6_network_are_one() -> None:
    one, two = (Client(REMOTE_ADDR=f"2001:db8::{n}") for n in (1, 2))
    for _ in range(FREE_OF_ACCOUNT):
        get(one, PULL, ("ci", "x"))
    assert get(two, PULL, ("ci", "x")).status_code == 429


def test_without_redis_wrong_secrets_are_refused_and_right_ones_work(
    client: Client, right: asking.Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError

    monkeypatch.setattr(limits, "cache", Away())
    assert refused(get(client, PULL, ("ci", "x"))) == "not a secret of ours"
    assert get(client, PULL, right).status_code == 200


def test_nobody_fills_the_audit_log_from_outside(client: Client, right: asking.Login) -> None:
    before = AuditEntry.objects.latest("number").number
    for number in range(limits.STRANGERS_REFUSALS + 20):
        get(client, f"repository:r{number}:pull")
        get(client, "repository:same:push")
    entries = AuditEntry.objects.filter(number__gt=before, event="token refused")
    assert entries.count() == limits.STRANGERS_REFUSALS


def test_basic_is_read_without_regard_to_case_and_two_empty_halves_are_nobody(
    client: Client, right: asking.Login
) -> None:
    for header, subject in ((basic(*right).replace("Basic", "bAsIc"), "ci"), (basic("", ""), "")):
        said = client.get("/auth/token", {"service": "harbour"}, headers={"Authorization": header})
        assert asking.read(client, said.json()["token"])["sub"] == subject
