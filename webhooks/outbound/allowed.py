"""What an operator opened for webhooks beside the public internet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from registries.network import AddressPolicy, Network


@dataclass(frozen=True, slots=True)
class Allowed:
    """Networks and host names; those are also reached over plain http."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, words: Iterable[str]) -> Allowed:
        """Of texts like `10.0.0.0/8`, `10.1.2.3` and `hooks.corp.example.com`; what is no network
        is a name. Raises ValueError for a network that is written wrong."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for word in words:
            if "/" in word or ":" in word or word.replace(".", "").isdigit():
                networks.append(ip_network(word))
            else:
                hosts.add(word.lower().rstrip("."))
        return cls(tuple(networks), frozenset(hosts))

    def policy(self, scheme: str, host: str) -> AddressPolicy:
        """What may be dialled for an address of this scheme and host.

        Plain http lets everybody on the way read and change what is sent: it goes to networks where
        an operator says that nobody does, and nowhere else.
        """
        if host.lower().rstrip(".") in self.hosts:
            return AddressPolicy(allow_private=True)
        return AddressPolicy(networks=self.networks, only_networks=scheme != "https")
