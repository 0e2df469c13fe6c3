"""Single sign-on is read from the environment, and what makes no sense is refused by name."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from dashboard import sign_on

KEYCLOAK = {
    "OIDC_PROVIDERS": "keycloak",
    "OIDC_KEYCLOAK_ISSUER": "https://sso.example.com/realms/main/",
    "OIDC_KEYCLOAK_CLIENT_ID": "portolan",
    "OIDC_KEYCLOAK_CLIENT_SECRET": "very secret",
}


@pytest.fixture
def keycloak(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in KEYCLOAK.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_without_variables_there_is_no_single_sign_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OIDC_PROVIDERS", raising=False)
    monkeypatch.delenv("GITHUB_CLIENT_ID", raising=False)
    assert sign_on.oidc_providers() == []
    assert sign_on.github_app() is None
    assert sign_on.origins([], None) == []


def test_a_provider_is_read_with_sensible_defaults(keycloak: pytest.MonkeyPatch) -> None:
    (provider,) = sign_on.oidc_providers()
    assert (provider.id, provider.name) == ("keycloak", "Keycloak")
    assert provider.issuer == "https://sso.example.com/realms/main"
    assert provider.groups_claim == "groups"
    assert provider.app["settings"]["oauth_pkce_enabled"] is True
    assert provider.app["settings"]["verified_email"] is False
    assert "very secret" not in repr(provider)


def test_all_of_it_can_be_said(keycloak: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    keycloak.setenv("OIDC_PROVIDERS", "keycloak, my-entra")
    keycloak.setenv("OIDC_MY_ENTRA_NAME", "Microsoft")
    keycloak.setenv("OIDC_MY_ENTRA_ISSUER", "https://login.microsoftonline.com/tenant/v2.0")
    keycloak.setenv("OIDC_MY_ENTRA_CLIENT_ID", "an id")
    keycloak.setenv("OIDC_MY_ENTRA_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    keycloak.setenv("OIDC_MY_ENTRA_GROUPS_CLAIM", "roles")
    keycloak.setenv("OIDC_MY_ENTRA_SCOPES", "groups,offline_access")
    keycloak.setenv("OIDC_MY_ENTRA_VOUCHES_FOR_EMAIL", "yes")
    keycloak.setenv("GITHUB_CLIENT_ID", "gh")
    keycloak.setenv("GITHUB_CLIENT_SECRET", "gh secret")
    oidc, github = sign_on.oidc_providers(), sign_on.github_app()
    entra = oidc[1]
    assert (entra.id, entra.name, entra.client_secret) == ("my-entra", "Microsoft", "from a file")
    assert entra.app["settings"]["scope"][-2:] == ["groups", "offline_access"]
    assert entra.app["settings"]["groups_claim"] == "roles"
    assert sign_on.origins(oidc, github) == [
        "https://github.com",
        "https://login.microsoftonline.com",
        "https://sso.example.com",
    ]
    settings = sign_on.allauth_providers(oidc, github)
    assert [app["provider_id"] for app in settings["openid_connect"]["APPS"]] == [
        "keycloak",
        "my-entra",
    ]
    assert settings["github"]["APPS"] == [github]


@pytest.mark.parametrize("missing", ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"])
def test_what_is_missing_is_named(keycloak: pytest.MonkeyPatch, missing: str) -> None:
    keycloak.delenv(f"OIDC_KEYCLOAK_{missing}")
    with pytest.raises(ImproperlyConfigured, match=f"OIDC_KEYCLOAK_{missing}"):
        sign_on.oidc_providers()


def test_github_needs_its_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_CLIENT_ID", "gh")
    monkeypatch.delenv("GITHUB_CLIENT_SECRET", raising=False)
    with pytest.raises(ImproperlyConfigured, match="GITHUB_CLIENT_SECRET"):
        sign_on.github_app()


@pytest.mark.parametrize(
    "issuer",
    [
        "sso.example.com",
        "ftp://sso.example.com",
        "http://sso.example.com",
        "https://",
        "https://user:password@sso.example.com",
        "https://sso.example.com/?tenant=a",
        "https://sso.example.com:port",
        "https://[broken",
    ],
)
def test_an_issuer_is_reached_over_tls(keycloak: pytest.MonkeyPatch, issuer: str) -> None:
    keycloak.setenv("OIDC_KEYCLOAK_ISSUER", issuer)
    with pytest.raises(ImproperlyConfigured, match="OIDC_KEYCLOAK_ISSUER"):
        sign_on.oidc_providers()


def test_a_provider_on_this_machine_may_speak_plain_http(keycloak: pytest.MonkeyPatch) -> None:
    keycloak.setenv("OIDC_KEYCLOAK_ISSUER", "http://127.0.0.1:9400")
    assert sign_on.oidc_providers()[0].issuer == "http://127.0.0.1:9400"


@pytest.mark.parametrize("name", ["Key Cloak", "github", "openid_connect", "-a", "../b", "a" * 70])
def test_a_name_fits_into_an_address(keycloak: pytest.MonkeyPatch, name: str) -> None:
    keycloak.setenv("OIDC_PROVIDERS", name)
    with pytest.raises(ImproperlyConfigured, match="OIDC_PROVIDERS"):
        sign_on.oidc_providers()


def test_a_provider_is_named_once(keycloak: pytest.MonkeyPatch) -> None:
    keycloak.setenv("OIDC_PROVIDERS", "keycloak,keycloak")
    with pytest.raises(ImproperlyConfigured, match="twice"):
        sign_on.oidc_providers()


def test_domains_are_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNUP_DOMAINS", "Example.com, @sub.example.org")
    assert sign_on.signup_domains() == ["example.com", "sub.example.org"]
    monkeypatch.setenv("SIGNUP_DOMAINS", "*")
    with pytest.raises(ImproperlyConfigured, match="SIGNUP_DOMAINS"):
        sign_on.signup_domains()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_whatever_is_given_as_issuer_is_taken_or_refused_by_name(text: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in KEYCLOAK.items():
            environment.setenv(name, value)
        environment.setenv("OIDC_KEYCLOAK_ISSUER", text)
        with contextlib.suppress(ImproperlyConfigured):
            (provider,) = sign_on.oidc_providers()
            assert provider.issuer.startswith(("https://", "http://"))
