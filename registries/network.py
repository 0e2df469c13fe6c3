"""Which addresses Portolan may dial, judged where the socket is opened.

A host name, a redirect or a token realm is chosen by somebody else; the only thing that cannot lie
is the address about to be dialled. aiohttp calls `socket_factory` with exactly that, for names and
for literals (a resolver hook alone is passed by for literals such as `[::ffff:127.0.0.1]`).
"""

# ruff: noqa: N818 - errors are named for what happened, not for being errors

import errno
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import aiohttp
from aiohappyeyeballs.types import AddrInfoType

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressRefused(OSError):
    """The address is one that Portolan does not dial.

    An `OSError` on purpose: the connection racing of aiohttp carries those to the caller and would
    swallow any other class.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, reason)

    @property
    def reason(self) -> str:
        """The sentence saying which address was refused, and why."""
        return str(self.strerror)


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# Cloud metadata services hand credentials to whoever asks, so no switch opens them: AWS and most
# others, Oracle, Alibaba, Azure's wire server; over IPv6 AWS (with its pods' identities), Google,
# Oracle, Linode.
METADATA = _networks(
    "169.254.169.254/32",
    "192.0.0.192/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:a9fe:a9fe::1/128",
)

# What a company's own network uses, and where most registries live.
PRIVATE = _networks(
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
)

# Written out because `ipaddress` differs between Python releases: 3.11 calls 192.88.99.1,
# 5f00::1 and fec0::1 global. IANA special-purpose registries, RFC 6890 and its successors.
NEVER = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "100::/64",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
)

_NAT64 = _networks("64:ff9b::/96")[0]
_NAT64_LOCAL = _networks("64:ff9b:1::/48")[0]
_V4_COMPATIBLE = _networks("::/96")[0]


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == net.version and address in net for net in networks)


def unwrap(address: Address) -> tuple[Address, ...]:
    """Return the addresses that dialling `address` may really reach, itself included.

    Mapped and translated addresses carry an IPv4 address: v4-mapped and v4-compatible (RFC 4291),
    6to4 (RFC 3056), Teredo (RFC 4380, server and client), NAT64 (RFC 6052, RFC 8215).
    """
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    if address in _NAT64:
        return (address, low)
    if address in _NAT64_LOCAL:
        # RFC 6052 puts the IPv4 bits after the prefix, whose length the network chooses: both the
        # /96 and the /48 layout are read.
        bits = int(address)
        inner = IPv4Address(((bits >> 64) & 0xFFFF) << 16 | ((bits >> 40) & 0xFFFF))
        return (address, low, inner)
    if address in _V4_COMPATIBLE and int(address) > 1:
        return (address, low)
    return (address,)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be dialled: the public internet, and private networks where an operator said so.

    `networks` are those of a company's own that are open one by one; with `only_networks` nothing
    else is, not even the internet. Neither opens what is never dialled.
    """

    allow_private: bool = False
    networks: tuple[Network, ...] = ()
    only_networks: bool = False

    def judge(self, address: str | Address) -> None:
        """Return if `address` may be dialled, else raise `AddressRefused` with the reason."""
        _judge(str(address), self)


@lru_cache(maxsize=1024)
def _judge(text: str, policy: AddressPolicy) -> None:
    try:
        # A scope id (`fe80::1%eth0`) says which wire, not which address.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise AddressRefused(f"{text} is not an IP address.") from None
    for reached in unwrap(address):
        _judge_one(reached, text, policy, wrapped=reached != address)


def _judge_one(address: Address, text: str, policy: AddressPolicy, *, wrapped: bool) -> None:
    if _within(address, METADATA):
        raise AddressRefused(f"{text} is a cloud metadata service, which is never dialled.")
    if _within(address, NEVER):
        raise AddressRefused(f"{text} is link-local, multicast or reserved, never a registry.")
    if _within(address, policy.networks):
        return
    if policy.only_networks:
        raise AddressRefused(f"{text} is in none of the networks that an operator opened.")
    if _within(address, PRIVATE):
        if policy.allow_private:
            return
        raise AddressRefused(f"{text} is an address of a private network or of this machine.")
    # A translated address is judged by what it carries: the prefix itself is nobody's.
    translated = not wrapped and len(unwrap(address)) > 1
    if not translated and not address.is_global:
        raise AddressRefused(f"{text} is not an address of the public internet.")


def vetted_connector(
    policy: AddressPolicy, *, ssl_context: ssl.SSLContext | bool = True, limit: int = 32
) -> aiohttp.TCPConnector:
    """Return a connector that opens no socket to an address `policy` refuses.

    `limit` is the number of connections kept open. Proxies of the environment play no part: with
    one, the dialled address would be the proxy's and every target would pass. Use it in sessions
    with `trust_env=False` and follow no redirect unseen.
    """

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        policy.judge(str(address[0]))
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        ssl=ssl_context, limit=limit, socket_factory=open_socket, ttl_dns_cache=60
    )
