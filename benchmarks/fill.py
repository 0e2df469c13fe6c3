"""A registry of any size in seconds: written straight into Distribution's storage.

What is in it is what `docker buildx` pushes. The registry then serves it like anything else; only
pushing a hundred thousand blobs over HTTP is left out.

The layout: https://distribution.github.io/distribution/storage-drivers/ and the path
specification in registry/storage/paths.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.live.images import Blob, Manifest, buildx_index, image, layer

PLATFORMS = ("linux/amd64", "linux/arm64/v8")
BASE = tuple(layer({f"base-{number}": b"shared" * 40}) for number in range(3))


@dataclass(frozen=True)
class Shape:
    """How much of everything; one tag in five is a multi-platform image."""

    repositories: int
    tags: int

    @property
    def name(self) -> str:
        return f"{self.repositories}x{self.tags}"


def catalog(shape: Shape) -> Iterator[tuple[str, str, Manifest]]:
    """Every (repository, tag, manifest) of a shape, always the same ones."""
    for number in range(shape.repositories):
        path = f"team-{number % 20:02d}/group-{number % 7}/app-{number:05d}"
        own = layer({"app": path.encode()})
        for version in range(shape.tags):
            yield path, f"1.{version}", _manifest(path, own, version, number % 5)


def _manifest(path: str, own: Blob, version: int, offset: int) -> Manifest:
    top = layer({"version": f"{path}:{version}".encode()})
    config = {
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"VERSION=1.{version}"],
        "Entrypoint": ["/app"],
        "Labels": {"org.opencontainers.image.version": f"1.{version}"},
    }
    layers = (*BASE, own, top)
    platforms = PLATFORMS if (version + offset) % 5 == 0 else PLATFORMS[:1]
    images = [image(*layers, platform=platform, config=config) for platform in platforms]
    return buildx_index(*images) if len(images) > 1 else images[0]


def fill(storage: Path, shape: Shape) -> None:
    """Write a shape into a registry's empty storage; a filled one is left as it is."""
    done = storage / f".filled-{shape.name}"
    if done.exists():
        return
    writer = _Storage(storage / "docker" / "registry" / "v2")
    for path, tag, manifest in catalog(shape):
        writer.tag(path, tag, manifest)
    done.touch()


class _Storage:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._blobs: set[str] = set()

    def tag(self, path: str, tag: str, manifest: Manifest) -> None:
        manifests = self._root / "repositories" / path / "_manifests"
        self._manifest(path, manifest)
        link = manifest.digest
        _, hexadecimal = link.split(":")
        _write(manifests / "tags" / tag / "current" / "link", link.encode())
        _write(manifests / "tags" / tag / "index" / "sha256" / hexadecimal / "link", link.encode())

    def _manifest(self, path: str, manifest: Manifest) -> None:
        repository = self._root / "repositories" / path
        self._blob(manifest.digest, manifest.data)
        self._link(repository / "_manifests" / "revisions", manifest.digest)
        for blob in manifest.blobs:
            self._blob(blob.digest, blob.data)
            self._link(repository / "_layers", blob.digest)
        for child in manifest.children:
            self._manifest(path, child)

    def _link(self, folder: Path, digest: str) -> None:
        _write(folder / "sha256" / digest.partition(":")[2] / "link", digest.encode())

    def _blob(self, digest: str, data: bytes) -> None:
        if digest not in self._blobs:
            self._blobs.add(digest)
            hexadecimal = digest.partition(":")[2]
            _write(self._root / "blobs" / "sha256" / hexadecimal[:2] / hexadecimal / "data", data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
