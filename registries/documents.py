"""A manifest that only a listing described, read whole because somebody wants to see it."""

from __future__ import annotations

from hashlib import sha256

from django.core.cache import cache

from registries.actor import Actor
from registries.models import Artifact, Registry, TagMove
from registries.oci.errors import RegistryError
from registries.oci.reference import Digest
from registries.sync.parts import Part
from registries.sync.refresh import Wanted, refresh

# How long a page says why it could not be read; asking again is the person's.
TOLD_SECONDS = 300


def is_listed_only(artifact: Artifact) -> bool:
    """Whether its document, or what that refers to, has not been read in its repository."""
    return artifact.details == Artifact.Details.LISTED


def read_document(registry: Registry, path: str, digest: Digest, *, actor: Actor) -> str:
    """Read the document and what it refers to; returns what went wrong, a sentence, or nothing.

    The sentence is kept for a while for the page that waits (`what_went_wrong`).
    """
    part = Part(path, documents=frozenset({digest}))
    try:
        tally = refresh(registry, [Wanted(actor, parts=(part,))], source=TagMove.Source.SYNC)
        problem = next(iter(tally.problems), None)
        said = f"{problem.message} {problem.advice}".strip() if problem else ""
    except RegistryError as error:
        said = f"{error} {error.advice}"
    key = _key(registry.pk, path, digest)
    if said:
        cache.set(key, said, TOLD_SECONDS)
    else:
        cache.delete(key)
    return said


def what_went_wrong(artifact: Artifact) -> str:
    """Why reading it failed a moment ago; empty if it did not."""
    repository = artifact.repository
    key = _key(repository.registry_id, repository.path, artifact.manifest.digest)
    return str(cache.get(key, ""))


def forget_what_went_wrong(artifact: Artifact) -> None:
    """Before it is asked for again."""
    repository = artifact.repository
    cache.delete(_key(repository.registry_id, repository.path, artifact.manifest.digest))


def _key(registry_id: int, path: str, digest: str) -> str:
    # A path may be longer than a cache's key.
    short = sha256(path.encode()).hexdigest()[:16]
    return f"document:{registry_id}:{short}:{digest}"
