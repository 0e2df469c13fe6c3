"""Two images, and how they get into the registry."""

from __future__ import annotations

import pytest

from tests.live import images, layout
from tests.live.docked import Dock
from tests.live.images import Manifest
from tests.live.shells import Home, Said

BASE = images.layer({"a": b"1"})
IMAGE = images.image(BASE, config={"Env": ["MODE=slow"], "User": "app"})
NEXT = images.image(
    BASE, images.layer({"b": b"2"}), config={"Env": ["MODE=fast", "DB_PASSWORD=hunter2"]}
)


def skopeo_push(
    home: Home, dock: Dock, image: Manifest, place: str, directories: pytest.TempPathFactory
) -> Said:
    source = layout.write(directories.mktemp("image"), image)
    target = f"docker://{dock.host}/{place}"
    return home.other("skopeo", "copy", "--dest-tls-verify=false", f"oci:{source}:1", target)
