"""Gitea and Forgejo: container images are packages of a user or an organisation."""

from registries.connectors.gitea.connector import GiteaConnector

__all__ = ["GiteaConnector"]
