"""Programs run one at a time, and what they cost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
    peak = 0.0
    while program.poll() is None:
        peak = max(peak, _peak_so_far(program.pid))
        watch(time.perf_counter() - begun)
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    output = program.stdout.read()
    if program.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {output}")
    last = output.strip().rpartition("\n")[2]
    said = json.loads(last) if last.startswith("{") else {}
    return Outcome(said, seconds, peak)


def _peak_so_far(pid: int) -> float:
    """MiB. From /proc, as the kernel's `ru_maxrss` begins with what our own process had when it
    started the program: a benchmark that has just filled a registry would be measured itself."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
