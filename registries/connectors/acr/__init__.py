"""Azure Container Registry."""

from registries.connectors.acr.connector import AcrConnector

__all__ = ["AcrConnector"]
