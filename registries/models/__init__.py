"""The catalog: connections, what they hold, and the runs that keep our copy true."""

from registries.models.content import (
    Artifact,
    Blob,
    ImageConfig,
    Manifest,
    ManifestChild,
    ManifestLayer,
    Tag,
    TagMove,
    TagName,
)
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
