"""What was measured, as lines of a table; and the file that keeps them."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True)
class Line:
    """One figure, what it may be at most (or at least), and whether it is."""

    what: str
    measured: str
    wanted: str
    holds: bool


def show(title: str, lines: list[Line]) -> str:
    """The lines as a Markdown table under a heading with date and machine."""
    date = datetime.now(UTC).date().isoformat()
    rows = [
        f"| {line.what} | {line.measured} | {line.wanted} | {'yes' if line.holds else '**no**'} |"
        for line in lines
    ]
    head = f"### {title}, {date}, {machine()}"
    return "\n".join([head, "", "| what | measured | wanted | holds |", "|---|---|---|---|", *rows])


def keep(table: str) -> None:
    """Put a table before the earlier ones in RESULTS.md."""
    text = RESULTS.read_text(encoding="utf-8")
    introduction, marker, earlier = text.partition("<!-- newest first -->\n")
    RESULTS.write_text(f"{introduction}{marker}\n{table}\n{earlier}", encoding="utf-8")


def machine() -> str:
    """Processor, cores and memory, as /proc has them."""
    cpu, memory = platform.processor() or platform.machine(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        cpu = f"{len(names)} x {names[0]}" if names else cpu
        total = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
        memory = f", {int(total) // 1024**2} GiB"
    return f"{cpu}{memory}, Python {platform.python_version()}"
