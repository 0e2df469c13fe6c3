"""What a reading amounted to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from registries.sync.readings import Problem

# Problems kept for reading; all of them are counted.
KEPT_PROBLEMS = 1000


class Tally:
    """Counts and problems of one reading, in memory; a run's Progress also writes them down."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[Problem] = []

    def count(self, **news: int) -> None:
        """Add to counters, by the names that they have in a SyncRun."""
        self.counts.update(news)
        self.tick()

    def note(self, problems: Iterable[Problem]) -> None:
        """Record what could not be read."""
        for problem in problems:
            self.counts["error_count"] += 1
            if self.counts["error_count"] <= KEPT_PROBLEMS:
                self.problems.append(problem)

    def tick(self) -> None:
        """Called about once a second while a reading goes on."""
