"""The running server, asked for everything that its description says, by schemathesis.

Each role asks with made-up and with sensible values, operation by operation and along the links
between them: no answer may be a server's error, one that is not described, or, for an outsider, one
that holds a name which he may not see. `make fuzz` asks for longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache

from access.models import User
from tests import catalog
from tests.cast import PASSWORD, give
from tests.dashboard import ground
from tests.dashboard.api.client import token_of
from tests.live.portolan import ROOT, serving

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

EXAMPLES = os.environ.get("PORTOLAN_FUZZ_EXAMPLES", "1")
PHASES = os.environ.get("PORTOLAN_FUZZ_PHASES", "examples,fuzzing,stateful")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method,"
    "allow_header_conformance,use_after_free,nothing_hidden_is_told"
)
# Names that nobody guesses, and no example has.
HIDDEN = ("undercroft", "oubliette", "sepulchre")


@pytest.fixture
def server(db: None, tmp_path: Path) -> Iterator[str]:
    """A server with one of everything, and something that only owners know of."""
    ground.make()
    hidden = catalog.registry("undercroft")
    cellar = catalog.repository(hidden, "oubliette/app")
    catalog.tag(cellar, "sepulchre", catalog.image(cellar))
    catalog.recount(hidden)
    cache.clear()
    with serving(tmp_path / "server.log", API_REQUESTS_PER_MINUTE="0") as url:
        yield url


def ask_everything(
    server: str, somebody: User, home: Path, *, hidden: tuple[str, ...] = ()
) -> None:
    """Fails with what schemathesis found."""
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server}/api/v1/schema/"),
            *("--header", f"Authorization: Bearer {token_of(somebody)}"),
            *("--checks", CHECKS, "--phases", PHASES),
            *("--max-examples", EXAMPLES, "--seed", "1", "--workers", "2", "--no-color"),
            *("--generation-database", "none", "--suppress-health-check", "all"),
            *("--warnings", "off", "--request-timeout", "30"),
        ],
        cwd=home,  # where it keeps what it found
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.live.schema_hooks",
            "PORTOLAN_HIDDEN_NAMES": " ".join(hidden),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    # With `make fuzz`, its summary is seen.
    sys.stdout.write(asked.stdout[asked.stdout.rfind("API Operations:") :])
    assert asked.returncode == 0, f"{asked.stdout[-12000:]}\n{asked.stderr[-2000:]}"


def test_an_owner_s_answers_are_all_described(server: str, tmp_path: Path) -> None:
    owner = User.objects.create_superuser("anna", "anna@example.com", PASSWORD)
    ask_everything(server, owner, tmp_path)


def test_a_viewer_s_answers_are_all_described(server: str, tmp_path: Path) -> None:
    viewer = User.objects.create_user("viktor", "viktor@example.com", PASSWORD)
    give(viewer, "reader")
    ask_everything(server, viewer, tmp_path)


def test_an_outsider_s_answers_are_all_described_and_tell_of_nothing_hidden(
    server: str, tmp_path: Path
) -> None:
    outsider = User.objects.create_user("otto", "otto@example.com", PASSWORD)
    ask_everything(server, outsider, tmp_path, hidden=HIDDEN)
