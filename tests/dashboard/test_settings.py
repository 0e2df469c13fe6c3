"""What the environment makes of the settings, read by a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PRINT = """
import json
from dashboard import settings
print(json.dumps({name: getattr(settings, name) for name in %s}))
"""


def settings_of(names: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql:///offline",
        "REDIS_URL": "unix:///offline",
        "PORTOLAN_TRIAL": "1",
        **variables,
    }
    command = [sys.executable, "-c", PRINT % names]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_further_hosts_come_beside_the_public_one_and_mail_s_host_from_a_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "host").write_text("mail.example.com\n")
    done = settings_of(
        ["ALLOWED_HOSTS", "EMAIL_CONFIG_SET", "EMAIL_HOST", "EMAIL_USE_SSL"],
        PORTOLAN_URL="https://portolan.example.com",
        ALLOWED_HOSTS="portolan.internal",
        EMAIL_HOST_FILE=str(tmp_path / "host"),
        EMAIL_USE_SSL="yes",
    )
    assert json.loads(done.stdout) == {
        "ALLOWED_HOSTS": [
            "portolan.example.com",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "portolan.internal",
        ],
        "EMAIL_CONFIG_SET": True,
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_USE_SSL": True,
    }


def test_two_ways_to_encrypt_mail_are_refused_by_name() -> None:
    done = settings_of(["EMAIL_HOST"], EMAIL_USE_SSL="yes", EMAIL_USE_TLS="yes")
    assert "Set one of EMAIL_USE_TLS and EMAIL_USE_SSL" in done.stderr
