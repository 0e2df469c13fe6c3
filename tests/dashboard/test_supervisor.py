"""Programs that are kept running together: restarted, given up on, and ended without remains."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dashboard import supervisor
from dashboard.supervisor import Program, ProgramFailedError, Supervisor

LOOP = "import time\nprint('ready', flush=True)\nwhile True: time.sleep(60)"
# Leaves a child of its own that ignores being asked to end, and tells its process id.
STUBBORN = """
import signal, subprocess, sys, time
child = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""


def python(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code])


class Told:
    """What people at the terminal were told; can be awaited."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._more.set()

    async def until(self, text: str, *, times: int = 1) -> None:
        while sum(text in line for line in self.lines) < times:
            self._more.clear()
            await self._more.wait()


def supervise(programs: Sequence[Program], until: str, *, times: int = 1) -> list[str]:
    """Run programs until a line was told, then interrupt as Ctrl-C does; the lines told."""

    async def run() -> list[str]:
        told = Told()

        async def interrupt() -> None:
            await told.until(until, times=times)
            os.kill(os.getpid(), signal.SIGINT)

        keeper = Supervisor(programs, directory=Path(), write=told)
        await asyncio.wait_for(keeper.run(when_started=interrupt), timeout=30)
        return told.lines

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", (0.01, 0.01, 0.01, 0.01))


def test_output_says_which_program_it_is_of() -> None:
    lines = supervise([python("web", LOOP), python("worker", LOOP)], "ready", times=2)
    assert {"web    | ready", "worker | ready"} < set(lines)
    assert lines[-1] == "Stopping."


def test_a_dead_program_is_reported_and_started_again() -> None:
    dies = "print('born', flush=True); raise SystemExit(3)"
    lines = supervise([python("web", dies)], "born", times=2)
    assert any("web ended with exit code 3; starting it again" in line for line in lines)


def test_a_program_that_keeps_dying_stops_everything() -> None:
    told: list[str] = []
    programs = [python("beat", "raise SystemExit(1)"), python("web", STUBBORN)]

    async def forever() -> None:
        await asyncio.Event().wait()

    keeper = Supervisor(programs, directory=Path(), write=told.append)
    with pytest.raises(ProgramFailedError, match="beat ended with exit code 1, 5 times"):
        asyncio.run(keeper.run(when_started=forever))
    assert not left_running(told)


def test_what_fails_after_the_start_stops_everything() -> None:
    told = Told()

    async def fail() -> None:
        await told.until("web |")
        raise LookupError

    keeper = Supervisor([python("web", STUBBORN)], directory=Path(), write=told)
    with pytest.raises(LookupError):
        asyncio.run(keeper.run(when_started=fail))
    assert not left_running(told.lines)


def test_children_of_the_programs_are_ended_too() -> None:
    lines = supervise([python("web", STUBBORN)], "web |")
    assert not left_running(lines)


def test_a_very_long_line_is_passed_on() -> None:
    lines = supervise([python("web", f"print('x' * 1_000_000, flush=True)\n{LOOP}")], "ready")
    assert sum(line.count("x") for line in lines) == 1_000_000


def left_running(lines: list[str]) -> list[str]:
    """The children of STUBBORN programs that still run, by the ids they told."""
    told = [line.partition("| ")[2] for line in lines if line.startswith("web")]
    return [pid for pid in told if pid.isdigit() and not ends_soon(pid)]


def ends_soon(pid: str) -> bool:
    """A killed process is gone when the kernel gets to it, or waits for its parent (Z)."""
    for _ in range(200):
        state = subprocess.run(
            ["ps", "-p", pid, "-o", "stat="], capture_output=True, text=True, check=False
        ).stdout
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.01)
    return False
