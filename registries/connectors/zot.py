"""zot: the OCI Distribution API as the specification has it, and a web page of its own (zui).

Facts: project-zot/zot pkg/api/authn.go and routes.go; project-zot/zui src/App.js. Its search extension
is not used: it is off in small builds, and what it tells is in the standard's own answers.
"""

from typing import ClassVar

from registries.connectors.abilities import Ability
from registries.connectors.api import quoted
from registries.connectors.standard import StandardConnector
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import Unsupported

# What it calls itself when its configuration does not, and in the examples it comes with.
_REALMS = {"authorization required", "zot"}


class ZotConnector(StandardConnector):
    """A zot registry. One that lets everybody in does not tell that it is one: choose it by hand."""

    kind: ClassVar[str] = "zot"
    label: ClassVar[str] = "zot"
    judges_access: ClassVar[bool] = False  # it takes Docker's tokens, and so Portolan's
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {Ability.CATALOG, Ability.DELETE_TAG, Ability.DELETE_MANIFEST}
    )
    last_tag_holds: ClassVar[bool] = True

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  it is known by its words
        """Say whether it asks for a password in zot's own words."""
        return ping.auth == "basic" and ping.realm.casefold() in _REALMS

    @classmethod
    def web_page(
        cls, connection: Connection, path: str, tag: str | None = None, digest: str | None = None
    ) -> str | None:
        """Return zui's page on a repository or tag; there is none on a digest."""
        if digest is not None and tag is None:
            return None
        page = f"{connection.url}/image/{quoted(path)}"
        return f"{page}/tag/{quoted(tag)}" if tag else page

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; with a manifest's last tag zot deletes the manifest, too."""
        await self._delete(path, tag)

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with its tags; raises `Unsupported` while an index holds it."""
        await self._delete(path, digest)

    async def _delete(self, path: str, reference: str) -> None:
        try:
            await self._client.delete_manifest(path, reference)
        except Unsupported as error:
            raise Unsupported(
                f"zot does not delete {path} {reference}.",
                advice="It keeps what an index still holds: delete that first.",
            ) from error
