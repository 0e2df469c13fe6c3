"""Is the audit log whole? Each entry's hash is worked out anew and held against its neighbours.

One statement of SQL sees one state of the log, so entries that come meanwhile do no harm. What no
chain can show from inside is that it was written anew from end to end: note its last hash
elsewhere from time to time, and hand it to `verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_REMEMBERED = "audit-chain"


class Fault(IntEnum):
    """What is wrong with the first broken row. The numbers are those of the statement below."""

    MISSING = 1
    SURPLUS = 2
    CHANGED = 3
    LINK = 4
    CUT = 5
    HEAD = 6
    UNKNOWN = 7


@dataclass(frozen=True, slots=True)
class Known:
    """An entry's number and hash as somebody noted them outside of the database."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Known:
        """`120:9f86d0…`, as `verify_audit` prints it; raises ValueError for anything else."""
        number, _colon, digest = text.strip().partition(":")
        if len(bytes.fromhex(digest)) != 32:
            raise ValueError(_("A hash has 64 hexadecimal digits."))
        return cls(int(number), digest.lower())


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the log: `entries` from `first` to `number` (written at `at`) were looked at.

    `broken` is the number of the first broken row; None if the chain holds.
    """

    entries: int
    first: int
    number: int
    at: datetime | None
    hash: str
    checked_at: datetime
    broken: int | None = None
    fault: Fault | None = None

    @property
    def holds(self) -> bool:
        return self.fault is None

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if self.fault is not None:
            return _("The audit log is broken at #%(number)d: %(why)s") % {
                "number": self.broken,
                "why": _whys(self)[self.fault],
            }
        if self.at is None:
            return _("The audit log holds, and has no entries.")
        return ngettext(
            "The audit log holds: %(n)d entry verified, up to #%(number)d of %(at)s.",
            "The audit log holds: %(n)d entries verified, up to #%(number)d of %(at)s.",
            self.entries,
        ) % {"n": self.entries, "number": self.number, "at": date_format(self.at, "Y-m-d H:i:s e")}


def _whys(verdict: Verdict) -> dict[Fault, str]:
    names = {"broken": verdict.broken, "number": verdict.number}
    return {
        Fault.MISSING: _("an entry of this number is missing."),
        Fault.SURPLUS: _("this number stands here twice, or before where the log begins."),
        Fault.CHANGED: _("its content is not what was written."),
        Fault.LINK: _("it does not follow the entry before it, one of the two was replaced."),
        Fault.CUT: _("the end was cut off, the last entry there is #%(number)d.") % names,
        Fault.HEAD: _("the last entry is not the one that was written last."),
        Fault.UNKNOWN: _("its hash is not the one that was noted elsewhere."),
    }


# Codes as in Fault. min() of (number, code) is the first broken row, without keeping any other.
_VERIFY = """
    WITH chain AS (
        SELECT number, at, previous_hash, hash, access_audit_digest(entry) AS digest,
               lag(number) OVER in_order AS number_before, lag(hash) OVER in_order AS hash_before
          FROM access_auditentry AS entry WINDOW in_order AS (ORDER BY number, at)
    ), judged AS (
        SELECT chain.number,
               coalesce(number_before + 1, first_number) AS expected,
               CASE WHEN chain.number > coalesce(number_before + 1, first_number) THEN 1
                    WHEN chain.number < coalesce(number_before + 1, first_number) THEN 2
                    WHEN chain.hash <> digest THEN 3
                    WHEN previous_hash <> coalesce(hash_before, first_previous) THEN 4
                    ELSE 0 END AS code
          FROM chain, access_audithead
    ), summed AS (
        SELECT count(*) AS entries,
               min(ARRAY[CASE code WHEN 1 THEN expected ELSE number END, code])
                 FILTER (WHERE code > 0) AS broken
          FROM judged
    )
    SELECT summed.entries, summed.broken, head.number, head.hash, head.first_number,
           coalesce(last.number, head.first_number - 1), last.at,
           coalesce(last.hash, head.first_previous)
      FROM summed, access_audithead AS head
      LEFT JOIN LATERAL (
        SELECT number, at, hash FROM access_auditentry ORDER BY number DESC, at DESC LIMIT 1
      ) AS last ON true
"""


def verify(known: Known | None = None) -> Verdict:
    """Verify all of the log: every content, every link, every number, both ends.

    `known` is an entry noted elsewhere, which must still have that hash.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERIFY)
        row = cursor.fetchone()
    if row is None:
        raise RuntimeError("The audit log has no head: its one row was removed.")
    entries, broken, head_number, head_hash, first, number, at, last_hash = row
    head = (head_number, bytes(head_hash))
    found = _first_fault(broken, head, (number, bytes(last_hash)))
    if found is None and known is not None and known.number >= first:
        found = _compare(known)
    return Verdict(
        entries=entries,
        first=first,
        number=number,
        at=at,
        hash=bytes(last_hash).hex(),
        checked_at=timezone.now(),
        broken=found[0] if found else None,
        fault=found[1] if found else None,
    )


def _first_fault(
    broken: list[int] | None, head: tuple[int, bytes], last: tuple[int, bytes]
) -> tuple[int, Fault] | None:
    if broken is not None:
        return broken[0], Fault(broken[1])
    if last[0] < head[0]:
        return last[0] + 1, Fault.CUT
    return (last[0], Fault.HEAD) if last != head else None


def _compare(known: Known) -> tuple[int, Fault] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM access_auditentry WHERE number = %s", [known.number])
        row = cursor.fetchone()
    same = row is not None and bytes(row[0]).hex() == known.hash
    return None if same else (known.number, Fault.UNKNOWN)


# The last verdict, for screens -----------------------------------------------------------------


def verify_and_remember() -> Verdict:
    """Verify, and keep the verdict where `last_verdict` finds it."""
    verdict = verify()
    cache.set(_REMEMBERED, verdict, timeout=None)
    return verdict


def verify_within(seconds: int) -> Verdict | None:
    """The same, if it takes no longer than that; None if it would."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{seconds}s'")
            return verify_and_remember()
    except OperationalError:
        return None


def last_verdict() -> Verdict | None:
    """What the last verification found; None if there was none since the cache was emptied."""
    found = cache.get(_REMEMBERED)
    return found if isinstance(found, Verdict) else None
