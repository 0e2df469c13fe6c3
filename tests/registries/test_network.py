"""Which addresses are dialled, and which never."""

import asyncio
import ipaddress

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.network import AddressPolicy, AddressRefused, vetted_connector
from tests.fakes.registry import FakeRegistry

PUBLIC = AddressPolicy()
PRIVATE = AddressPolicy(allow_private=True)

# Svix's and Quay's tables together, one address from each range.
OF_A_COMPANY = [
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
]
OF_NOBODY = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.1.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:a9fe:a9fe::1",
]


def wrappings(address: str) -> list[str]:
    """Return every IPv6 form that leads to an IPv4 address."""
    bits = int(ipaddress.IPv4Address(address))
    high, low = bits >> 16, bits & 0xFFFF
    teredo = int(ipaddress.IPv6Address("2001:0:808:808::")) | (bits ^ 0xFFFFFFFF)
    local = int(ipaddress.IPv6Address("64:ff9b:1::")) | (high << 64) | (low << 40)
    return [
        f"::ffff:{address}",
        f"::{high:x}:{low:x}",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{high:x}:{low:x}",
        str(ipaddress.IPv6Address(local)),
        f"2002:{high:x}:{low:x}::",
        str(ipaddress.IPv6Address(teredo)),
    ]


@pytest.mark.parametrize("address", OF_A_COMPANY)
def test_private_addresses_open_only_where_allowed(address: str) -> None:
    PRIVATE.judge(address)
    with pytest.raises(AddressRefused, match="private network"):
        PUBLIC.judge(address)


@pytest.mark.parametrize("address", OF_NOBODY)
def test_some_addresses_stay_closed_whatever_is_allowed(address: str) -> None:
    for policy in (PUBLIC, PRIVATE):
        with pytest.raises(AddressRefused):
            policy.judge(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00::1"])
def test_public_addresses_are_open(address: str) -> None:
    PUBLIC.judge(address)
    PRIVATE.judge(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1"])
def test_an_address_in_disguise_is_judged_by_what_it_carries(address: str) -> None:
    for disguise in wrappings(address):
        with pytest.raises(AddressRefused):
            PUBLIC.judge(disguise)


def test_a_metadata_service_in_disguise_stays_closed_where_private_is_open() -> None:
    for disguise in wrappings("169.254.169.254"):
        with pytest.raises(AddressRefused):
            PRIVATE.judge(disguise)


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f.1", "1.2.3", "::g"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        PRIVATE.judge(text)


@given(st.ip_addresses())
def test_no_address_is_open_that_python_knows_to_be_otherwise(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        PUBLIC.judge(address)
    except AddressRefused:
        return
    # Judged by the address inside; Pythons differ in whether the outside is global.
    translated = map(ipaddress.ip_network, ("64:ff9b:1::/48", "2001::/32", "2002::/16"))
    if not any(address.version == net.version and address in net for net in translated):
        assert address.is_global
    assert not address.is_multicast
    assert not address.is_loopback


@given(st.ip_addresses(v=4).filter(lambda it: not it.is_global))
def test_no_disguise_opens_an_address_that_is_not_public(address: ipaddress.IPv4Address) -> None:
    for disguise in wrappings(str(address)):
        with pytest.raises(AddressRefused):
            PUBLIC.judge(disguise)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_the_address_is_judged_where_the_socket_is_opened(host: str) -> None:
    with FakeRegistry() as fake:
        port = fake.url.rpartition(":")[2]

        async def dial() -> None:
            connector = vetted_connector(PUBLIC)
            async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
                await session.get(f"http://{host}:{port}/v2/")

        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            asyncio.run(dial())
        assert isinstance(caught.value.os_error, AddressRefused) or (
            "private network" in str(caught.value)
        )
        assert fake.requests == []


def test_an_allowed_address_is_dialled() -> None:
    async def dial(url: str) -> int:
        async with (
            aiohttp.ClientSession(connector=vetted_connector(PRIVATE)) as session,
            session.get(f"{url}/v2/") as response,
        ):
            return response.status

    with FakeRegistry() as fake:
        assert asyncio.run(dial(fake.url)) == 200
