"""`/hooks/in/<registry>`: what registries post, stored and answered within milliseconds.

Whoever shows a live secret is answered 2xx whatever he sends: Distribution would send a refused
notification for ever, and all others behind it would wait (PROTOCOLS c). What makes no sense is
kept as junk for the registry's owner. Only a missing or wrong secret is refused, with the same 401
where there is no such registry, and 503 is said while the database is away: then the sender's own
queue keeps what we cannot.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from webhooks.inbound import doors, senders, waking
from webhooks.inbound.store import store
from webhooks.inbound.told import Misread
from webhooks.inbound.verify import Key, fitting, shown, signed

log = logging.getLogger(__name__)

PREFIX = "/hooks/in/"
ALLOW = "POST, OPTIONS"
_PLACE = re.compile(r"/hooks/in/(?P<name>[a-z0-9-]{1,63})/?(?P<secret>[^/]*)")
# Distribution's envelopes have a few kilobytes, GitHub's events some dozens.
MOST_BYTES = 1024 * 1024
CHALLENGE = 'Bearer realm="notifications"'
# How exact "last used" is.
USED_EVERY = timedelta(minutes=1)
_used: dict[str, datetime] = {}


# Exempt: registries have no cookie. The name is taken from the address, with the secret.
@csrf_exempt
@login_not_required
def answer(request: HttpRequest, name: str = "") -> HttpResponse:
    """The answer to any request below PREFIX. The secret is taken out of the request first: what
    goes wrong further on is logged with the address."""
    name, secrets, headers = _taken(request)
    if request.method == "OPTIONS" and "webhook-request-origin" not in headers:
        return _said(204)
    if request.method not in ("POST", "OPTIONS"):
        return _said(405, "Registries post their notifications here.")
    try:
        return _opened(request, name, secrets, headers)
    except DatabaseError:
        log.warning("A notification of %s could not be stored.", name or "nobody", exc_info=True)
        response = _said(503, "It could not be stored: send it again.")
        response["Retry-After"] = "5"
        return response


def _opened(
    request: HttpRequest, name: str, secrets: list[str], headers: dict[str, str]
) -> HttpResponse:
    body, is_cut = b"", False
    signature = headers.get("x-hub-signature-256", "")
    door, key = _key(name, secrets)
    if key is None and signature and not secrets:
        # It can be judged only when all is here; nobody else makes us read a body unproved.
        body, is_cut = _body(request)
        door, key = _key(name, secrets, signature, body)
    if door is None or key is None:
        response = _said(401, "Show the secret of this registry's notifications.")
        response["WWW-Authenticate"] = CHALLENGE
        return response
    if request.method == "OPTIONS":
        return _handshake(headers)
    if not body:
        body, is_cut = _body(request)
    now = timezone.now()
    stored = store(door.registry_id, _heard(headers, body, is_cut=is_cut), now)
    _note_use(key, now)
    if stored:
        waking.ask()
    return _said(200, stored=stored)


def _key(
    name: str, secrets: list[str], signature: str = "", body: bytes = b""
) -> tuple[doors.Door | None, Key | None]:
    """The registry's door and the key that opens it; looked up anew before it stays shut."""
    door = None
    for anew in (False, True):
        door = doors.door_of(name, anew=anew)
        keys = door.live(timezone.now()) if door else []
        key = fitting(secrets, keys) or (
            signed(signature, body, keys) if signature and body else None
        )
        if key is not None:
            return door, key
    return door, None


def _heard(headers: dict[str, str], body: bytes, *, is_cut: bool) -> list[Any]:
    if is_cut:
        why = f"It is larger than {MOST_BYTES // 1024} KiB; its beginning is kept."
        return [(Misread(why), senders.words(body))]
    return senders.understand(headers, body)


def _body(request: HttpRequest) -> tuple[bytes, bool]:
    """As much of the body as is read at all, and whether that is less than all of it."""
    # Django takes a body that is sent in chunks, without a length, for an empty one.
    is_chunked = not request.META.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in request.META
    stream = request.META["wsgi.input"] if is_chunked else request
    try:
        body = stream.read(MOST_BYTES + 1)
    except OSError:  # the sender hung up
        return b"", False
    return body[:MOST_BYTES], len(body) > MOST_BYTES


def _taken(request: HttpRequest) -> tuple[str, list[str], dict[str, str]]:
    """The registry's name, the secrets shown and the headers; the address keeps none of them."""
    found = _PLACE.fullmatch(request.path_info)
    name, in_path = (found["name"], found["secret"]) if found else ("", "")
    headers = {key.lower(): value for key, value in request.headers.items()}
    secrets = shown(headers, in_path, request.META.get("QUERY_STRING", ""))
    request.path = request.path_info = request.META["PATH_INFO"] = f"{PREFIX}{name}"
    request.META["QUERY_STRING"] = ""
    for key in ("RAW_URI", "REQUEST_URI", "HTTP_AUTHORIZATION", "HTTP_X_GITLAB_TOKEN"):
        request.META.pop(key, None)
    return name, secrets, headers


def _note_use(key: Key, now: datetime) -> None:
    """That the secret works, once a minute."""
    if key.id in _used and now - _used[key.id] < USED_EVERY:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhooks_inboundsecret SET last_used_at = %s WHERE id = %s", [now, key.id]
        )
    _used[key.id] = now


def _handshake(headers: dict[str, str]) -> HttpResponse:
    """CloudEvents asks first whether anything is wanted here (HTTP Web Hooks 1.0, section 4)."""
    response = _said(200)
    response["WebHook-Allowed-Origin"] = headers["webhook-request-origin"]
    response["WebHook-Allowed-Rate"] = "*"
    return response


def _said(status: int, text: str = "", **what: object) -> HttpResponse:
    content = orjson.dumps({"detail": text} if text else what) if text or what else b""
    response = HttpResponse(content, content_type="application/json", status=status)
    response["Content-Length"] = str(len(content))
    response["Cache-Control"] = "no-store"
    if status in (204, 405):
        response["Allow"] = ALLOW
    return response


def forget() -> None:
    """For tests, which reuse nothing but the process."""
    _used.clear()
