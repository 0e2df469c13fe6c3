"""Image configs: what an image runs, and the steps that made it.

OCI Image specification 1.1, "Image Configuration"; Docker's is the same shape.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from registries.oci import untrusted
from registries.oci.errors import InvalidDocument


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One step of a build; `empty_layer` says that it left no layer."""

    created: datetime | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the step as plain JSON values."""
        return {
            "created": self.created.isoformat() if self.created else None,
            "created_by": self.created_by,
            "comment": self.comment,
            "empty_layer": self.empty_layer,
        }


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The config of an image, every text safe to store; `created` is not the push time."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None
    created: datetime | None = None
    author: str | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    user: str | None = None
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str | None = None
    history: tuple[HistoryStep, ...] = ()
    diff_ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the config as plain JSON values, oldest history step first."""
        return {
            "os": self.os,
            "architecture": self.architecture,
            "variant": self.variant,
            "os_version": self.os_version,
            "created": self.created.isoformat() if self.created else None,
            "author": self.author,
            "entrypoint": list(self.entrypoint),
            "cmd": list(self.cmd),
            "env": list(self.env),
            "labels": dict(self.labels),
            "working_dir": self.working_dir,
            "user": self.user,
            "exposed_ports": list(self.exposed_ports),
            "volumes": list(self.volumes),
            "stop_signal": self.stop_signal,
            "history": [step.as_json() for step in self.history],
            "diff_ids": list(self.diff_ids),
        }


def parse_image_config(raw: bytes) -> ImageConfig:
    """Return the image config in `raw`, or raise `InvalidDocument` if it is no such object."""
    document = untrusted.load_object(raw, "image config")
    if "fsLayers" in document:
        # A schema 1 manifest has its config inside, kept under the same digest as this would be.
        raise InvalidDocument("The image config is a manifest.")
    return config_from(document)


def config_from(document: dict[str, Any], history: tuple[HistoryStep, ...] = ()) -> ImageConfig:
    """Return the config in a decoded document; `history` replaces its own if given."""
    text, texts, keys = untrusted.text, untrusted.texts, untrusted.keys
    runs = untrusted.mapping(document.get("config"))
    return ImageConfig(
        os=text(document.get("os")),
        architecture=text(document.get("architecture")),
        variant=text(document.get("variant")),
        os_version=text(document.get("os.version")),
        created=untrusted.moment(document.get("created")),
        author=text(document.get("author")),
        entrypoint=texts(runs.get("Entrypoint")),
        cmd=texts(runs.get("Cmd")),
        env=texts(runs.get("Env")),
        labels=untrusted.text_map(runs.get("Labels")),
        working_dir=text(runs.get("WorkingDir")),
        user=text(runs.get("User")),
        exposed_ports=keys(runs.get("ExposedPorts")),
        volumes=keys(runs.get("Volumes")),
        stop_signal=text(runs.get("StopSignal")),
        history=history or tuple(map(_step, untrusted.objects(document.get("history")))),
        diff_ids=texts(untrusted.mapping(document.get("rootfs")).get("diff_ids")),
    )


def _step(document: dict[str, Any]) -> HistoryStep:
    return HistoryStep(
        created=untrusted.moment(document.get("created")),
        created_by=untrusted.text(document.get("created_by")),
        comment=untrusted.text(document.get("comment")),
        empty_layer=document.get("empty_layer") is True,
    )
