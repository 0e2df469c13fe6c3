"""Versions of packages as Gitea's API lists them (go-gitea/gitea modules/structs/package.go)."""

from dataclasses import dataclass
from datetime import datetime

from registries.oci import untrusted
from registries.oci.reference import is_digest, is_tag


@dataclass(frozen=True, slots=True)
class Version:
    """A tag, or the digest of a manifest without one; `created` is when it was pushed last."""

    package: str
    name: str
    created: datetime | None

    @property
    def is_tag(self) -> bool:
        """Whether it is a tag's name."""
        return is_tag(self.name)


def parse_versions(document: object) -> list[Version]:
    """Return the container versions of a page; entries without usable names are left out."""
    found = []
    for entry in untrusted.objects(document):
        package, name = untrusted.text(entry.get("name")), untrusted.text(entry.get("version"))
        # Older ones gave names in the case in which they were pushed.
        package, name = (package or "").lower(), (name or "").lower()
        if entry.get("type") != "container" or not package:
            continue
        if is_tag(name) or is_digest(name):
            found.append(Version(package, name, untrusted.moment(entry.get("created_at"))))
    return found
