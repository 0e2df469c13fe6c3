"""Harbor: projects, members, groups and robots as grants.

Facts: goharbor/harbor api/v2.0/swagger.yaml (`Project`, `ProjectMemberEntity`, `UserGroup`, `Robot`)
and docs/administration/managing-users/user-permissions-by-role. Only what a role or robot certainly
may there is said here; each difference is a remark or stands in docs/migrating.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portolan.importing import names, values
from portolan.importing.names import plain
from portolan.importing.result import PUBLIC, Draft, Imported, Options
from portolan.importing.roles import (
    ACCESS_MANAGE,
    AUDIT_READ,
    CATALOG_LIST,
    CONTENT_WRITE,
    DELETE,
    METADATA_WRITE,
    POLICY_MANAGE,
    PULL,
    PUSH,
    SEEING,
    WEBHOOK_MANAGE,
    Role,
)

_MAINTAINING = SEEING | PULL | PUSH | DELETE | {METADATA_WRITE, POLICY_MANAGE}
_ADMINISTERING = _MAINTAINING | {WEBHOOK_MANAGE, ACCESS_MANAGE, AUDIT_READ}
# By the number that Harbor gives them. A limited guest may not see a project's members and logs.
ROLES = {
    1: ("project admin", _ADMINISTERING),
    2: ("developer", SEEING | PULL | PUSH),
    3: ("guest", SEEING | PULL),
    4: ("maintainer", _MAINTAINING),
    5: ("limited guest", PULL | {CATALOG_LIST}),
}
_NUMBERS = {"projectAdmin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limitedGuest": 5}
# Nobody pushes to a project that is a cache of another registry, whatever his role.
_NOT_INTO_A_CACHE = frozenset({CONTENT_WRITE, METADATA_WRITE})
_LDAP, _OIDC = 1, 3
# What a robot needs there for each thing here: all of it, so that nothing is wider.
_ROBOT = (
    (PULL, {("repository", "pull")}),
    (PUSH, {("repository", "push")}),
    (DELETE, {("repository", "delete"), ("artifact", "delete"), ("tag", "delete")}),
    (frozenset({CATALOG_LIST}), {("repository", "list"), ("tag", "list")}),
)
_LAST_SECOND = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class _Project:
    name: str
    number: int | None
    is_public: bool
    is_cache: bool

    @property
    def path(self) -> str:
        return f"{self.name}/*"


def convert(data: object, options: Options) -> Imported:
    """The document of Harbor's answers (docs/migrating.md: `projects`, `members`, `usergroups`,
    `robots`); raises NotImportable where there are no projects."""
    answers = values.answers(data, "projects", what="file of Harbor's answers")
    return _Conversion(answers, options).convert()


class _Conversion:
    def __init__(self, answers: dict[Any, Any], options: Options) -> None:
        self._answers = answers
        self._options = options
        self._draft = Draft(options)
        self._projects: dict[str, _Project] = {}
        self._groups = {
            text: group
            for group in values.objects(answers.get("usergroups"))
            if (text := values.text(group.get("group_name")))
        }

    def convert(self) -> Imported:
        for found in values.objects(self._answers["projects"]):
            if project := self._project(found):
                self._projects[project.name] = project
        for project in self._projects.values():
            self._public(project)
            for member in values.by_name(
                self._answers.get("members"), project.name, project.number
            ):
                self._member(project, member)
        known = {str(key) for it in self._projects.values() for key in (it.name, it.number)}
        for name in values.mapping(self._answers.get("members")):
            if str(name) not in known:
                self._draft.left_out(
                    f"members of {plain(str(name), 80)!r}",
                    "There is no such project in the answers.",
                )
        for robot in values.objects(self._answers.get("robots")):
            self._robot(robot)
        for said in values.mapping(self._answers.get("unread")).values():
            self._draft.left_out(
                "Harbor", plain(values.text(said)), "Ask with an administrator's account."
            )
        self._draft.to_do(
            "system administrators",
            "Harbor's administrators may do everything in it; that is no membership.",
            "Grant them what they should have here, such as owner on the registry.",
        )
        return self._draft.finish()

    def _project(self, found: dict[Any, Any]) -> _Project | None:
        name = values.text(found.get("name"))
        if not names.is_component(name):
            self._draft.left_out(
                f"project {plain(name, 80)!r}", "Its name cannot be part of a repository's path."
            )
            return None
        cached = found.get("registry_id")
        return _Project(
            name,
            values.whole(found.get("project_id")),
            values.is_true(values.mapping(found.get("metadata")).get("public")),
            # Left out, null or 0: of Harbor's own.
            is_cache=cached is not None and cached != 0,
        )

    def _public(self, project: _Project) -> None:
        if not project.is_public:
            return
        reason = f"Harbor: project {project.name} is public"
        self._draft.grant(PUBLIC, PULL, project.path, reason=reason)
        self._draft.narrower(
            f"public project {project.name}",
            "Everybody may pull; that everybody may browse it, too, is not carried over.",
            "Grant reader to teams that should find it by browsing.",
        )

    # Members --------------------------------------------------------------------------------------

    def _member(self, project: _Project, member: dict[Any, Any]) -> None:
        name, sort = values.text(member.get("entity_name")), member.get("entity_type")
        subject = f"{'group' if sort == 'g' else 'member'} {plain(name, 80)!r} of {project.name}"
        number = values.whole(member.get("role_id"))
        if number is None:
            number = _NUMBERS.get(values.text(member.get("role_name")))
        if number not in ROLES or sort not in ("u", "g"):
            shown = plain(values.text(member.get("role_name")) or str(member.get("role_id")), 40)
            self._draft.left_out(
                subject, f"Nothing is known of the role {shown!r} or of such members."
            )
            return
        principal = self._draft.person(name) if sort == "u" else self._group(name)
        if principal is None:
            return
        title, actions = ROLES[number]
        if project.is_cache and actions & _NOT_INTO_A_CACHE:
            self._draft.narrower(
                f"project {project.name}",
                "It is a cache of another registry, to which nobody pushes in Harbor.",
            )
            actions -= _NOT_INTO_A_CACHE
        self._draft.grant(
            principal,
            actions,
            project.path,
            role=_own_role(title, actions, is_cache=project.is_cache),
            reason=f"Harbor: {title} of project {project.name}",
        )

    def _group(self, name: str) -> str | None:
        if not name:
            self._draft.left_out("a group without a name", "There is nothing to know it by.")
            return None
        group = self._groups.get(name, {})
        sort = values.whole(group.get("group_type"))
        shown = {_LDAP: "LDAP group", _OIDC: "OIDC group"}.get(sort or 0, "group")
        team = self._draft.team(name, f"The {shown} {plain(name, 150)} of Harbor")
        # A common name may be that of several groups of a directory; the whole name is not.
        value = values.text(group.get("ldap_group_dn")) if sort == _LDAP else name
        claimed = (
            sort in (_LDAP, _OIDC)
            and bool(self._options.provider)
            and self._draft.claim_rule(team, self._options.provider, self._options.claim, value)
        )
        if not claimed:
            self._draft.to_do(
                f"team {team}",
                f"Who is in the {shown} {plain(name, 80)!r} is not known to Harbor's API.",
                "Add members by hand, or import again with --provider NAME (and --claim) for a"
                " claim rule.",
            )
        elif sort == _LDAP:
            self._draft.to_do(
                f"team {team}",
                f"Its claim rule asks for the group's whole name in the directory, {plain(value, 120)!r}.",
                "See what your sign-on provider sends, and change the rule if it is another form.",
            )
        return f"team:{team}"

    # Robots ---------------------------------------------------------------------------------------

    def _robot(self, robot: dict[Any, Any]) -> None:
        name = values.text(robot.get("name"))
        subject = f"robot {plain(name, 80)!r}"
        if not name:
            self._draft.left_out("a robot without a name", "There is nothing to know it by.")
            return
        ends = robot.get("expires_at", -1)
        if not isinstance(ends, int) or isinstance(ends, bool):
            self._draft.left_out(subject, "When it expires cannot be read.")
            return
        if 0 <= ends <= self._options.now:
            self._draft.left_out(subject, "It has expired.")
            return
        principal = self._draft.machine(
            name,
            f"{name} of Harbor. {values.text(robot.get('description'))}",
            short=name.removeprefix("robot$"),
            disabled=robot.get("disable", False) is not False,
        )
        until = ""
        if 0 < ends < _LAST_SECOND:
            until = datetime.fromtimestamp(ends, UTC).isoformat().replace("+00:00", "Z")
        for permission in values.objects(robot.get("permissions")):
            self._permission(subject, principal, permission, until)

    def _permission(
        self, subject: str, principal: str, permission: dict[Any, Any], until: str
    ) -> None:
        kind, namespace = permission.get("kind"), values.text(permission.get("namespace"))
        allowed, left = _allowed(permission.get("access"))
        if kind != "project":
            self._draft.left_out(
                subject,
                "It has rights on Harbor itself (users, replication, projects), which is no content.",
            )
            return
        if left:
            self._draft.left_out(
                subject,
                f"Nothing here is just like {plain(', '.join(left), 200)} on {plain(namespace, 80)}.",
                "Deleting takes repository, artifact and tag delete there; listing, repository and tag"
                " list.",
            )
        reason = "Harbor: robot account"
        if namespace != "*":
            project = self._projects.get(namespace)
            if project is None:
                self._draft.left_out(subject, f"There is no project {plain(namespace, 80)!r}.")
                return
            actions = allowed - _NOT_INTO_A_CACHE if project.is_cache else allowed
            self._draft.grant(principal, actions, project.path, until=until, reason=reason)
            return
        caches = any(project.is_cache for project in self._projects.values())
        if not caches or CONTENT_WRITE not in allowed:
            self._draft.grant(principal, allowed, "", until=until, reason=reason)
            return
        self._draft.grant(principal, allowed - PUSH, "", until=until, reason=reason)
        for project in self._projects.values():
            if not project.is_cache:
                self._draft.grant(principal, allowed, project.path, until=until, reason=reason)
        self._draft.narrower(
            subject,
            "It may push to all projects that are no caches: those that there are now are named.",
            "Grant the role pusher on projects that come later.",
        )


def _own_role(title: str, actions: frozenset[str], *, is_cache: bool) -> Role | None:
    """The role for administrators and maintainers, whom no built-in one fits."""
    if POLICY_MANAGE not in actions:
        return None
    end = " of a cache" if is_cache else ""
    return Role(
        f"harbor-{title.replace(' ', '-')}{'-of-cache' if is_cache else ''}",
        f"Harbor {title}{end}",
        f"What a {title} of a project{' that is a cache' if is_cache else ''} may do in Harbor.",
        actions,
    )


def _allowed(access: object) -> tuple[frozenset[str], list[str]]:
    """What a robot's access comes to here, and what of it has no equal."""
    held: set[tuple[str, str]] = set()
    denied: set[tuple[str, str]] = set()
    for rule in values.objects(access):
        pair = (values.text(rule.get("resource")), values.text(rule.get("action")))
        effect = rule.get("effect")
        (held if effect in (None, "", "allow") else denied).add(pair)
    held -= denied
    actions: set[str] = set()
    said: set[tuple[str, str]] = set()
    for ours, needed in _ROBOT:
        if needed <= held:
            actions |= ours
            said |= needed
    # Reading what can be pulled is pulling; this is what Harbor's own form adds to each robot.
    if actions >= PULL:
        said |= {("repository", "read"), ("artifact", "read"), ("artifact", "list")}
    return frozenset(actions), sorted(" ".join(pair).strip() for pair in held - said)
