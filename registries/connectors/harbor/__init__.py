"""Harbor 2: projects, artifacts with everything about them, deletes and webhooks by its API."""

from registries.connectors.harbor.connector import HarborConnector

__all__ = ["HarborConnector"]
