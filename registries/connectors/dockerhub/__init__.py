"""Docker Hub: a registry whose pulls are rationed, and an API beside it that lists for nothing."""

from registries.connectors.dockerhub.connector import DockerHubConnector

__all__ = ["DockerHubConnector"]
