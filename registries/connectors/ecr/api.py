"""Amazon's API for ECR: boto3 signs and reads, Portolan's own sockets carry.

boto3 would dial whatever an endpoint's name resolves to, follow proxies and profiles of the machine,
and keep its own count of retries. So each request that it has signed is taken over just before it is
sent (botocore's event `before-send`) and goes through `Transport`: addresses are judged where the
socket is opened, limits, pace and counters hold.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError
from yarl import URL

from registries.connectors.ecr.errors import is_throttling, unreadable, what_went_wrong
from registries.oci.connection import Connection
from registries.oci.errors import AuthenticationFailed, RegistryError, TooManyPages, Unreachable
from registries.oci.transport import Answer, Sending, Stats, Transport

# Each call in flight holds a thread, which only waits.
_THREADS = 16
# A role's keys are good for an hour; they are changed for new ones some time before.
_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Service:
    """Where the API is, and as whom: `role` is the ARN of a role to assume, empty for none."""

    region: str
    endpoint: str
    sts_endpoint: str
    role: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """An access key; `session_token` comes with those that end."""

    key_id: str
    secret: str
    session_token: str | None = None


class EcrApi:
    """A session with Amazon's API; an async context manager.

    User name and password of the connection are an access key's id and secret. Without them nothing
    is called: the credentials of the machine that Portolan runs on are never used. All methods raise
    `RegistryError`; an answer of 404 in Amazon's own words is proof.
    """

    def __init__(self, service: Service, connection: Connection, stats: Stats) -> None:
        self._service = service
        self._connection = connection
        self._limits = connection.limits
        self._transports = {
            URL(endpoint).origin(): Transport(_bare(connection, endpoint), stats=stats)
            for endpoint in (service.endpoint, service.sts_endpoint)
        }
        self._stats = stats
        self._client: Any = None
        self._ends: datetime | None = None  # of a role's keys
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        # Not the loop's own: names are resolved there, for which each of these threads waits.
        self._threads = ThreadPoolExecutor(
            min(_THREADS, self._connection.max_concurrency), thread_name_prefix="ecr"
        )
        for transport in self._transports.values():
            await self._stack.enter_async_context(transport)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._stack.aclose()

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to an operation of ECR, as boto3 documents it."""
        client = await self._ready_client()
        return await self._patiently(operation, getattr(client, operation), parameters)

    async def pages(self, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield the pages of a listing, 1000 entries each, which is Amazon's largest."""
        token: object = None
        seen: set[str] = set()
        while True:
            more = {"nextToken": token} if token else {}
            page = await self.call(operation, **parameters, **more, maxResults=1000)
            yield page
            token = page.get("nextToken")
            if not isinstance(token, str) or not token:
                return
            if token in seen or len(seen) >= self._limits.pages:
                raise TooManyPages("The listing repeats itself: its nextToken is endless.")
            seen.add(token)

    async def _ready_client(self) -> Any:
        async with self._opening:
            if self._client is None or (self._ends and datetime.now(UTC) > self._ends - _MARGIN):
                keys, self._ends = await self._find_keys()
                self._client = await self._in_thread(
                    partial(self._make_client, "ecr", self._service.endpoint, keys)
                )
        return self._client

    async def _find_keys(self) -> tuple[Keys, datetime | None]:
        """Return the keys to sign with and when they end."""
        credentials = self._connection.credentials
        if credentials is None:
            raise AuthenticationFailed(
                "Amazon ECR asks for an access key.",
                advice="Give an access key's id as the user name and its secret as the password;"
                " Portolan uses no credentials of the machine it runs on.",
            )
        if not self._service.role:
            return Keys(*credentials), None
        sts = await self._in_thread(
            partial(self._make_client, "sts", self._service.sts_endpoint, Keys(*credentials))
        )
        asked = {"RoleArn": self._service.role, "RoleSessionName": "portolan"}
        answer = await self._patiently("assume_role", sts.assume_role, asked)
        try:
            given = answer["Credentials"]
            keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            return keys, given["Expiration"].astimezone(UTC)
        except (KeyError, TypeError, AttributeError):
            raise unreadable("assume_role") from None

    async def _patiently(
        self, operation: str, method: Callable[..., Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call until Amazon has stopped asking to slow down, which it does with status 400."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._call_once(operation, method, parameters)
            except ClientError as error:
                if not is_throttling(error) or attempt >= self._limits.attempts:
                    raise what_went_wrong(error, operation) from None
            self._stats.throttled += 1
            self._stats.retries += 1
            for transport in self._transports.values():
                transport.pace.throttled(self._loop.time(), None)
            await asyncio.sleep(min(self._limits.backoff_seconds * 2.0 ** (attempt - 1), 8.0))

    async def _call_once(
        self, operation: str, method: Callable[..., Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            answer = await self._in_thread(partial(method, **parameters))
        except (ClientError, RegistryError):
            raise
        except Exception:  # noqa: BLE001  whatever boto3's parser trips over, the answer is to blame
            raise unreadable(operation) from None
        if not isinstance(answer, dict):
            raise unreadable(operation)
        return answer

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await self._loop.run_in_executor(self._threads, work)

    def _make_client(self, name: str, endpoint: str, keys: Keys) -> Any:
        from registries.connectors.ecr.boto import make_client  # noqa: PLC0415  it takes its time

        return make_client(name, self._service.region, endpoint, keys, self._carry)

    def _carry(self, method: str, address: str, sending: Sending) -> Answer:
        """Answer a request that boto3 has signed, in boto3's thread."""
        sent = self._send(method, URL(address, encoded=True), sending)
        return asyncio.run_coroutine_threadsafe(sent, self._loop).result()

    async def _send(self, method: str, url: URL, sending: Sending) -> Answer:
        transport = self._transports.get(url.origin())
        if transport is None:
            raise Unreachable(f"{url.host} is not the endpoint that was given.")
        limit = self._limits.listing_bytes
        return await transport.send(method, url, None, limit=limit, sending=sending)


def _bare(connection: Connection, endpoint: str) -> Connection:
    """Return the connection to an endpoint, without the key, which only boto3 signs with."""
    return replace(connection, url=endpoint, username=None, password=None)
