"""Reaching a registry step by step, so that "it does not work" becomes one sentence.

Address, name, port, certificate: the same for every kind of registry. What follows (api, sign-in,
catalog) is the connector's.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter

import aiohttp

from registries import network
from registries.connectors.base import STEPS, CheckStep, StepName
from registries.oci import failures
from registries.oci.connection import Connection
from registries.oci.errors import AddressRefused, RegistryError
from registries.oci.tls import ssl_context

# A step returns its sentence for success.
Step = tuple[StepName, Callable[[], Awaitable[str]]]

_NOT_TRIED = "Not tried, because an earlier step failed."


async def run_steps(steps: Iterable[Step], *, optional: Iterable[StepName] = ()) -> list[CheckStep]:
    """Run steps until an essential one fails; the rest of all steps are listed as not tried."""
    results: list[CheckStep] = []
    may_fail = frozenset(optional)
    for name, attempt in steps:
        started = perf_counter()
        try:
            detail, advice, ok = await attempt(), "", True
        except RegistryError as error:
            detail, advice, ok = str(error), error.advice, False
        spent = perf_counter() - started
        results.append(CheckStep(name, ok, detail, advice, spent, essential=name not in may_fail))
        if not ok and name not in may_fail:
            break
    done = {step.name for step in results}
    results.extend(CheckStep(name, None, _NOT_TRIED) for name in STEPS if name not in done)
    return results


class Reachability:
    """The steps below HTTP: address, dns, tcp, tls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._policy = network.AddressPolicy(connection.allow_private)
        self._host = connection.origin.host or ""
        self._port = connection.origin.port or 443
        self._seconds = connection.limits.connect_seconds
        self._addresses: list[str] = []

    def steps(self) -> list[Step]:
        """Return the steps in order; plain http has no tls step of its own to pass."""
        return [
            ("address", self._address),
            ("dns", self._dns),
            ("tcp", self._tcp),
            ("tls", self._tls),
        ]

    async def _address(self) -> str:
        self._judge_literal()
        return f"{self._connection.url} is a well-formed address."

    def _judge_literal(self) -> None:
        if _is_literal(self._host):
            self._judge(self._host)

    def _judge(self, address: str) -> None:
        try:
            self._policy.judge(address)
        except network.AddressRefused as error:
            raise AddressRefused(error.reason) from None

    async def _dns(self) -> str:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise failures.unknown_name(self._host) from None
        self._addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for address in self._addresses:
            self._judge(address)
        if _is_literal(self._host):
            return "The address is a number; no name had to be looked up."
        return f"{self._host} is {', '.join(self._addresses)}."

    async def _tcp(self) -> str:
        await self._open(None)
        return f"Port {self._port} accepts connections."

    async def _tls(self) -> str:
        if self._connection.is_plain:
            return "Plain http: passwords and content travel readable by all on the way."
        await self._open(ssl_context(self._connection.ca_certificate))
        return "The certificate is valid for this name and from a trusted authority."

    async def _open(self, context: ssl.SSLContext | None) -> None:
        """Connect to one of the addresses judged before, and hang up."""
        error: BaseException = OSError("no address")
        for address in self._addresses:
            try:
                async with asyncio.timeout(self._seconds):
                    name = self._host if context else None
                    _, writer = await asyncio.open_connection(
                        address, self._port, ssl=context, server_hostname=name
                    )
            except TimeoutError:
                error = aiohttp.ConnectionTimeoutError()
            except OSError as failure:
                error = failure
            else:
                writer.close()
                return
        raise failures.from_exception(error, self._host)


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
