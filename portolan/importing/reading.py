"""Where sources come from: a file, or the service's own API, which is only ever asked and only at the
address that was typed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import yaml

from portolan.importing import values
from portolan.importing.problems import Mistyped, NotAnswering, NotImportable
from portolan.reaching import why_not

BYTES = 64 * 1024**2
YAML_BYTES = 4 * 1024**2
# Of all answers of a service together.
SERVICE_BYTES = 512 * 1024**2
ANSWER_BYTES = 16 * 1024**2
_PAGE = 100
_MOST_PAGES = 10_000
_TIMEOUT = httpx.Timeout(60, connect=10)
_REFUSED = (401, 403)
# Keys of all mappings into which others are merged.
_MERGED = 500_000


# Files ------------------------------------------------------------------------------------------


def answers_file(path: Path) -> Any:
    """The values of a file of answers as JSON; raises NotImportable."""
    text = _text(path, BYTES)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotImportable(f"{path} is not JSON.") from None


def configuration_file(path: Path) -> Any:
    """The values of a YAML file in which every scalar but null is a text, as docker_auth's own
    reader takes them (`account: no` is an account); raises NotImportable."""
    text = _text(path, YAML_BYTES)
    try:
        data = yaml.load(text, Loader=_Texts)  # noqa: S506  a safe loader
        if "&" in text:
            _refuse_multiplied(data)
        return data
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise NotImportable(f"{path} is not YAML: {error.problem}{line}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise NotImportable(f"{path} is not YAML.") from None


def names_file(path: Path) -> tuple[str, ...]:
    """The names of repositories in a file, one a line; raises NotImportable."""
    lines = (line.strip() for line in _text(path, BYTES).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _text(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise NotImportable(f"{path} is larger than {most // 1024**2} MiB.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Mistyped(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotImportable(f"{path} is no text in UTF-8.") from None


def _refuse_multiplied(data: Any) -> None:
    """Raises NotImportable where aliases (`*name`) of aliases come to more values than the largest
    file could hold without any, or hold themselves."""
    waiting, left = [data], YAML_BYTES
    while waiting:
        one = waiting.pop()
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left -= len(inside)
        if left < 0:
            raise NotImportable("The file's aliases (*name) multiply each other: say it plainly.")
        waiting += inside


class _Texts(yaml.SafeLoader):
    """Takes no key twice: which of the two holds depends on who reads. And no merges (`<<`) by which
    a small file becomes large, for each copies what it merges."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merges = any(key.tag == "tag:yaml.org,2002:merge" for key, _value in node.value)
        super().flatten_mapping(node)
        self.merged += len(node.value) if merges else 0
        if self.merged > _MERGED:
            raise yaml.constructor.ConstructorError(
                None, None, "this merges too much", node.start_mark
            )

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, _value in node.value:
                if key.value in seen if isinstance(key.value, str) else False:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands there twice", key.start_mark
                    )
                if isinstance(key.value, str) and key.tag != "tag:yaml.org,2002:merge":
                    seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_KEPT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_Texts.yaml_implicit_resolvers = {
    first: kept
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, wanted) for tag, wanted in found if tag in _KEPT])
}


# Services ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name with a password (of Harbor) or an application token (of Portus)."""

    username: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential({self.username!r})"


