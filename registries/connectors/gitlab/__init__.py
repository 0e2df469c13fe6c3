"""GitLab's container registry, on GitLab.com and of installations of one's own."""

from registries.connectors.gitlab.connector import GitlabConnector

__all__ = ["GitlabConnector"]
