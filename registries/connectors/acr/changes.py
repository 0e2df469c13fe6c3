"""What is changed in a registry of Azure: tags, manifests and repositories deleted, locks set.

Source: Azure/acr-cli docs/swagger.yaml. What a lock forbids is answered with 405 and the code
REGISTRY_DISALLOWED_OPERATION (Azure/acr-cli issue 70), for which of three locks it does not say.
"""

import orjson

from registries.connectors.acr.listing import AcrListing, locks_of, slow_down, switches_for
from registries.oci import untrusted
from registries.oci.errors import AccessDenied, Locked, RegistryError
from registries.oci.failures import error_codes
from registries.oci.outlines import Lock
from registries.oci.reference import parse_digest, parse_repository, parse_tag
from registries.oci.transport import Answer, Sending, Transport

_DISALLOWED = "REGISTRY_DISALLOWED_OPERATION"
# Whoever locks a thing against writing locks it against deletion, too (Azure/acr issue 561).
_KEEPING = Lock.DELETE | Lock.WRITE


class AcrChanges:
    """Changes one registry by its transport; each method raises `RegistryError`."""

    def __init__(self, transport: Transport, listing: AcrListing) -> None:
        self._transport = transport
        self._listing = listing

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; its manifest stays. Raises `Locked`, naming the lock."""
        part = f"/_tags/{parse_tag(tag)}"
        await self._delete(path, f"/acr/v1/{parse_repository(path)}{part}", f"{path}:{tag}", part)

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with every tag on it. Raises `Locked`, naming the lock."""
        address = f"/v2/{parse_repository(path)}/manifests/{parse_digest(digest)}"
        await self._delete(path, address, f"{path} {digest}", f"/_manifests/{digest}")

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds. Raises `Locked`, naming the lock."""
        await self._delete(path, f"/acr/v1/{parse_repository(path)}", path, "")

    async def set_locks(self, path: str, part: str, locks: Lock, what: str) -> None:
        """Lock a repository, or the tag or manifest in `part`, against exactly this."""
        body = orjson.dumps(switches_for(locks))
        sending = Sending({"Content-Type": "application/json"}, body)
        address = f"/acr/v1/{parse_repository(path)}{part}"
        right = "metadata_write"
        answer = await self._request("PATCH", address, path, right, what, sending)
        if answer.status != 200:
            raise answer.failure(what)

    async def _delete(self, path: str, address: str, what: str, part: str) -> None:
        answer = await self._request("DELETE", address, path, "delete", what)
        if answer.status in (200, 202, 204):
            return
        if answer.status == 405 or _DISALLOWED in error_codes(answer.body):
            raise await self._locked(path, part, what)
        raise answer.failure(what)

    async def _request(
        self,
        method: str,
        address: str,
        path: str,
        right: str,
        what: str,
        sending: Sending | None = None,
    ) -> Answer:
        transport = self._transport
        scope, url = f"repository:{path}:{right}", transport.url(address)
        try:
            answer = await transport.request(method, url, scope=scope, limit=65536, sending=sending)
        except AccessDenied:
            raise AccessDenied(
                f"This account may not change {what}: it has no right to {right} there.",
                advice="Assign it Container Registry Repository Contributor or AcrDelete, or give its"
                " token a scope map with that right.",
            ) from None
        slow_down(transport, answer)
        return answer

    async def _locked(self, path: str, part: str, what: str) -> RegistryError:
        """Return the refusal in words, having looked at which lock it is."""
        for place, of in ((part, "it"), (await self._pointed_at(path, part), "what it points at")):
            if place and (locks := await self._locks(path, place, what)) & _KEEPING:
                return Locked(f"{what} cannot be deleted: {of} is locked against {_words(locks)}.")
        if (locks := await self._locks(path, "", what)) & _KEEPING:
            return Locked(
                f"{what} cannot be deleted: the repository is locked against {_words(locks)}."
            )
        return Locked(
            f"Azure does not allow {what} to be deleted, though no lock on it could be seen.",
            advice="A manifest or tag inside may be locked, or a policy of the registry forbids it.",
        )

    async def _pointed_at(self, path: str, part: str) -> str:
        """Return the part that stands for the manifest of a tag, empty for anything else."""
        if not part.startswith("/_tags/"):
            return ""
        try:
            found = await self._listing.attributes(path, part, path)
            digest = untrusted.mapping(found.get("tag")).get("digest")
            return f"/_manifests/{parse_digest(str(digest))}"
        except (RegistryError, ValueError):
            return ""

    async def _locks(self, path: str, part: str, what: str) -> Lock:
        try:
            found = await self._listing.attributes(path, part, what)
        except RegistryError:
            return Lock.NONE
        inner = untrusted.mapping(found.get("tag") or found.get("manifest") or found)
        return locks_of(inner) or Lock.NONE


def _words(locks: Lock) -> str:
    words = [
        word for lock, word in ((Lock.DELETE, "deletion"), (Lock.WRITE, "writing")) if locks & lock
    ]
    return " and ".join(words)
