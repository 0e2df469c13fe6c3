"""The catalog: connections, what they hold, and the runs that keep our copy true."""

from registries.models.artifacts import Artifact
from registries.models.manifests import Blob, ImageConfig, Manifest, ManifestChild, ManifestLayer
from registries.models.mirrors import Mirror
from registries.models.registry import (
    ApiCredential,
    Namespace,
    Registry,
    RegistryCredential,
    Repository,
)
from registries.models.reports import RegistryReport
from registries.models.sync import SyncBatch, SyncProblem, SyncRun
from registries.models.tags import Tag, TagMove, TagName

__all__ = [
    "ApiCredential",
    "Artifact",
    "Blob",
    "ImageConfig",
    "Manifest",
    "ManifestChild",
    "ManifestLayer",
    "Mirror",
    "Namespace",
    "Registry",
    "RegistryCredential",
    "RegistryReport",
    "Repository",
    "SyncBatch",
    "SyncProblem",
    "SyncRun",
    "Tag",
    "TagMove",
    "TagName",
]
