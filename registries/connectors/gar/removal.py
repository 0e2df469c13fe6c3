"""Deleting at Google, which deletes no manifest that has a tag or is held by an index.

So the tags go first, one by one; where the manifest is kept after that, they are put back.
"""

from collections.abc import Sequence

from registries.oci.client import RegistryClient
from registries.oci.documents import Manifest
from registries.oci.errors import AccessDenied, NotFound, RegistryError, Unsupported
from registries.oci.failures import error_codes
from registries.oci.transport import Sending, Transport

_TAGGED = "GOOGLE_MANIFEST_DANGLING_TAG"
_HELD = frozenset({_TAGGED, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"})
_ADVICE = "Delete the index first; its platforms can be deleted then."
# Somebody waits: more indexes are not read to learn whether one of them keeps an image.
_MOST_READ = 10


class Tagged(Unsupported):
    """Google keeps a manifest for its tags, and said of nothing else that keeps it."""


class Removal:
    """Deletes by the registry's own API, as somebody who may push there, too."""

    def __init__(self, client: RegistryClient, transport: Transport) -> None:
        self._client = client
        self._transport = transport

    async def delete(self, path: str, reference: str) -> None:
        """Delete a tag, or a manifest without any; raises `Tagged` for one that has some."""
        scope, base = self._transport.repository(path)
        answer = await self._transport.request(
            "DELETE",
            self._transport.url(f"{base}/manifests/{reference}"),
            scope=scope.replace(":pull", ":delete"),
            limit=0,
        )
        if answer.status in (200, 202, 204):
            return
        if held := error_codes(answer.body) & _HELD:
            kind = Tagged if held == {_TAGGED} else Unsupported
            raise kind(
                f"Google keeps {path} {reference}: a tag or an index still names it.",
                advice=_ADVICE,
            )
        if answer.status == 403:
            raise AccessDenied(
                f"Google does not let this account delete {path} {reference}.",
                advice="Give it the role Artifact Registry Repository Administrator.",
            )
        raise answer.failure(f"{path} {reference}")

    async def require_unheld(self, path: str, digest: str, indexes: Sequence[str]) -> None:
        """Raise `Unsupported` where one of the first few of these indexes lists the manifest."""
        for index in indexes[:_MOST_READ]:
            try:
                children = (await self._client.get_manifest(path, index)).children
            except NotFound:
                continue
            if any(child.digest == digest for child in children):
                raise Unsupported(
                    f"Google keeps {path} {digest}: an index still names it.", advice=_ADVICE
                )

    async def delete_with_tags(self, path: str, digest: str, tags: Sequence[str]) -> None:
        """Delete a manifest after its tags, or put them back and raise what Google said."""
        manifest = await self._client.get_manifest(path, digest)
        taken: list[str] = []
        try:
            for tag in tags:
                if await self._took(path, tag):
                    taken.append(tag)  # noqa: PERF401  wanted when the next one fails
            await self.delete(path, digest)
        except RegistryError as refusal:
            # What somebody else has deleted meanwhile is not brought back to life.
            if not _is_gone(refusal):
                lost = [tag for tag in taken if not await self._put_back(path, tag, manifest)]
                refusal.tags_taken = tuple(lost)
            raise

    async def _took(self, path: str, tag: str) -> bool:
        try:
            await self.delete(path, tag)
        except NotFound as error:
            if _is_gone(error):
                return False
            raise
        return True

    async def _put_back(self, path: str, tag: str, manifest: Manifest) -> bool:
        """Let a tag point at a manifest again, unless somebody has set it anew meanwhile."""
        scope, base = self._transport.repository(path)
        try:
            if await self._client.head_manifest(path, tag) is not None:
                return True
            answer = await self._transport.request(
                "PUT",
                self._transport.url(f"{base}/manifests/{tag}"),
                scope=f"{scope},push",
                limit=0,
                sending=Sending({"Content-Type": manifest.media_type}, manifest.raw),
            )
        except RegistryError:
            return False
        return answer.status in (200, 201)


def _is_gone(error: RegistryError) -> bool:
    return isinstance(error, NotFound) and error.is_proof
