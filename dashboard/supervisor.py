"""Child processes kept running together: output prefixed, the dead restarted, all stopped as one."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Longer than CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT, which lets running tasks come to an end.
STOP_SECONDS = 40.0
RESTART_SECONDS = (1.0, 2.0, 4.0, 8.0)
MANY_DEATHS = len(RESTART_SECONDS) + 1
DEATHS_WITHIN_SECONDS = 120.0
LONGEST_LINE = 64 * 1024


class ProgramFailedError(Exception):
    """A program dies as often as it is started; the text says which, for people."""


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)  # added to ours


class Supervisor:
    """Runs programs in `directory` until told to stop; `write` gets lines for people."""

    def __init__(
        self, programs: Sequence[Program], *, directory: Path, write: Callable[[str], None]
    ) -> None:
        self._programs = programs
        self._directory = directory
        self._write = write
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._width = max(len(program.name) for program in programs)

    async def run(self, when_started: Callable[[], Awaitable[None]]) -> None:
        """Start everything, await `when_started`, return when all has stopped.

        SIGINT, SIGTERM and SIGHUP stop it in good order, a second one at once. Raises
        ProgramFailedError, and whatever `when_started` raises, after everything was stopped.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        work = [asyncio.create_task(self._keep(program)) for program in self._programs]
        work.append(asyncio.create_task(self._until_stopped(when_started)))
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._stopping.set()
            results = await asyncio.gather(*work, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._hurry.set()
        else:
            self._write("Stopping.")
            self._stopping.set()

    async def _until_stopped(self, action: Callable[[], Awaitable[None]]) -> None:
        """Await `action`, but no longer than until everything is to stop."""
        doing = asyncio.ensure_future(action())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if doing.done():
            doing.result()
        else:
            doing.cancel()

    async def _keep(self, program: Program) -> None:
        deaths: deque[float] = deque(maxlen=MANY_DEATHS)
        while not self._stopping.is_set():
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            deaths.append(time.monotonic())
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            if len(deaths) == MANY_DEATHS and deaths[-1] - deaths[0] < DEATHS_WITHIN_SECONDS:
                raise ProgramFailedError(
                    f"{program.name} {how}, {MANY_DEATHS} times in {DEATHS_WITHIN_SECONDS:.0f}"
                    " seconds; its output is above."
                )
            delay = RESTART_SECONDS[len(deaths) - 1 if len(deaths) < MANY_DEATHS else -1]
            self._write(f"{program.name} {how}; starting it again in {delay:.0f} s.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _run_once(self, program: Program) -> int:
        # A pipe of our own: with asyncio's, wait() would wait for whoever else holds it, too.
        reading, writing = os.pipe()
        output = asyncio.create_task(self._forward(program.name, reading))
        try:
            process = await asyncio.create_subprocess_exec(
                *_bound_to_us(program.command),
                cwd=self._directory,
                env={**os.environ, **program.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                # A group of its own, so that Ctrl-C reaches us alone and all of it can be ended.
                start_new_session=True,
            )
        finally:
            os.close(writing)
        ending = asyncio.create_task(self._end_when_stopping(process))
        try:
            return await process.wait()
        finally:
            ending.cancel()
            # What a dead program leaves of its own children would hold its port and its pipe.
            _signal_group(process.pid, signal.SIGKILL)
            await output

    async def _end_when_stopping(self, process: asyncio.subprocess.Process) -> None:
        await self._stopping.wait()
        # The leader alone: it knows the order in which to end its own children.
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), STOP_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)

    async def _forward(self, name: str, pipe: int) -> None:
        stream = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(pipe, "rb")
        )
        rest = b""
        while chunk := await stream.read(LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            self._show(name, lines)
        self._show(name, [rest] if rest else [])

    def _show(self, name: str, lines: list[bytes]) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            self._write(f"{name:<{self._width}} | {text}")


def _bound_to_us(command: Sequence[str]) -> list[str]:
    """`command`, asked to stop by the kernel when we are killed, where the kernel can."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else list(command)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
