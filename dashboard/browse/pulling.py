"""The commands that fetch an artifact, for the tools that can."""

from __future__ import annotations

from dataclasses import dataclass

from registries.models import Manifest, Repository

IMAGE_KINDS = {Manifest.Kind.IMAGE, Manifest.Kind.INDEX}


@dataclass(frozen=True, slots=True)
class PullCommand:
    """What to type; `by_tag` is empty where only the digest is known, and the other way round."""

    tool: str
    by_tag: str
    by_digest: str


def pull_commands(
    repository: Repository, kind: str, *, tag: str = "", digest: str = ""
) -> list[PullCommand]:
    """One command a tool that understands the kind of artifact, the usual tool first."""
    name = f"{repository.registry.host}/{repository.path}"
    by_tag = f"{name}:{tag}" if tag else ""
    by_digest = f"{name}@{digest}" if digest else ""
    if kind == Manifest.Kind.CHART:
        helm_tag = f"helm pull oci://{name} --version {tag}" if tag else ""
        helm_digest = f"helm pull oci://{by_digest}" if digest else ""
        return [
            PullCommand("helm", helm_tag, helm_digest),
            _command("oras", "oras pull {}", by_tag, by_digest),
        ]
    if kind not in IMAGE_KINDS:
        return [
            _command("oras", "oras pull {}", by_tag, by_digest),
            _command("crane", "crane manifest {}", by_tag, by_digest),
        ]
    local = repository.name
    return [
        _command("docker", "docker pull {}", by_tag, by_digest),
        _command("podman", "podman pull {}", by_tag, by_digest),
        _command("skopeo", f"skopeo copy docker://{{}} oci:{local}", by_tag, by_digest),
        _command("crane", f"crane pull {{}} {local}.tar", by_tag, by_digest),
    ]


def _command(tool: str, shape: str, by_tag: str, by_digest: str) -> PullCommand:
    return PullCommand(
        tool,
        shape.format(by_tag) if by_tag else "",
        shape.format(by_digest) if by_digest else "",
    )
