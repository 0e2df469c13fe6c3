"""Where images lie at Google: what hosts and paths say of projects, locations and repositories."""

import re
from dataclasses import dataclass

from registries.connectors.api import quoted

_HOST = re.compile(r"([a-z][a-z0-9-]*)-docker\.pkg\.dev")
# Where Artifact Registry keeps what gcr.io serves: in a repository of the host's name.
GCR = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of Artifact Registry; paths of its images begin with `prefix`."""

    project: str
    location: str
    repository: str
    prefix: str

    @property
    def address(self) -> str:
        """The repository's path in the API."""
        return (
            f"/v1/projects/{quoted(self.project)}/locations/{self.location}"
            f"/repositories/{quoted(self.repository)}"
        )


def location_of(host: str) -> str:
    """Return the location that a host's name says, empty for hosts that are not Google's."""
    found = _HOST.fullmatch(host)
    return found[1] if found else GCR.get(host, "")


def place_of(path: str, host: str, location: str) -> tuple[Place, str] | None:
    """Return a path's repository and the image's name in it, None where it names no image."""
    project, _, rest = path.partition("/")
    if host in GCR:
        repository, image, prefix = host, rest, f"{project}/"
    else:
        repository, _, image = rest.partition("/")
        prefix = f"{project}/{repository}/"
    return (Place(project, location, repository, prefix), image) if image else None
