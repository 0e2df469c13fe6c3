"""What stands in a registry's own configuration, so that it takes tokens from here.

distribution: docs/content/about/configuration.md, `auth.token`; zot: "Bearer authentication" in
https://zotregistry.dev/latest/articles/authn-authz/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from access.tokens.keys import ALGORITHM

# Where an operator puts what `manage.py token_certificate` prints, unless he has a better place.
BUNDLE = "/etc/portolan/certificates.pem"
KEYS = "/etc/portolan/keys.json"


def distribution_2(service: str, portolan: str, bundle: str = BUNDLE) -> dict[str, Any]:
    """For Distribution 2.8, which knows our keys by their certificates."""
    return {"auth": {"token": {**_server(service, portolan), "rootcertbundle": bundle}}}


def distribution_3(service: str, portolan: str, keys: str = KEYS) -> dict[str, Any]:
    """For Distribution 3. A certificate's key has another name there than in our tokens; a key of a
    JWKS file has the very one. Its own list of algorithms is far too long."""
    trust = {"jwks": keys, "signingalgorithms": [ALGORITHM]}
    return {"auth": {"token": {**_server(service, portolan), **trust}}}


def zot(service: str, portolan: str, certificate: str = BUNDLE) -> dict[str, Any]:
    """For zot, which reads one certificate."""
    realm = _server(service, portolan)["realm"]
    return {"http": {"auth": {"bearer": {"realm": realm, "service": service, "cert": certificate}}}}


def as_yaml(tree: Mapping[str, Any], indent: int = 0) -> str:
    """Nested mappings of plain values as YAML. Values are written as JSON, which YAML reads."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            lines += [f"{'  ' * indent}{key}:", as_yaml(value, indent + 1)]
        else:
            lines.append(f"{'  ' * indent}{key}: {json.dumps(value)}")
    return "\n".join(lines)


def _server(service: str, portolan: str) -> dict[str, str]:
    return {"realm": f"{portolan}/auth/token", "service": service, "issuer": portolan}