class Service:
    """One service's API, read page by page. Redirects are not followed and cookies not kept: the
    credential is for this address alone."""

    def __init__(
        self,
        address: str,
        *,
        auth: httpx.Auth | None = None,
        headers: dict[str, str] | None = None,
        ca_file: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._address = address
        self._unread: dict[str, str] = {}
        self._left = SERVICE_BYTES
        try:
            trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
        except OSError:
            raise Mistyped(f"{ca_file} holds no certificates.") from None
        self._http = httpx.Client(
            base_url=address,
            auth=auth,
            headers={"Accept": "application/json", **(headers or {})},
            timeout=_TIMEOUT,
            follow_redirects=False,
            verify=trusted,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def unread(self) -> dict[str, str]:
        """What could not be read, as sentences by subject."""
        return dict(self._unread)

    def try_rows(self, what: str, path: str, **query: str) -> list[Any]:
        """The rows, or none and a sentence in `unread`, where this account may not read them."""
        try:
            return self.rows(what, path, **query)
        except _NotAllowed:
            self._unread[what] = f"The {what} may not be read with this account."
            return []

    def rows(self, what: str, path: str, **query: str) -> list[Any]:
        """All rows of a list, page by page; raises NotImportable."""
        found: list[Any] = []
        for page in range(1, _MOST_PAGES + 1):
            rows, more = self._page(
                what,
                path,
                {**query, "page": str(page), "page_size": str(_PAGE), "per_page": str(_PAGE)},
            )
            found += rows
            if not rows or not more(len(found), page):
                return found
        raise NotImportable(f"The {what} have no end.")

    def _page(
        self, what: str, path: str, query: dict[str, str]
    ) -> tuple[list[Any], Callable[[int, int], bool]]:
        try:
            with self._http.stream("GET", path, params=query) as answer:
                if answer.status_code in _REFUSED:
                    raise _NotAllowed(f"{self._address} refuses the {what}: see the account.")
                if answer.status_code != 200:
                    raise NotAnswering(
                        f"{self._address} answers {answer.status_code} when asked for {what}."
                    )
                body = _limited(answer, what)
                headers = answer.headers
                self._left -= len(body)
                if self._left < 0:
                    raise NotImportable(f"{self._address} gives more than anyone can import.")
        except httpx.HTTPError as error:
            raise NotAnswering(f"{self._address} does not answer: {why_not(error)}.") from None
        except (httpx.InvalidURL, ssl.SSLError) as error:
            raise NotAnswering(f"{self._address} does not answer: {error}.") from None
        try:
            rows = json.loads(body)
        except (ValueError, RecursionError):
            rows = None
        if rows is None and body.strip() == b"null":
            rows = []
        if not isinstance(rows, list):
            raise NotAnswering(f"{self._address} gives no list of {what}: is it the right address?")
        return rows, lambda count, page: _goes_on(headers, count, page)


class _NotAllowed(NotImportable):
    """The account may not see this."""


def _limited(answer: httpx.Response, what: str) -> bytes:
    body = b""
    for part in answer.iter_bytes():
        body += part
        if len(body) > ANSWER_BYTES:
            raise NotImportable(f"A page of {what} is larger than {ANSWER_BYTES // 1024**2} MiB.")
    return body


def _goes_on(headers: httpx.Headers, count: int, page: int) -> bool:
    """Whether there is a further page: by Harbor's X-Total-Count, Portus' X-Total-Pages, or Link. A
    list without any of them was whole."""
    total, pages = headers.get("X-Total-Count", ""), headers.get("X-Total-Pages", "")
    if total.isascii() and total.isdigit():
        return count < int(total)
    if pages.isascii() and pages.isdigit():
        return page < int(pages)
    return 'rel="next"' in headers.get("Link", "")


# What each has ----------------------------------------------------------------------------------


def harbor(address: str, credential: Credential, **settings: Any) -> dict[str, Any]:
    """Harbor's answers, as harbor.convert takes them (goharbor/harbor api/v2.0/swagger.yaml)."""
    auth = httpx.BasicAuth(credential.username, credential.secret)
    with Service(f"{address}/api/v2.0", auth=auth, **settings) as service:
        projects = service.rows("projects", "/projects")
        members: dict[str, list[Any]] = {}
        robots = service.try_rows("robots of the system", "/robots")
        for project in values.objects(projects):
            name, number = values.text(project.get("name")), values.whole(project.get("project_id"))
            if not name or number is None:
                continue
            members[name] = service.try_rows(f"members of {name}", f"/projects/{number}/members")
            robots += service.try_rows(
                f"robots of {name}", "/robots", q=f"Level=project,ProjectID={number}"
            )
        return {
            "projects": projects,
            "members": members,
            "usergroups": service.try_rows("groups", "/usergroups"),
            "robots": list(_each_once(robots)),
            "unread": service.unread,
        }


def portus(address: str, credential: Credential, **settings: Any) -> dict[str, Any]:
    """Portus' answers, as portus.convert takes them (SUSE/Portus lib/api/v1)."""
    headers = {"Portus-Auth": f"{credential.username}:{credential.secret}"}
    if not (headers["Portus-Auth"].isascii() and headers["Portus-Auth"].isprintable()):
        raise Mistyped("The name or the token has characters that cannot be sent.")
    with Service(f"{address}/api/v1", headers=headers, **settings) as service:
        teams = service.rows("teams", "/teams")
        namespaces = service.rows("namespaces", "/namespaces")
        return {
            "teams": teams,
            "namespaces": namespaces,
            "users": service.try_rows("users", "/users"),
            "members": {
                number: service.try_rows(f"members of team {number}", f"/teams/{number}/members")
                for number in _numbers(teams)
            },
            # Of the global namespace only: below the others a scope says all names.
            "repositories": {
                number: service.try_rows(
                    f"repositories of namespace {number}", f"/namespaces/{number}/repositories"
                )
                for number in _numbers(
                    one for one in values.objects(namespaces) if one.get("global") is True
                )
            },
            "unread": service.unread,
        }


def _numbers(rows: Any) -> Iterator[str]:
    for row in values.objects(list(rows)):
        if (number := values.whole(row.get("id"))) is not None:
            yield quote(str(number), safe="")


def _each_once(robots: list[Any]) -> Iterator[Any]:
    seen = set()
    for robot in values.objects(robots):
        key = (values.whole(robot.get("id")), values.text(robot.get("name")))
        if key not in seen:
            seen.add(key)
            yield robot
