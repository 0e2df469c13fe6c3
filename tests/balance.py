"""Which worker of xdist runs what: tests that share something expensive go together, and first.

What takes long at the end leaves the other worker idle, so the longest begin; all other tests go
one by one to whoever is free. (The mark `xdist_group` of pytest-xdist 3.8 is without effect under
pytest 9.2, which keeps the id of a test where xdist does not look.)
"""

from __future__ import annotations

import pytest

# Beginnings of ids, the longest first; one that is named by another is named before it.
TOGETHER = (
    # Real processes: started once, by one worker.
    "tests/browser/harbour/",
    "tests/registries/sync/test_recovery.py",
    "tests/live/test_docker_access.py",
    "tests/live/test_delivery_faults.py",
    "tests/browser/test_identity.py",
    "tests/browser/test_secret_screens.py",
    "tests/browser/test_access_screens.py",
    "tests/browser/test_manage_screens.py",
    "tests/dashboard/test_up.py",
    "tests/browser/test_trust_screens.py",
    "tests/browser/test_webhook_screens.py",
    "tests/dashboard/test_embedded.py",
    "tests/live/command/",
    "tests/live/test_notifications.py",
    "tests/live/test_gitea.py",
    "tests/live/",
    "tests/browser/",
    "tests/access/test_oidc_sign_in.py",
    # A ground made once, in a transaction that stays open.
    "tests/dashboard/test_permissions.py",
    "tests/dashboard/api/test_endpoints.py",
    # One test each that takes ten seconds.
    "tests/registries/sync/test_random_changes.py",
    "tests/webhooks/inbound/test_random_notifications.py",
)


def unit(nodeid: str) -> str:
    """What a test is a part of: tests of one unit run one after the other in one worker."""
    return next((start for start in TOGETHER if nodeid.startswith(start)), nodeid)


def put_units_first(items: list[pytest.Item]) -> None:
    """Sort tests in the order of TOGETHER; what is not named keeps its order."""
    places = {start: place for place, start in enumerate(TOGETHER)}
    items.sort(key=lambda item: places.get(unit(item.nodeid), len(TOGETHER)))
