"""What an operator copies into a registry's configuration. (tests/live runs registries with it.)"""

from __future__ import annotations

from access.tokens import setup


def test_distribution_2_is_given_certificates() -> None:
    text = setup.as_yaml(setup.distribution_2("harbour", "https://portolan.example.com"))
    assert text.splitlines() == [
        "auth:",
        "  token:",
        '    realm: "https://portolan.example.com/auth/token"',
        '    service: "harbour"',
        '    issuer: "https://portolan.example.com"',
        '    rootcertbundle: "/etc/portolan/certificates.pem"',
    ]


def test_distribution_3_is_given_keys_and_takes_one_algorithm() -> None:
    text = setup.as_yaml(setup.distribution_3("harbour", "https://portolan.example.com"))
    assert text.splitlines()[-2:] == [
        '    jwks: "/etc/portolan/keys.json"',
        '    signingalgorithms: ["ES256"]',
    ]


def test_zot_is_given_one_certificate() -> None:
    assert setup.zot("harbour", "https://portolan.example.com")["http"]["auth"]["bearer"] == {
        "realm": "https://portolan.example.com/auth/token",
        "service": "harbour",
        "cert": "/etc/portolan/certificates.pem",
    }
