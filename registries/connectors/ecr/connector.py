"""Amazon Elastic Container Registry, private registries.

Calls: docs.aws.amazon.com, Amazon ECR API Reference. One listing of a repository's images
(`DescribeImages`, 1000 a page) holds its tags, digests, types, sizes and dates, untagged ones too.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar
from urllib.parse import quote

from registries.connectors.abilities import Ability, Field
from registries.connectors.base import RepositoryPage
from registries.connectors.ecr.api import EcrApi, Service
from registries.connectors.ecr.errors import refused
from registries.connectors.ecr.images import ImageListing, read_repositories
from registries.connectors.ecr.sign_in import EcrAuthenticator
from registries.connectors.standard import StandardConnector
from registries.oci import untrusted
from registries.oci.auth import Authenticator
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection, parse_url
from registries.oci.errors import NotFound, RegistryError
from registries.oci.listings import TagListing
from registries.oci.reference import parse_digest, parse_repository, parse_tag
from registries.oci.transport import Stats, Transport

_HOST = re.compile(r"(\d{12})\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")


class EcrConnector(StandardConnector):
    """One account's registry in one region.

    The user name is an access key's id, the password its secret.
    """

    kind: ClassVar[str] = "ecr"
    label: ClassVar[str] = "Amazon ECR"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "IAM policies and the policies of its repositories"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.UNTAGGED,
            Ability.PULLS,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.SCANS,
        }
    )
    last_tag_holds: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "role_arn",
            "Role to assume",
            "The ARN of an IAM role that the access key may assume, where the registry is another"
            " account's. Empty: the key's own rights.",
        ),
        Field("region", "Region", "Where the address does not say it.", advanced=True),
        Field(
            "endpoint",
            "API endpoint",
            "Another address of the ECR API, such as that of a VPC endpoint.",
            advanced=True,
        ),
        Field("sts_endpoint", "STS endpoint", "Another address to assume roles at.", advanced=True),
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        # The registry's own sign-in asks the API, which counts in the registry's figures.
        stats = Stats()
        self._api = EcrApi(service_of(connection), self.prepared(connection), stats)
        super().__init__(connection, repositories)
        self._transport.stats = stats
        found = _HOST.fullmatch(connection.origin.host or "")
        # A repository's policy may let another account in, which then has to name whose it is.
        self._whose: dict[str, str] = {"registryId": found[1]} if found else {}

    def _sign_in(self, transport: Transport) -> Authenticator:
        return EcrAuthenticator(transport.connection, transport, self._api)

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        return self._api, self._client

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of a registry under Amazon's own names, in China, too."""
        return f"https://{host}" if _HOST.fullmatch(host) else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  a proxy has its own name
        """Say whether the challenge is Amazon's: `service="ecr.amazonaws.com"`."""
        return ping.service.startswith("ecr.amazonaws.com")

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  the console names images by digest
        digest: str | None = None,
    ) -> str | None:
        """Return the page in Amazon's console."""
        if (found := _HOST.fullmatch(connection.origin.host or "")) is None:
            return None
        account, _, region, domain = found.groups()
        console = "console.amazonaws.cn" if domain.endswith(".cn") else "console.aws.amazon.com"
        image = f"/_/image/{quote(digest)}/details" if digest else ""
        return (
            f"https://{region}.{console}/ecr/repositories/private/{account}/{quote(path)}{image}"
            f"?region={region}"
        )

    async def _try_listing(self) -> str:
        await anext(aiter(self._api.pages("describe_repositories", **self._whose)))
        return "The repositories can be listed."

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        yield self._described()

    async def _described(self) -> AsyncIterator[RepositoryPage]:
        # Immutable tags are a lock on writing.
        async for page in self._api.pages("describe_repositories", **self._whose):
            paths, facts, invalid = read_repositories(page)
            self.stats.invalid_names += invalid
            wanted = self._selection.of_catalog(paths)
            yield RepositoryPage(wanted, facts={path: facts[path] for path in wanted})

    async def tags(self, path: str) -> TagListing:
        """Return all of a repository's images in one listing: tags, and outlines of manifests."""
        listing = ImageListing()
        first = True
        try:
            async for page in self._api.pages("describe_images", **self._at(path)):
                listing.add(page)
                first = False
        except RegistryError as problem:
            if first and isinstance(problem, NotFound):
                raise
            return listing.result(self.stats, problem)
        return listing.result(self.stats)

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; Amazon deletes the image with its last one."""
        await self._delete(self._at(path), {"imageTag": parse_tag(tag)}, f"{path}:{tag}")

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete an image with its tags; Amazon keeps those that an index lists."""
        image = {"imageDigest": parse_digest(digest)}
        await self._delete(self._at(path), image, f"{path} {digest}")

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with its images."""
        await self._api.call("delete_repository", **self._at(path), force=True)

    async def _delete(self, where: dict[str, str], image: Mapping[str, str], what: str) -> None:
        answer = await self._api.call("batch_delete_image", **where, imageIds=[image])
        for failure in untrusted.objects(answer.get("failures")):
            raise refused(failure, what)

    def _at(self, path: str) -> dict[str, Any]:
        return {**self._whose, "repositoryName": parse_repository(path)}


def service_of(connection: Connection) -> Service:
    """Return where the API of a registry is, from its host's name and the options.

    Raises `InvalidConnection` where neither says it. Names: AWS General Reference, "Amazon ECR
    endpoints and quotas".
    """
    options = connection.options
    found = _HOST.fullmatch(connection.origin.host or "")
    region = options.get("region", "").strip() or (found[3] if found else "")
    if not _REGION.fullmatch(region):
        raise InvalidConnection(
            "Give the registry's address as ACCOUNT.dkr.ecr.REGION.amazonaws.com, or its region."
        )
    domain = found[4] if found else "amazonaws.com.cn" if region.startswith("cn-") else ""
    domain = domain or "amazonaws.com"
    api = "ecr-fips" if found and found[2] else "api.ecr"
    role = options.get("role_arn", "").strip()
    if role and not _ROLE.fullmatch(role):
        raise InvalidConnection(
            "A role to assume is given by its ARN: arn:aws:iam::123456789012:role/name."
        )
    return Service(
        region,
        _endpoint(connection, "endpoint") or f"https://{api}.{region}.{domain}",
        _endpoint(connection, "sts_endpoint") or f"https://sts.{region}.{domain}",
        role,
    )


def _endpoint(connection: Connection, name: str) -> str:
    text = connection.options.get(name, "").strip()
    return str(parse_url(text, allow_private=connection.allow_private)).rstrip("/") if text else ""
