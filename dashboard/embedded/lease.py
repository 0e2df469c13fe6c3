"""Who uses the embedded services: a shared lock a process, and the last one out knows it is."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class Lease:
    """A use of the services under one data directory, by this process, until it ends.

    The kernel drops the locks of a killed process, so nothing here can become stale.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._lease = os.open(home / "lease.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._door = os.open(home / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._lease)
        os.close(self._door)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait to be the only process that starts or stops services."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def hold(self) -> None:
        fcntl.flock(self._lease, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether no other process holds the lease; gives ours up if one does.

        Only meaningful inside `alone()`: a newcomer cannot take its lease meanwhile.
        """
        try:
            fcntl.flock(self._lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
