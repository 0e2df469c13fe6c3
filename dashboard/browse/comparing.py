"""Two images of a repository side by side, each by its tag or digest, on one platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404

from access.policy import Someone
from dashboard.browse.difference import LayerDifference, ValueChange, changed_values
from dashboard.browse.images import ImagePage, get_artifact_or_404, get_tag_or_404
from registries.models import Repository
from registries.oci.reference import is_digest


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what was asked for, and what it is; `image` is None if it is not there."""

    reference: str
    image: ImagePage | None

    @classmethod
    def of(cls, user: Someone, repository: Repository, reference: str, platform: str) -> Side:
        try:
            return cls(reference, image_or_404(user, repository, reference, platform))
        except Http404:
            return cls(reference, None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one image to another; `platforms` are those that either has."""

    layers: LayerDifference
    facts: Sequence[ValueChange]
    environment: Sequence[ValueChange]
    labels: Sequence[ValueChange]
    platforms: Sequence[str]

    @classmethod
    def between(cls, before: ImagePage, after: ImagePage) -> Comparison:
        both = (*before.platforms, *after.platforms)
        return cls(
            layers=LayerDifference.between(before.steps, after.steps),
            facts=changed_values(_facts(before), _facts(after)),
            environment=_environment(before, after),
            labels=changed_values(_labels(before), _labels(after)),
            platforms=[*dict.fromkeys(platform.child.platform for platform in both)],
        )


def image_or_404(user: Someone, repository: Repository, reference: str, platform: str) -> ImagePage:
    """The image that a tag or digest names; an empty text names none."""
    artifact = (
        get_artifact_or_404(repository, reference)
        if is_digest(reference)
        else get_tag_or_404(repository, reference).artifact
    )
    return ImagePage(user, repository, artifact, platform)


def _facts(image: ImagePage) -> dict[str, str]:
    facts = image.config.facts() if image.config else {}
    return {name: value for name, value in facts.items() if value}


def _labels(image: ImagePage) -> dict[str, str]:
    return dict(image.config.labels) if image.config else {}


def _environment(before: ImagePage, after: ImagePage) -> list[ValueChange]:
    sides = [image.config.env if image.config else () for image in (before, after)]
    old, new = ({variable.name: variable.value for variable in side} for side in sides)
    secret = {variable.name for side in sides for variable in side if variable.is_secret}
    return [
        ValueChange(change.name, change.before, change.after, is_secret=change.name in secret)
        for change in changed_values(old, new)
    ]
