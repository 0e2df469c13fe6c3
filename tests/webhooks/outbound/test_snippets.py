"""The verification snippets of docs/INTEGRATORS.md run, and do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webhooks.outbound import sign

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "INTEGRATORS.md"
BODY = '{"text": "ä"}'.encode()
SECRET, OTHER = sign.make_secret(), sign.make_secret()

Verifies = Callable[[str, dict[str, str], bytes], bool]


def snippet(language: str) -> str:
    """The block of a language under "Checking a signature"."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("### Checking a signature")[2]
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(code)


def run(command: list[str], directory: Path) -> bool:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr + done.stdout
    return done.returncode == 0


def python(directory: Path, secret: str, headers: dict[str, str], body: bytes) -> bool:
    call = f"""
try:
    verify({secret!r}, {headers!r}, {body!r})
except ValueError:
    raise SystemExit(3)
"""
    (directory / "check.py").write_text(snippet("python") + call, encoding="utf-8")
    return run([sys.executable, "check.py"], directory)


def node(directory: Path, secret: str, headers: dict[str, str], body: bytes) -> bool:
    given = f"{json.dumps(secret)}, {json.dumps(headers)}, Buffer.from({list(body)})"
    call = f"try {{ verify({given}); }} catch (error) {{ process.exit(3); }}\n"
    (directory / "check.js").write_text(snippet("js") + call, encoding="utf-8")
    return run(["node", "check.js"], directory)


GO_MAIN = """
func main() {
	header := func(name string) string {
		for at := 3; at < len(os.Args); at += 2 {
			if os.Args[at] == name {
				return os.Args[at+1]
			}
		}
		return ""
	}
	if Verify(os.Args[1], header, []byte(os.Args[2])) != nil {
		os.Exit(3)
	}
}
"""


def go(directory: Path, secret: str, headers: dict[str, str], body: bytes) -> bool:
    program = directory / "check"
    if not program.exists():
        code = snippet("go").replace("package webhook\n", "package main\n")
        code = code.replace('"errors"\n', '"errors"\n\t"os"\n')
        (directory / "main.go").write_text(code + GO_MAIN, encoding="utf-8")
        command = ["go", "build", "-o", str(program), "main.go"]
        built = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
    told = [text for pair in headers.items() for text in pair]
    return run([str(program), secret, body.decode(), *told], directory)


LANGUAGES = {"python": python, "node": node, "go": go}
HERE = [name for name in LANGUAGES if name == "python" or shutil.which(name)]


@pytest.fixture(params=HERE)
def verifies(request: pytest.FixtureRequest, tmp_path: Path) -> Verifies:
    check = LANGUAGES[request.param]
    return lambda secret, headers, body: check(tmp_path, secret, headers, body)


def signed(*secrets: str, ago: float = 0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return sign.headers([sign.key_of(one) for one in secrets], "evt_1", at, BODY)


def test_a_snippet_takes_ours_and_nothing_else(verifies: Verifies) -> None:
    assert verifies(SECRET, signed(SECRET), BODY)
    assert verifies(SECRET, signed(OTHER, SECRET), BODY)
    assert not verifies(SECRET, signed(OTHER), BODY)
    assert not verifies(SECRET, signed(SECRET), BODY + b" ")
    assert not verifies(SECRET, signed(SECRET, ago=400), BODY)
