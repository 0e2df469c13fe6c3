"""Amazon Elastic Container Registry, private registries."""

from registries.connectors.ecr.connector import EcrConnector

__all__ = ["EcrConnector"]
