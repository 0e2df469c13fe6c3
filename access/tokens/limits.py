"""Guessing made slow: failures are counted in Redis, for each account at an address, and for each
address.

Only wrong secrets count and only they are delayed: whoever has the right one gets his token also
while somebody else tries his name, from the same address, too. (A secret has 256 random bits: what
is limited is noise in the log, not the odds.)
"""

from __future__ import annotations

import hashlib
import logging
import time
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import cache

log = logging.getLogger(__name__)

FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 30
LONGEST_DELAY = 300
REMEMBERED_SECONDS = 900
# The same refusal again is entered in the audit log once in this time, and of strangers at one
# address at most so many: nobody fills a log that is kept for ever from outside.
SAME_REFUSAL_SECONDS = 60
STRANGERS_REFUSALS = 30


def delay_after(failures: int, free: int) -> int:
    """Seconds to wait after so many failures: none while they are free, then 1, 2, 4, …"""
    return min(2 ** min(failures - free, 16), LONGEST_DELAY) if failures >= free else 0


def seconds_to_wait(address: str | None, account: str) -> int:
    """Count one wrong secret; what is left of a delay that is running, 0 if there is none."""
    here = _network(address)
    pair = hashlib.sha256(f"{here} {account}".encode()).hexdigest()[:32]
    limits = {f"token-failures:{here}": FREE_OF_ADDRESS, f"token-failures:{pair}": FREE_OF_ACCOUNT}
    try:
        now = time.time()
        blocked = cache.get_many([f"{key}:until" for key in limits])
        left = max((until - now for until in blocked.values()), default=0.0)
        if left > 0:
            return int(left) + 1
        for key, free in limits.items():
            cache.add(key, 0, REMEMBERED_SECONDS)
            if delay := delay_after(cache.incr(key), free):
                cache.set(f"{key}:until", now + delay, delay)
    except Exception:  # noqa: BLE001  whatever the cache's library raises
        # Without Redis there are no limits; docker must not stand still for it.
        log.warning("Wrong secrets are not being limited: the cache does not answer.")
    return 0


def is_worth_an_entry(address: str | None, what: str, *, by_stranger: bool) -> bool:
    """Whether a refusal is to be audited: not when the same one was a moment ago."""
    here = _network(address)
    same = hashlib.sha256(f"{here} {what}".encode()).hexdigest()[:32]
    try:
        if not cache.add(f"token-refused:{same}", 1, SAME_REFUSAL_SECONDS):
            return False
        if not by_stranger:
            return True
        cache.add(f"token-strangers:{here}", 0, SAME_REFUSAL_SECONDS)
        return bool(cache.incr(f"token-strangers:{here}") <= STRANGERS_REFUSALS)
    except Exception:  # noqa: BLE001  see above
        return True


def _network(address: str | None) -> str:
    """An address as what one person has: of IPv6 that is a /64."""
    if address is None:
        return "local"
    parsed = ip_address(address)
    return (
        str(ip_network(f"{parsed}/64", strict=False))
        if isinstance(parsed, IPv6Address)
        else str(parsed)
    )
