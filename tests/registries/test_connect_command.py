"""`manage.py connect`: each step shown; what is wrong in one sentence, and nothing half-saved."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registries import connection_checks
from registries.models import Registry, RegistryCredential
from registries.oci.connection import Limits
from tests.fakes import doors

pytestmark = pytest.mark.django_db(transaction=True)


def connect(*arguments: str, stdin: str = "") -> str:
    """What the command wrote; CommandError is what makes its exit code not 0."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(stdin))
        call_command("connect", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str, stdin: str = "") -> str:
    with pytest.raises(CommandError) as refused:
        connect(*arguments, stdin=stdin)
    assert not Registry.objects.exists()
    assert not RegistryCredential.objects.exists()
    assert refused.value.returncode != 0
    return str(refused.value)


def test_a_registry_is_connected_and_each_step_shown() -> None:
    with doors.served(doors.SmallRegistry) as address:
        shown = connect(
            *("production", f"http://{address}", "--allow-private"),
            *("--username", doors.USER, "--password-stdin"),
            *("--public-host", "hub.example.com", "--sync-every", "60"),
            stdin=f"{doors.PASSWORD}\n",
        )
    for step in ("address", "dns", "tcp", "tls", "api", "sign-in", "catalog"):
        assert f"ok      {step}" in shown
    assert "manage.py sync production" in shown
    assert doors.PASSWORD not in shown
    registry = Registry.objects.get()
    assert registry.host == "hub.example.com"
    assert registry.connection().credentials == (doors.USER, doors.PASSWORD)


def test_repositories_may_be_given_instead_of_the_catalog() -> None:
    with doors.served(doors.OpenRegistry) as address:
        connect(
            *("production", f"http://{address}", "--allow-private"),
            *("--repositories", "team-a/api", "team-b/web"),
        )
    assert Registry.objects.get().repository_names == ["team-a/api", "team-b/web"]


def test_a_registry_may_call_itself_something_that_is_no_text() -> None:
    class Odd(doors.OpenRegistry):
        server_version = "Häfen"  # sent as Latin-1, which is no UTF-8

    with doors.served(Odd) as address:
        shown = connect(
            *("production", f"http://{address}", "--allow-private", "--repositories", "a")
        )
    assert "A registry answers (Hfen" in shown.encode().decode()


def test_an_own_authority_is_read_from_a_file(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    (tmp_path / "ca.pem").write_text(pem)
    with doors.served(doors.OpenRegistry, context) as address:
        connect(
            *("production", f"https://{address}", "--allow-private", "--repositories", "a"),
            *("--ca-file", str(tmp_path / "ca.pem")),
        )
    assert Registry.objects.get().ca_certificate == pem


def test_an_unknown_host() -> None:
    said = refusal("production", "https://registry.does-not-exist.invalid")
    assert "registry.does-not-exist.invalid" in said
    assert "Check the spelling" in said


def test_a_refused_connection() -> None:
    said = refusal("production", f"http://{doors.closed()}", "--allow-private")
    assert "refuses the connection" in said


def test_a_web_page_instead_of_a_registry() -> None:
    with doors.served(doors.WebPage) as address:
        said = refusal("production", f"http://{address}", "--allow-private")
    assert "docker login" in said


def test_a_long_web_page_instead_of_a_registry() -> None:
    with doors.served(doors.LongWebPage) as address:
        said = refusal("production", f"http://{address}", "--allow-private")
    assert "A web page came back" in said
    assert "docker login" in said


def test_a_wrong_password() -> None:
    with doors.served(doors.SmallRegistry) as address:
        said = refusal(
            *("production", f"http://{address}", "--allow-private"),
            *("--username", doors.USER, "--password-stdin"),
            stdin="a-wrong-guess\n",
        )
    assert "Check the user name and the password" in said
    assert "a-wrong-guess" not in said


def test_an_expired_certificate(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=-2)
    (tmp_path / "ca.pem").write_text(pem)
    with doors.served(doors.OpenRegistry, context) as address:
        said = refusal(
            *("production", f"https://{address}", "--allow-private"),
            *("--ca-file", str(tmp_path / "ca.pem")),
        )
    assert "expired" in said


def test_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Limits(connect_seconds=0.2, stall_seconds=0.2, total_seconds=0.5, attempts=1)
    monkeypatch.setattr(connection_checks, "PATIENCE", short)
    with doors.silent() as address:
        said = refusal("production", f"http://{address}", "--allow-private")
    assert "silent" in said or "does not answer" in said


def test_a_private_address_says_which_switch_opens_it() -> None:
    said = refusal("production", f"https://{doors.closed()}")
    assert "allow private addresses" in said


def test_plain_http_needs_the_switch_for_private_networks() -> None:
    assert "allow private addresses" in refusal("production", "http://registry.example.com")


def test_an_address_with_a_path() -> None:
    assert "without a path" in refusal("production", "https://hub.example.com/harbor/projects")


def test_a_password_is_not_taken_from_the_command_line() -> None:
    said = refusal("production", "https://hub.example.com", "--username", "robot")
    assert "--password-stdin" in said


def test_an_empty_password_is_noticed() -> None:
    said = refusal(
        *("production", "https://hub.example.com", "--username", "robot", "--password-stdin")
    )
    assert "No password" in said


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    url = "https://hub.example.com"
    assert "PEM" in refusal("production", url, "--ca-file", str(tmp_path / "ca.pem"))
    assert "cannot be read" in refusal("production", url, "--ca-file", str(tmp_path / "nothing"))


@pytest.mark.parametrize("minutes", ["-5", "soon", "1" * 20])
def test_a_schedule_that_makes_no_sense(minutes: str) -> None:
    refusal("production", "https://hub.example.com", f"--sync-every={minutes}")


def test_a_taken_name_is_told_before_anything_is_dialled() -> None:
    Registry.objects.create(name="production", url="https://hub.example.com")
    with pytest.raises(CommandError, match="already a registry named “production”"):
        connect("production", "https://registry.does-not-exist.invalid")
    assert Registry.objects.get().url == "https://hub.example.com"
