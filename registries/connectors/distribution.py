"""CNCF Distribution, and everything that speaks only the standard."""

from typing import ClassVar

from registries.connectors.abilities import Ability
from registries.connectors.standard import StandardConnector


class DistributionConnector(StandardConnector):
    """A registry of which nothing is known but the OCI Distribution API."""

    kind: ClassVar[str] = "distribution"
    label: ClassVar[str] = "OCI Distribution"
    judges_access: ClassVar[bool] = False  # Docker's token scheme lets Portolan do it
    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.CATALOG, Ability.DELETE_MANIFEST})
