"""Portus: teams, namespaces and their visibility as grants.

Facts: SUSE/Portus lib/api/entities.rb, app/policies/namespace_policy.rb, app/models/namespace.rb. A
namespace is the first part of a repository's name, and belongs to one team. Its API tells who is in a
team and not as what: without a role, somebody is a viewer here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portolan.importing import names, values
from portolan.importing.names import is_component, plain
from portolan.importing.result import PUBLIC, Draft, Imported, Options
from portolan.importing.roles import PULL, PUSH, SEEING

_ROLES = ("viewer", "contributor", "owner")
_PUSHING = frozenset({"contributor", "owner"})
# `user_permission.push_images.policy` of Portus' configuration; the first is what it comes with.
_POLICIES = ("allow-teams", "allow-personal", "admin-only")
_INTERNAL = "portus"


@dataclass(frozen=True, slots=True)
class _User:
    name: str
    is_bot: bool


@dataclass(frozen=True, slots=True)
class _Team:
    """`viewing` and `pushing` are teams here; the second only where somebody pushes. Bots are in no
    team here, and get grants of their own."""

    viewing: str
    pushing: str
    bots: tuple[tuple[str, bool], ...]


def convert(data: object, options: Options) -> Imported:
    """The document of Portus' answers (docs/migrating.md: `users`, `teams`, `members`, `namespaces`,
    `repositories`, `push_policy`); raises NotImportable without teams and namespaces."""
    answers = values.answers(data, "teams", "namespaces", what="file of Portus' answers")
    return _Conversion(answers, options).convert()


class _Conversion:
    def __init__(self, answers: dict[Any, Any], options: Options) -> None:
        self._answers = answers
        self._draft = Draft(options)
        self._users: dict[int, _User] = {}
        self._owners: dict[int, int] = {}
        self._teams: dict[int, _Team] = {}
        policy = answers.get("push_policy", _POLICIES[0])
        self._policy = policy if policy in _POLICIES else "admin-only"

    def convert(self) -> Imported:
        for user in values.objects(self._answers.get("users")):
            self._user(user)
        for team in values.objects(self._answers["teams"]):
            self._team(team)
        for namespace in values.objects(self._answers["namespaces"]):
            self._namespace(namespace)
        self._common_remarks()
        return self._draft.finish()

    # People -----------------------------------------------------------------------------------------

    def _user(self, user: dict[Any, Any]) -> None:
        number, name = values.whole(user.get("id")), values.text(user.get("username"))
        if number is None or not name or name == _INTERNAL:
            return
        if user.get("enabled") is not True:
            self._draft.left_out(f"user {plain(name, 80)!r}", "The account is off in Portus.")
            return
        if user.get("admin") is True:
            self._draft.to_do(
                f"administrator {plain(name, 80)!r}",
                "Administrators may do everything in Portus; that is no membership.",
                "Grant by hand what the person should have, such as owner on the registry.",
            )
        # A bot is a machine; what is neither yes nor no is treated as a person, who is invited.
        self._users[number] = _User(name, user.get("bot") is True)
        own = values.whole(user.get("namespace_id"))
        if own is not None:
            self._owners[own] = number

    def _bot(self, user: _User) -> str:
        return self._draft.machine(user.name, f"{user.name}, a bot of Portus")

    def _team(self, team: dict[Any, Any]) -> None:
        number, name = values.whole(team.get("id")), values.text(team.get("name"))
        if number is None or not name or number in self._teams:
            return
        members = self._members(name, number)
        people = [(user, role) for user, role in members if not user.is_bot]
        bots = tuple((self._bot(user), role in _PUSHING) for user, role in members if user.is_bot)
        viewing = pushing = ""
        if people:
            description = values.text(team.get("description")) or f"The team {name} of Portus"
            viewing = self._draft.team(f"{number}:viewing", description, short=name)
            self._fill(viewing, people)
        pushers = [(user, role) for user, role in people if role in _PUSHING]
        if pushers and self._policy == "allow-teams":
            pushing = self._draft.team(
                f"{number}:pushing",
                f"Contributors and owners of the team {name} of Portus",
                short=f"{name}-contributors",
            )
            self._fill(pushing, pushers)
        self._teams[number] = _Team(viewing, pushing, bots)

    def _fill(self, team: str, people: list[tuple[_User, str]]) -> None:
        self._draft.whole(team)
        for user, role in people:
            # Owners of a team add and remove its members there, too.
            self._draft.member(team, user.name, maintains=role == "owner")

    def _members(self, team: str, number: int) -> list[tuple[_User, str]]:
        found = []
        has_roles = True
        for member in values.by_name(self._answers.get("members"), number, team):
            # `/teams/ID/members` lists users; what a database tells of memberships has user_id.
            key = member["user_id"] if "user_id" in member else member.get("id")
            user = self._users.get(values.whole(key) or 0)
            if user is None:
                continue
            role = member.get("role")
            has_roles = has_roles and role in _ROLES
            found.append((user, role if isinstance(role, str) and role in _ROLES else "viewer"))
        if not has_roles:
            self._draft.narrower(
                f"team {plain(team, 80)!r}",
                "Portus' API does not tell who is owner or contributor: all are viewers here.",
                "Add “role” to the members in a file (docs/migrating.md), or add people to a team with"
                " pusher.",
            )
        return found

    # Namespaces -------------------------------------------------------------------------------------

    def _namespace(self, namespace: dict[Any, Any]) -> None:
        name = values.text(namespace.get("name"))
        is_global = namespace.get("global") is True
        paths = self._names_in(namespace) if is_global else [f"{name}/*"]
        if not is_global and not is_component(name):
            self._draft.left_out(
                f"namespace {plain(name, 80)!r}", "Its name cannot be part of a repository's path."
            )
            return
        title = "the global namespace" if is_global else f"namespace {name}"
        if is_global:
            self._draft.narrower(
                title,
                f"No scope here says “all names without a slash”: {len(paths):,} that are there are"
                " named.",
                "Grant on names that come later.",
            )
        self._visible(title, values.text(namespace.get("visibility")), paths)
        self._belonging(title, namespace, paths)

    def _names_in(self, namespace: dict[Any, Any]) -> list[str]:
        number = values.whole(namespace.get("id"))
        found = values.by_name(self._answers.get("repositories"), number)
        return sorted(
            {name for one in found if names.is_component(name := values.text(one.get("name")))}
        )

    def _visible(self, title: str, visibility: str, paths: list[str]) -> None:
        if visibility == "public":
            for path in paths:
                self._draft.grant(PUBLIC, PULL, path, reason=f"Portus: {title} is public")
            self._draft.narrower(
                f"public {title}" if not title.startswith("the") else title,
                "Everybody may pull; that everybody may browse it, too, is not carried over.",
                "Grant reader to teams that should find it by browsing.",
            )
        elif visibility == "protected":
            self._for_all(title, paths)
        elif visibility != "private":
            self._draft.left_out(
                title, f"Nothing is known of its visibility {plain(visibility, 40)!r}."
            )

    def _for_all(self, title: str, paths: list[str]) -> None:
        """Whoever is signed in may pull: here a team of all who could sign in there."""
        people = [user for user in self._users.values() if not user.is_bot]
        if people and paths:
            team = self._draft.team(
                "all", "Everybody with an account in Portus", short="portus-users"
            )
            self._fill(team, [(user, "viewer") for user in people])
            for path in paths:
                self._draft.grant(
                    f"team:{team}", PULL, path, reason=f"Portus: {title} is protected"
                )
        for user in self._users.values():
            if user.is_bot:
                for path in paths:
                    self._draft.grant(
                        self._bot(user), PULL, path, reason=f"Portus: {title} is protected"
                    )
        self._draft.narrower(
            title,
            "It is for everybody who signs in; here, for those who have an account in Portus now.",
            "Put people who come later into the team portus-users.",
        )

    def _belonging(self, title: str, namespace: dict[Any, Any], paths: list[str]) -> None:
        owner = self._owners.get(values.whole(namespace.get("id")) or 0)
        team = self._teams.get(values.whole(values.mapping(namespace.get("team")).get("id")) or 0)
        reason = f"Portus: {title}"
        for path in paths:
            if team is not None and team.viewing:
                self._draft.grant(f"team:{team.viewing}", SEEING | PULL, path, reason=reason)
            if team is not None and team.pushing:
                self._draft.grant(f"team:{team.pushing}", PULL | PUSH, path, reason=reason)
            for bot, pushes in team.bots if team is not None else ():
                can_push = pushes and self._policy == "allow-teams"
                self._draft.grant(bot, PULL | PUSH if can_push else PULL, path, reason=reason)
            if owner is not None and namespace.get("global") is not True:
                self._own(self._users[owner], path, reason)

    def _own(self, user: _User, path: str, reason: str) -> None:
        principal = self._bot(user) if user.is_bot else self._draft.person(user.name)
        if principal is not None:
            actions = SEEING | PULL | (PUSH if self._policy != "admin-only" else frozenset())
            self._draft.grant(principal, actions, path, reason=f"{reason} is his own")

    # What holds for all -----------------------------------------------------------------------------

    def _common_remarks(self) -> None:
        if "push_policy" not in self._answers:
            self._draft.to_do(
                "who may push",
                "Portus' configuration was not asked: contributors and owners push, as it comes"
                " (push_images.policy: allow-teams).",
                "If yours says otherwise, import again with --push-policy.",
            )
        elif self._answers["push_policy"] not in _POLICIES:
            self._draft.left_out(
                "who may push", "Nothing is known of this push_policy: nobody pushes."
            )
        self._draft.left_out(
            "deleting, webhooks, visibility",
            "What owners may do with these depends on Portus' configuration.",
            "Grant deleter, or a role with webhook manage, to the teams that need it.",
        )
        for said in values.mapping(self._answers.get("unread")).values():
            self._draft.left_out(
                "Portus", plain(values.text(said)), "Ask with an administrator's account."
            )
