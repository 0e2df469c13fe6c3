"""What the embedded services have in common: found alive, started, waited for, stopped."""

import abc
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 60.0  # crash recovery after a power cut may take a while
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
LOG_LINES = 5


class EmbeddedError(Exception):
    """An embedded service cannot run here; the text is one sentence for people."""


class Service(abc.ABC):
    """One server process with its data in `home`, reached through a socket in `sockets`."""

    variable: str  # of the environment, that gets `url`
    title: str
    program: str  # the process's name
    stop_signal: signal.Signals

    def __init__(self, home: Path, sockets: Path) -> None:
        self.home = home
        self.sockets = sockets
        self._process: subprocess.Popen[bytes] | None = None  # if we launched it

    @property
    @abc.abstractmethod
    def url(self) -> str: ...

    @property
    @abc.abstractmethod
    def pid_file(self) -> Path:
        """Where the server writes its process id, on the first line."""

    @property
    def claims(self) -> list[Path]:
        """Files by which a server says that it runs; it refuses to start where it finds one."""
        return [self.pid_file]

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the server serves requests now."""

    @abc.abstractmethod
    def prepare(self) -> list[str]:
        """Make what must exist before a start; the command line of the server."""

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    def ensure(self) -> None:
        """Return when the server answers, having started it if it does not run.

        The caller holds the start lock. Raises EmbeddedError with the end of the server's log.
        """
        if self.answers():
            return
        # One that is just stopping, or recovering from a crash, is waited for.
        if not self._wait_for_answer_or_end():
            for claim in self.claims:
                claim.unlink(missing_ok=True)
            self._launch()
            if not self._wait_for_answer_or_end():
                raise EmbeddedError(f"{self.title} did not start: {self._last_words()}")

    def stop(self) -> None:
        """Ask the server to stop, and return when its process is gone."""
        pid = self.pid()
        if pid is None:
            return
        for number in (self.stop_signal, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if self.pid() != pid:
                    return
                time.sleep(POLL_SECONDS)

    def pid(self) -> int | None:
        """The running server's process id.

        A pid file proves nothing after a crash or in a new container, where numbers start again:
        the process must be this program, working in this directory.
        """
        try:
            pid = int(self.pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        if self._process:
            self._process.poll()  # ours, and perhaps ended: take it off the process table
        return pid if _is_running(pid, self.program, self.home) else None

    def _launch(self) -> None:
        command = self.prepare()
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the command, not for the server.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )

    def _wait_for_answer_or_end(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.pid() is not None or self._is_being_born():
            if self.answers():
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.title} runs but does not answer after {START_SECONDS:.0f} seconds:"
                    f" {self._last_words()}"
                )
            time.sleep(POLL_SECONDS)
        return False

    def _is_being_born(self) -> bool:
        """Launched by us and not ended; it may not have written its pid file yet."""
        return self._process is not None and self._process.poll() is None

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"{' / '.join(lines[-LOG_LINES:])} (all of it: {self.log})"


def _is_running(pid: int, program: str, directory: Path) -> bool:
    if sys.platform != "linux":
        found = subprocess.run(
            ["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False
        )
        return Path(found.stdout.strip()).name == program
    process = Path("/proc") / str(pid)
    try:
        if (process / "comm").read_text(encoding="utf-8").strip() != program:
            return False
        return (process / "cwd").readlink() == directory
    except PermissionError:
        return True  # it runs as somebody else and is not ours to look into
    except OSError:
        return False
