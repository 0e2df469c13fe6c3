"""Quay, at quay.io and of one's own: an API for those with a token, the standard for all others."""

from registries.connectors.quay.connector import QuayConnector

__all__ = ["QuayConnector"]
