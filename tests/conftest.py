"""The ground of every test: a database and a Redis of this session's own, then Django.

Django reads its settings when pytest-django starts, so this module does its work while it is
imported. That is also why pyproject.toml names no settings module: pytest-django would load it
before any conftest, without a database to name.
"""

import atexit
import contextlib
import fcntl
import itertools
import os
from collections.abc import Generator, Iterator
from copy import copy
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import psycopg
import pytest

from dashboard import embedded
from tests import balance, extra, migrated
from tests.live import registries, tools

PROJECT = Path(__file__).resolve().parent.parent
SESSION = contextlib.ExitStack()
atexit.register(SESSION.close)  # however far the session came, also when Django did not start


@contextlib.contextmanager
def own_data_dir() -> Iterator[Path]:
    """A data directory that no other test session uses now; it is kept, so that the next starts
    at once. An editor, a terminal and `make test` may run side by side."""
    (PROJECT / ".portolan").mkdir(exist_ok=True)
    for number in itertools.count(1):
        directory = PROJECT / ".portolan" / f"test-{number}"
        with directory.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield directory
            return


def keep_nothing() -> None:
    """Let the database of this session wait for no disk: what a power cut would cost are tests.

    Nor clean up after tests: between two of them tables are empty, and what is noted of that then
    makes Postgres plan for empty tables in the middle of the next. Those that kill a database have
    one of their own, which is kept as everybody's is.
    """
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


MADE_BY_MIGRATIONS = {"django_content_type", "auth_permission"}


def set_up_django() -> None:
    import django
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    cache = settings.CACHES["default"]
    cache["LOCATION"] = f"{cache['LOCATION'].partition('?')[0]}?db={int(worker) % 16}"
    # Made for being slow, which no test is about.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TOKEN_LOG_IN_BACKGROUND = settings.WAKE_IN_BACKGROUND = False
    settings.NOTIFICATION_THREADS = 0
    # Pages are tested without having run collectstatic.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    django.setup()
    empty_quickly()


def empty_quickly() -> None:
    """After a test that commits, delete the few rows that it left.

    Django's way truncates every table and makes content types, permissions and roles anew: half a
    second each time, for hundreds of tests.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    from access.models import Role
    from access.roles import ensure_built_in

    tables: list[str] = []
    roles: list[Role] = []

    def emptied(_case: TransactionTestCase) -> None:
        if not tables:
            names = connection.introspection.django_table_names(only_existing=True)
            tables.extend(sorted(set(names) - MADE_BY_MIGRATIONS))
        with connection.cursor() as cursor:
            # Foreign keys are judged at the end, when all rows are gone.
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))
        # Made once as the product makes them, one statement each and more; then all in one.
        if roles:
            # With keys from the sequence: a test of migrations may have begun that anew.
            Role.objects.bulk_create(copy(role) for role in roles)
        else:
            ensure_built_in()
            roles.extend(Role.objects.all())
            for role in roles:
                role.pk = None

    setattr(TransactionTestCase, "_fixture_teardown", emptied)  # noqa: B010  unknown to the stubs


# Workers of xdist inherit all of this from the process that starts them.
if "PYTEST_XDIST_WORKER" in os.environ:
    set_up_django()
    migrated.copy_for_tests()
else:
    os.environ["PORTOLAN_DATA_DIR"] = str(SESSION.enter_context(own_data_dir()))
    os.environ["PORTOLAN_TRIAL"] = "1"  # keys are made, also on a database that was given
    given = os.environ.get("DATABASE_URL")
    SESSION.enter_context(embedded.services())
    is_ours = os.environ.get("DATABASE_URL") != given
    if is_ours:
        keep_nothing()
    set_up_django()
    if is_ours:
        migrated.make()
        migrated.copy_for_tests()


def pytest_report_header() -> str:
    """Which real registries are here, and why one is not."""
    missing = [tools.why_missing(kind) for kind in registries.KINDS if tools.find(kind) is None]
    return "; ".join(["live registries: " + ", ".join(registries.available()), *missing])


# A machine that is busy with something else has found no fault.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


# How workers share the tests ---------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        balance.put_units_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadgroup, units of tests/balance.py in their order; else as xdist has it."""
    from xdist.scheduler import LoadScopeScheduling

    if config.getoption("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    setattr(scheduler, "_split_scope", balance.unit)  # noqa: B010  made to be overridden
    return scheduler


# Where everything must be there, a skipped test is a test that failed to say so ------------------

STRICT = os.environ.get("CI") == "true"


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _fail_if_skipped(report: Report) -> Report:
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if extra.MARK in reason:
            return report
        report.outcome = "failed"
        report.longrepr = f"{reason} (with CI=true a skip is a failure)"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _fail_if_skipped((yield))
