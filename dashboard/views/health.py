"""What a load balancer and an orchestrator ask: are you alive, and may you get requests?

Both answer strangers, so neither says more than which part is down. They are asked by a machine's
address as often as by a name, so they are answered before anything looks at the Host header.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  a view's signature
    """The process answers. It asks nobody else: a restart would not mend a database."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  a view's signature
    """200 with every part "ok", or 503 naming the part that is not."""
    parts = {name: _ask(name, probe) for name, probe in _PROBES.items()}
    ready = all(answer == "ok" for answer in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _ask(name: str, probe: Callable[[], str]) -> str:
    try:
        return probe()
    except (DatabaseError, RedisError, OSError):
        logger.exception("Not ready: %s", name)
        return "down"


def _postgres() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} to apply" if waiting else "ok"


def _redis() -> str:
    cache.get("readyz")
    return "ok"


_PROBES = {"postgres": _postgres, "migrations": _migrations, "redis": _redis}


class ProbeMiddleware:
    """Answers both itself; stands before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _PROBED.get(request.path_info, self._get_response)
        return answer(request)


_PROBED: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/livez": livez, "/readyz": readyz}
