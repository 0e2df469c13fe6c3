"""What a kind of registry offers, and what the credential it was given may do there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Ability(StrEnum):
    """Something a kind of registry offers and its connector does; what is missing is `Unsupported`."""

    CATALOG = "catalog"  # says which repositories it holds
    BULK = "bulk"  # lists tags with digests, sizes and dates, instead of names
    UNTAGGED = "untagged"  # lists manifests without a tag, too
    PULLS = "pulls"  # tells when or how often something was pulled
    DELETE_TAG = "delete-tag"  # takes a tag away and leaves the others
    DELETE_MANIFEST = "delete-manifest"
    DELETE_REPOSITORY = "delete-repository"
    LOCKS = "locks"
    WEBHOOKS = "webhooks"  # notifications to Portolan are set up by its API
    PINGS = "pings"  # sends a test notification when it is asked to
    ACCESS = "access"  # tells who may do what there
    USAGE = "usage"  # tells of quotas and limits
    SCANS = "scans"  # tells of vulnerabilities found


PowerName = Literal["list", "pull", "delete", "webhooks"]
POWERS: tuple[PowerName, ...] = ("list", "pull", "delete", "webhooks")


@dataclass(frozen=True, slots=True)
class Power:
    """Whether the credential may do something; None where nobody can tell without doing it.

    `detail` is one sentence for people: how it is known, or what is missing and what to do.
    """

    name: PowerName
    allowed: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Field:
    """A setting that a kind of registry needs besides address, user name and password.

    `name` is a key of `Connection.options`; the names `api_username` and `api_secret` stand for the
    second credential. What is `advanced` is for other clouds and closed networks.
    """

    name: str
    label: str
    help: str = ""
    required: bool = False
    advanced: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether it is stored encrypted and never shown again."""
        return self.name == "api_secret"
