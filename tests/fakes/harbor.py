"""A Harbor in this process, written from its API's swagger.yaml and handlers.

Registry by tokens, API by Basic; pages of at most 100 with a relative Link and X-Total-Count; names
of repositories quoted twice; children of an index and accessories hidden as Harbor hides them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from registries.oci import mediatypes
from tests.fakes.content import Holdings, Pushed
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import USERNAME, SignIn, basic

PUSHED, NEVER = "2026-03-01T12:00:00.123Z", "0001-01-01T00:00:00.000Z"
REPORT_TYPE = "application/vnd.security.vulnerability.report; version=1.1"


@dataclass
class Settings:
    """What Harbor knows besides content. By project: members, robots, webhook policies, roles."""

    members: dict[str, list[Any]] = field(default_factory=dict)
    robots: dict[str, list[Any]] = field(default_factory=dict)  # "" for those of the system
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    roles: list[int] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)  # bytes, of projects
    scans: dict[str, Any] = field(default_factory=dict)  # by digest
    pulled: dict[str, str] = field(default_factory=dict)  # times, by digest
    immutable: set[str] = field(default_factory=set)  # names of tags
    is_admin: bool = True


class FakeHarbor(FakeRegistry):
    """A Harbor; `counts_hidden` is False for versions whose total leaves out what they hide."""

    def __init__(self, *, largest_page: int = 100, counts_hidden: bool = True) -> None:
        super().__init__(sign_in=SignIn("bearer"))
        self.largest_page = largest_page
        self.counts_hidden = counts_hidden
        self.settings = Settings()
        self._listed: dict[tuple[str, bool], list[tuple[bool, dict[str, Any]]]] = {}

    def push(self, repository: str, manifest: Pushed, *tags: str) -> str:
        """Store a manifest; what was listed of its repository is worked out again."""
        self._forget(repository)
        return super().push(repository, manifest, *tags)

    def delete_tag(self, repository: str, tag: str) -> None:
        """Take a tag away; what was listed of its repository is worked out again."""
        self._forget(repository)
        super().delete_tag(repository, tag)

    def _forget(self, repository: str) -> None:
        self._listed.pop((repository, True), None)
        self._listed.pop((repository, False), None)

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        """Want Basic for the API and tokens for the registry."""
        if not request.path.startswith("/api/"):
            return super().judge(request)
        given = request.headers.get("Authorization")
        if given is None or given == basic():
            return None
        return error(401, "UNAUTHORIZED", "unauthorized")

    def routes(self) -> list[web.RouteDef]:
        """Return the API's, before the registry's."""
        at = "/api/v2.0"
        project = at + "/projects/{project}"
        repository = project + "/repositories/{repository}"
        return [
            web.get(at + "/projects", self._list_projects),
            web.get(at + "/systeminfo", self._system),
            web.get(at + "/quotas", self._quotas),
            web.get(at + "/robots", self._robots),
            web.get(project, self._project),
            web.get(project + "/summary", self._summary),
            web.get(project + "/scanner", self._scanner),
            web.get(project + "/members", self._members),
            web.get(project + "/webhook/policies", self._policies),
            web.post(project + "/webhook/policies", self._create_policy),
            web.put(project + "/webhook/policies/{id}", self._replace_policy),
            web.delete(project + "/webhook/policies/{id}", self._delete_policy),
            web.get(project + "/repositories", self._list_repositories),
            web.get(repository, self._repository),
            web.delete(repository, self._delete_repository),
            web.get(repository + "/artifacts", self._artifacts),
            web.delete(repository + "/artifacts/{reference}", self._delete_artifact),
            web.delete(repository + "/artifacts/{reference}/tags/{tag}", self._delete_tag),
            *super().routes(),
        ]

    # Content

    def projects(self) -> dict[str, int]:
        """Return the projects there are, with their ids."""
        names = {name.partition("/")[0] for name in self.repositories} | set(self.settings.members)
        return {name: number for number, name in enumerate(sorted(names), 1)}

    async def _list_projects(self, request: web.Request) -> web.Response:
        # Without the right to count them, a project is said to have none.
        listed = [
            {"name": name, "project_id": number, "repo_count": 0, "metadata": {"public": "true"}}
            for name, number in self.projects().items()
        ]
        return self._paged(request, listed)

    async def _project(self, request: web.Request) -> web.Response:
        name = request.match_info["project"]
        if name.isdigit() and request.headers.get("X-Is-Resource-Name") != "true":
            return error(404, "NOT_FOUND", f"project {name} not found")
        if name not in self.projects():
            return error(403, "FORBIDDEN", "forbidden")
        return web.json_response({"name": name, "current_user_role_ids": self.settings.roles})

    async def _list_repositories(self, request: web.Request) -> web.Response:
        within = request.match_info["project"] + "/"
        names = sorted(name for name in self.repositories if name.startswith(within))
        # Go leaves out what is zero.
        listed: list[Any] = [
            {"name": name, "artifact_count": len(self.repositories[name].manifests)}
            | ({"pull_count": number} if number else {})
            for number, name in enumerate(names)
        ]
        return self._paged(request, listed or None)

    async def _repository(self, request: web.Request) -> web.Response:
        path = _path(request)
        if path not in self.repositories:
            return error(404, "NOT_FOUND", f"repository {path} not found")
        return web.json_response({"name": path})

    async def _artifacts(self, request: web.Request) -> web.Response:
        # There is no 404 for a repository that does not exist, and null for nothing at all.
        path, everything = _path(request), request.query.get("q") == "base=*"
        listed = self._listed.get((path, everything))
        if listed is None:
            holdings = self.repositories.get(path, Holdings())
            listed = list(self._describe(holdings, everything=everything))
            self._listed[path, everything] = listed
        visible = [artifact for hidden, artifact in listed if not hidden]
        total = len(listed if self.counts_hidden else visible)
        first, size = self._window(request)
        # What is hidden is taken out of a page after the page was cut.
        page = [artifact for hidden, artifact in listed[first : first + size] if not hidden]
        return _answer(request, page or None, total, size)

    def _describe(
        self, holdings: Holdings, *, everything: bool
    ) -> Iterable[tuple[bool, dict[str, Any]]]:
        """Yield every artifact, and whether it is hidden."""
        documents = {digest: it.document for digest, it in holdings.manifests.items()}
        children = {
            child["digest"] for it in documents.values() for child in it.get("manifests") or ()
        }
        for digest, manifest in holdings.manifests.items():
            tags = [tag for tag, pointed in holdings.tags.items() if pointed == digest]
            if digest in children and not tags and not everything:
                continue
            subject = documents[digest].get("subject", {}).get("digest")
            artifact = self._artifact(digest, manifest, documents, holdings)
            artifact["tags"] = [self._tag(tag, digest) for tag in tags] or None
            artifact["accessories"] = [
                {
                    "type": "signature.cosign",
                    "digest": other,
                    "size": _size(other, documents, holdings),
                    "subject_artifact_digest": digest,
                    "creation_time": PUSHED,
                }
                for other, document in documents.items()
                if document.get("subject", {}).get("digest") == digest
            ] or None
            yield subject in documents, artifact

    def _artifact(
        self, digest: str, manifest: Pushed, documents: dict[str, Any], holdings: Holdings
    ) -> dict[str, Any]:
        document = documents[digest]
        config = document.get("config", {})
        attributes = json.loads(holdings.blobs.get(config.get("digest"), b"{}"))
        is_image = config.get("mediaType") in mediatypes.IMAGE_CONFIG_TYPES
        known = ("os", "architecture", "created")
        scan = self.settings.scans.get(digest)
        return {
            "type": "IMAGE" if is_image or "manifests" in document else "UNKNOWN",
            "media_type": config.get("mediaType", manifest.media_type),
            "manifest_media_type": manifest.media_type,
            "artifact_type": document.get("artifactType", config.get("mediaType", "")),
            "digest": digest,
            "size": _size(digest, documents, holdings),
            "push_time": PUSHED,
            "pull_time": self.settings.pulled.get(digest, NEVER),
            "extra_attrs": {key: attributes[key] for key in known if key in attributes} or None,
            "annotations": None,
            "labels": None,
            "references": [
                {
                    "child_digest": child["digest"],
                    "platform": child.get("platform"),
                    "annotations": child.get("annotations"),
                }
                for child in document.get("manifests") or ()
            ]
            or None,
            "scan_overview": {REPORT_TYPE: scan} if scan is not None else None,
        }

    def _tag(self, tag: str, digest: str) -> dict[str, Any]:
        return {
            "name": tag,
            "push_time": PUSHED,
            "pull_time": self.settings.pulled.get(digest, NEVER),
            "immutable": tag in self.settings.immutable,
        }

    # Deletes

    async def _delete_repository(self, request: web.Request) -> web.Response:
        path = _path(request)
        if path not in self.repositories:
            return error(404, "NOT_FOUND", f"repository {path} not found")
        if set(self.repositories[path].tags) & self.settings.immutable:
            return error(412, "PRECONDITION", "an immutable tag cannot be deleted")
        self._forget(path)
        self.delete_repository(path)
        return web.Response()

    async def _delete_artifact(self, request: web.Request) -> web.Response:
        path, reference = _path(request), request.match_info["reference"]
        holdings = self.repositories.get(path, Holdings())
        digest = holdings.tags.get(reference, reference)
        if digest not in holdings.manifests:
            return error(404, "NOT_FOUND", f"artifact {path}@{digest} not found")
        tags = [tag for tag, pointed in holdings.tags.items() if pointed == digest]
        if set(tags) & self.settings.immutable:
            return error(412, "PRECONDITION", "configured as immutable, cannot be deleted")
        listing = [it for it in holdings.manifests.values() if digest in str(it.document)]
        if any("manifests" in it.document and it.digest != digest for it in listing):
            return error(412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", "is referenced by others")
        self._forget(path)
        del holdings.manifests[digest]
        for tag in tags:
            del holdings.tags[tag]
        return web.Response()

    async def _delete_tag(self, request: web.Request) -> web.Response:
        path, tag = _path(request), request.match_info["tag"]
        holdings = self.repositories.get(path, Holdings())
        if tag not in holdings.tags or request.match_info["reference"] not in (
            tag,
            holdings.tags[tag],
        ):
            return error(404, "NOT_FOUND", f"artifact {path}:{tag} not found")
        if tag in self.settings.immutable:
            return error(412, "PRECONDITION", f"the tag {tag} configured as immutable")
        self._forget(path)
        del holdings.tags[tag]
        return web.Response()

    # Who may do what, quotas, webhooks

    async def _system(self, _: web.Request) -> web.Response:
        return web.json_response({"harbor_version": "v2.11.0-fake", "auth_mode": "oidc_auth"})

    async def _scanner(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "Trivy", "url": "http://trivy:8080", "is_default": True})

    async def _members(self, request: web.Request) -> web.Response:
        return self._paged(request, self.settings.members.get(request.match_info["project"]) or [])

    async def _robots(self, request: web.Request) -> web.Response:
        asked = dict(it.split("=", 1) for it in request.query.get("q", "").split(",") if it)
        if asked.get("Level") != "project":
            if not self.settings.is_admin:
                return error(403, "FORBIDDEN", "forbidden")
            return self._paged(request, self.settings.robots.get("", []))
        names = {str(number): name for name, number in self.projects().items()}
        return self._paged(request, self.settings.robots.get(names[asked["ProjectID"]], []))

    async def _quotas(self, request: web.Request) -> web.Response:
        if not self.settings.is_admin:
            return error(403, "FORBIDDEN", "forbidden")
        return self._paged(
            request,
            [{"ref": {"name": name}, **self._quota(name)} for name in self.projects()],
        )

    async def _summary(self, request: web.Request) -> web.Response:
        return web.json_response({"quota": self._quota(request.match_info["project"])})

    def _quota(self, project: str) -> dict[str, Any]:
        limit = self.settings.limits.get(project, -1)
        return {"hard": {"storage": limit}, "used": {"storage": 1000}}

    async def _policies(self, request: web.Request) -> web.Response:
        return self._paged(request, self.settings.policies.get(request.match_info["project"]))

    async def _create_policy(self, request: web.Request) -> web.Response:
        policies = self.settings.policies.setdefault(request.match_info["project"], [])
        policy = await request.json()
        if any(it["name"] == policy["name"] for it in policies):
            return error(409, "CONFLICT", "the name is taken")
        number = max((it["id"] for it in policies), default=0) + 1
        policies.append(_kept(policy, number))
        return web.Response(status=201, headers={"Location": f"{request.path}/{number}"})

    async def _replace_policy(self, request: web.Request) -> web.Response:
        policies = self.settings.policies.get(request.match_info["project"], [])
        number = int(request.match_info["id"])
        at = [it["id"] for it in policies].index(number)
        policies[at] = _kept(await request.json(), number)
        return web.Response()

    async def _delete_policy(self, request: web.Request) -> web.Response:
        policies = self.settings.policies.get(request.match_info["project"], [])
        left = [it for it in policies if str(it["id"]) != request.match_info["id"]]
        if len(left) == len(policies):
            return error(404, "NOT_FOUND", "webhook policy not found")
        self.settings.policies[request.match_info["project"]] = left
        return web.Response()

    # Pages

    def _window(self, request: web.Request) -> tuple[int, int]:
        size = min(int(request.query.get("page_size", 10)), self.largest_page)
        return (int(request.query.get("page", 1)) - 1) * size, size

    def _paged(self, request: web.Request, listed: list[Any] | None) -> web.Response:
        first, size = self._window(request)
        page = None if listed is None else listed[first : first + size]
        return _answer(request, page, len(listed or ()), size)


def _answer(request: web.Request, page: object, total: int, size: int) -> web.Response:
    number = int(request.query.get("page", 1))
    links = [(number - 1, "prev")] if number > 1 else []
    if number * size < total:
        links.append((number + 1, "next"))
    header = " , ".join(
        f'<{request.rel_url.update_query(page=str(at))}>; rel="{which}"' for at, which in links
    )
    headers = {"X-Total-Count": str(total)} | ({"Link": header} if header else {})
    return web.json_response(page, headers=headers)


def _path(request: web.Request) -> str:
    """Return the repository asked for: its name comes quoted twice, of which the server undid one."""
    return f"{request.match_info['project']}/{unquote(request.match_info['repository'])}"


def _size(digest: str, documents: dict[str, Any], holdings: Holdings) -> int:
    """Return the size of a manifest with all it names, an index's with its platforms'."""
    document = documents[digest]
    named = [document.get("config", {}), *(document.get("layers") or ())]
    size: int = len(holdings.manifests[digest].raw) + sum(it.get("size", 0) for it in named)
    children = document.get("manifests") or ()
    return size + sum(_size(child["digest"], documents, holdings) for child in children)


def _kept(policy: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a policy as Harbor stores it: an address loses its query."""
    targets = [it | {"address": it["address"].partition("?")[0]} for it in policy["targets"]]
    return {**policy, "id": number, "targets": targets, "creator": USERNAME}
