"""Google Artifact Registry, and gcr.io, which it serves."""

from registries.connectors.gar.connector import GarConnector

__all__ = ["GarConnector"]
