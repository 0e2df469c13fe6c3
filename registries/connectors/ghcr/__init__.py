"""GitHub's container registry, ghcr.io."""

from registries.connectors.ghcr.connector import GhcrConnector

__all__ = ["GhcrConnector"]
