"""What to paste into a pipeline so that its jobs sign in to docker without a stored secret.

The token and the secret go from program to program through pipes: neither stands in a command line,
a variable of ours or the job's log.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from textwrap import indent

from access.models import TrustRule
from access.subjects import GITHUB

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
NO_HOST = "registry.example.com"


@dataclass(frozen=True, slots=True)
class Snippet:
    """`ci` is what it is for, `text` the YAML."""

    ci: str
    file: str
    text: str


def snippets(rule: TrustRule, *, portolan: str, host: str) -> list[Snippet]:
    """For GitHub Actions (also on a server of one's own, and on what imitates it) or for GitLab:
    their subjects begin otherwise."""
    is_github = rule.subject.startswith("repo:") or rule.issuer == GITHUB
    return [github(rule, portolan, host) if is_github else gitlab(rule, portolan, host)]


def github(rule: TrustRule, portolan: str, host: str) -> Snippet:
    """A step of a job. The runner gives the address and the permission to ask for a token."""
    script = "\n".join(
        [
            'curl -sS -G -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\',
            f"  --data-urlencode audience={shlex.quote(rule.audience)} \\",
            '  "$ACTIONS_ID_TOKEN_REQUEST_URL" |',
            "jq -j .value |",
            exchange_script(rule, portolan, host),
        ]
    )
    text = f"""permissions:
  contents: read
  id-token: write

jobs:
  push:
    runs-on: ubuntu-latest
    steps:
      - name: Sign in to docker
        shell: bash
        run: |
{indent(script, " " * 10)}
"""
    return Snippet("GitHub Actions", ".github/workflows/push.yml", text)


def gitlab(rule: TrustRule, portolan: str, host: str) -> Snippet:
    """A job. GitLab puts the token into the variable that `id_tokens` names."""
    script = 'printf %s "$PORTOLAN_ID_TOKEN" |\n' + exchange_script(rule, portolan, host)
    text = f"""push:
  image: docker:cli
  id_tokens:
    PORTOLAN_ID_TOKEN:
      aud: {json.dumps(rule.audience)}
  before_script:
    - apk add --no-cache curl jq
    - |
{indent(script, " " * 6)}
"""
    return Snippet("GitLab CI", ".gitlab-ci.yml", text)


def exchange_script(rule: TrustRule, portolan: str, host: str) -> str:
    """From the CI system's token on standard input to `docker login`. If the exchange is refused,
    the job's log says what Portolan said."""
    machine = shlex.quote(rule.service_principal.name)
    refused = shlex.quote(".access_token // error(.error_description)")
    return "\n".join(
        [
            f"curl -sS {shlex.quote(portolan + '/auth/token/exchange')} \\",
            f"  -d grant_type={GRANT_TYPE} \\",
            f"  -d subject_token_type={SUBJECT_TYPE} \\",
            f"  -d client_id={machine} --data-urlencode subject_token@- |",
            f"jq -j {refused} |",
            f"docker login {shlex.quote(host)} --username {machine} --password-stdin",
        ]
    )
