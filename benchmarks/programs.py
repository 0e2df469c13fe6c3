"""Programs run one at a time, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A program's last line as JSON, seconds of wall clock, and its peak memory in MiB."""

    said: dict[str, Any]
    seconds: float
    peak: float


def run(
    *arguments: str, watch: Callable[[float], None] = lambda _seconds: None, given: str = ""
) -> Outcome:
    """Run Python with these arguments; `watch` is called every 50 ms with the seconds so far."""
    begun = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(given)
    program.stdin.close()
    while True:
        pid, status, usage = os.wait4(program.pid, os.WNOHANG)
        if pid:
            break
        watch(time.perf_counter() - begun)
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    output = program.stdout.read()
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {output}")
    last = output.strip().rpartition("\n")[2]
    said = json.loads(last) if last.startswith("{") else {}
    return Outcome(said, seconds, usage.ru_maxrss / 1024)
