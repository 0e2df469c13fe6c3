"""Images as OCI layouts on disk, which skopeo, crane and podman push from."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.images import Manifest, digest_of

REF_NAME = "org.opencontainers.image.ref.name"


def write(directory: Path, manifest: Manifest, tag: str = "1") -> Path:
    """A layout that holds this one image (https://github.com/opencontainers/image-spec: image-layout)."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    contents = [manifest.data, *(blob.data for blob in manifest.blobs)]
    for data in contents:
        (blobs / digest_of(data).removeprefix("sha256:")).write_bytes(data)
    index = {
        "schemaVersion": 2,
        "manifests": [manifest.descriptor(annotations={REF_NAME: tag})],
    }
    (directory / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return directory
