"""GitHub's REST API, as far as packages go, with its own way of saying "too often".

docs.github.com, "REST API endpoints for packages" and "Rate limits for the REST API": a classic token
has 5000 requests an hour; whoever asks more gets a 403, and is banned for going on.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import orjson
from yarl import URL

from registries.connectors.api import VendorApi, split_address
from registries.connectors.api_sign_in import FixedSignIn
from registries.oci import untrusted
from registries.oci.connection import Connection
from registries.oci.errors import AccessDenied, RegistryError, Throttled, Unsupported
from registries.oci.failures import asked_to_wait
from registries.oci.transport import Answer, Sending, Stats, Transport

# An hour's 5000, in minutes. Spread evenly, no burst of ours takes the hour from somebody else's job.
REQUESTS_PER_MINUTE = 83
# What GitHub asks of clients that it has told no time.
_UNTOLD_SECONDS = 60.0
_EXCERPT = 200


class GithubApi(VendorApi):
    """Requests to GitHub, which end for all once it has said to come back in an hour."""

    def __init__(self, connection: Connection, address: str, stats: Stats) -> None:
        origin, base = split_address(address)
        _, token = connection.credentials or ("", "")
        there = replace(
            connection,
            url=origin,
            username=None,
            password=None,
            requests_per_minute=connection.requests_per_minute or REQUESTS_PER_MINUTE,
        )
        super().__init__(
            Transport(there, stats=stats),
            FixedSignIn(f"Bearer {token}" if token else None),
            label="GitHub",
            base=base,
            headers={
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        self._silent_until = 0.0  # of the loop's clock

    async def _signed_in(self, method: str, url: URL, sending: Sending) -> Answer:
        loop, limits = asyncio.get_running_loop(), self.transport.limits
        for attempt in range(1, limits.attempts + 1):
            if (left := self._silent_until - loop.time()) > 0:
                raise Throttled("GitHub asks to slow down (requests).", retry_after=left)
            answer = await super()._signed_in(method, url, sending)
            if (wait := limited_for(answer)) is None:
                break
            self.transport.stats.throttled += 1
            if wait > limits.patience_seconds:
                self._silent_until = loop.time() + wait
                break
            if attempt < limits.attempts:
                self.transport.stats.retries += 1
                self.transport.pace.throttled(loop.time(), wait)
                await asyncio.sleep(wait)
        return answer

    def _failure(self, answer: Answer, what: str) -> RegistryError:
        if (wait := limited_for(answer)) is not None:
            return Throttled(f"GitHub asks to slow down ({what}).", retry_after=wait)
        said = _message(answer)
        if answer.status == 403:
            return AccessDenied(
                f"GitHub does not let this token do that ({what}{said}).",
                advice="Give a classic token with read:packages; to delete, with delete:packages.",
            )
        if answer.status in (400, 422):
            return Unsupported(
                f"GitHub refuses that ({what}{said}).",
                advice="Delete the whole repository instead, if that is what you want.",
            )
        return super()._failure(answer, what)


def limited_for(answer: Answer) -> float | None:
    """Return how many seconds GitHub wants silence for, None where a 403 means something else."""
    if answer.status != 403:
        return None
    asked = asked_to_wait(answer.headers)
    if asked is None and "rate limit" in _message(answer).lower():
        return _UNTOLD_SECONDS
    return asked


def read_version(
    version: Mapping[str, object],
) -> tuple[str, tuple[str, ...], datetime | None]:
    """Return a version's digest (or whatever it is named), its tags and when it was pushed.

    `updated_at` says when GitHub last touched its own record, not when a tag moved.
    """
    metadata = untrusted.mapping(version.get("metadata"))
    tags = untrusted.texts(untrusted.mapping(metadata.get("container")).get("tags"))
    created = untrusted.moment(version.get("created_at"))
    return untrusted.text(version.get("name")) or "", tags, created


def _message(answer: Answer) -> str:
    try:
        document = untrusted.mapping(orjson.loads(answer.body))
    except orjson.JSONDecodeError:
        return ""
    said = untrusted.text(document.get("message"))
    return f": {said[:_EXCERPT].rstrip('.')}" if said else ""
