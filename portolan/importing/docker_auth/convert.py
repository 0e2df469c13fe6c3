"""The document of a configuration: accounts, everybody, and groups, each with what it may."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from portolan.importing import roles
from portolan.importing.docker_auth import granting, meaning
from portolan.importing.docker_auth.granting import Found
from portolan.importing.docker_auth.meaning import TooTangled
from portolan.importing.docker_auth.rules import Config, Rule, read
from portolan.importing.docker_auth.subjects import Judged, Names, Place, Subject, judge
from portolan.importing.names import is_repository, plain
from portolan.importing.result import PUBLIC, Draft, Imported, Options

_LITERAL = re.compile(r"[^*?\[\]\\/${}]+")
_OURS = {"pull": roles.PULL, "push": roles.PUSH, "delete": roles.DELETE}
_NAMED = 5


def convert(data: object, options: Options) -> Imported:
    """The document of a configuration's values (of its YAML); raises NotImportable for what is none.
    `options.repositories` are names that are there, for rules that no scope says."""
    return _Conversion(read(data), options).convert()


@dataclass
class _Lost:
    """What of a rule is not carried over, for whom, and a name that shows it."""

    actions: set[str] = field(default_factory=set)
    example: str = ""
    who: list[str] = field(default_factory=list)


class _Conversion:
    def __init__(self, config: Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._draft = Draft(options)
        self._repositories = [
            name for name in dict.fromkeys(options.repositories) if is_repository(name)
        ]
        self._place = Place("repository", options.service, options.deep)
        # Most accounts have the rules of many others.
        self._found: dict[tuple[tuple[int, bool, Names], ...], Found] = {}
        self._lost: dict[Rule, _Lost] = {}
        self._perhaps: dict[Rule, str] = {}

    def convert(self) -> Imported:
        accounts = self._accounts()
        for name, subject in accounts.items():
            self._account(name, subject)
        if self._config.takes_anybody:
            self._everybody(accounts)
        if not self._config.is_closed:
            self._groups()
        self._tell()
        return self._draft.finish()

    def _accounts(self) -> dict[str, Subject]:
        """Those that are known by name; in other files and directories there may be more."""
        found = {name: Subject(name, labels) for name, labels in self._config.users.items()}
        for rule in self._config.rules:
            name = rule.account or ""
            if name in found or not _LITERAL.fullmatch(name):
                continue
            if self._config.is_closed:
                self._draft.left_out(
                    f"account {plain(name, 80)!r}",
                    "Rules name it, but it is not among the users: it cannot sign in there.",
                )
            else:
                found[name] = Subject(name, knows_labels=False)
        return found

    # Subjects -------------------------------------------------------------------------------------

    def _account(self, name: str, subject: Subject) -> None:
        found = self._look(subject, name)
        if not found.granted:
            return
        principal: str | None
        if name in self._options.machines:
            principal = self._draft.machine(name, f"{name} of docker_auth")
        else:
            principal = self._draft.person(name)
        if principal is not None:
            self._grant(principal, found.granted, lists=self._lists(subject))

    def _everybody(self, accounts: dict[str, Subject]) -> None:
        """Here the public is everybody, signed in or not: what not every account has, it has not."""
        nobody = Subject("")
        if self._config.is_closed:
            granted = self._find(self._judged(nobody), nobody, "").granted
            for subject in accounts.values():
                granted = self._meet(granted, self._judged(subject))
        else:
            many = self._judged(Subject(None, knows_labels=False))
            granted = self._find(many, Subject(None), "").granted
        pulled = tuple((path, it & {"pull"}) for path, it in granted)
        self._grant(PUBLIC, pulled, lists=False)
        found = self._look(nobody, "whoever does not sign in")
        if any(actions - dict(pulled).get(path, frozenset()) for path, actions in found.granted):
            self._draft.narrower(
                "access without signing in",
                "Here anonymous is everybody, signed in or not, and may only pull: what some account"
                " may not do is not given to it.",
                "Grant puller to anonymous by hand where that is meant.",
            )

    def _meet(self, granted: granting.Granted, rules: list[Judged]) -> granting.Granted:
        met = []
        for path, actions in granted:
            try:
                met.append((path, actions & meaning.everywhere(path, rules)))
            except TooTangled:
                continue
        return tuple(met)

    def _groups(self) -> None:
        """Labels that come from a directory (groups of LDAP, teams of GitHub) are teams."""
        pairs = {pair for rule in self._config.rules for pair in rule.labels}
        for label, value in sorted(pairs):
            if not _LITERAL.fullmatch(value):
                continue
            subject = Subject(None, {label: (value,)}, knows_labels=False)
            found = self._find(self._judged(subject), subject, f"label {label} {value!r}")
            if not any(actions for _path, actions in found.granted):
                continue
            team = self._draft.team(
                f"{label}={value}", f"Label {label} {value} of docker_auth", short=value
            )
            self._grant(f"team:{team}", found.granted, lists=False)
            provider, claim = self._options.provider, self._options.claim
            if not (provider and self._draft.claim_rule(team, provider, claim, value)):
                self._draft.to_do(
                    f"team {team}",
                    f"Who has the label {plain(label, 40)} {plain(value, 80)!r} is in no file.",
                    "Add members by hand, or import again with --provider NAME (and --claim) for a"
                    " claim rule.",
                )

    # What they may --------------------------------------------------------------------------------

    def _look(self, subject: Subject, who: str) -> Found:
        rules = self._judged(subject)
        for one in rules:
            if not one.is_sure and one.rule.on_repositories:
                self._perhaps.setdefault(one.rule, one.why)
        return self._find(rules, subject, who)

    def _judged(self, subject: Subject) -> list[Judged]:
        judged = (judge(rule, subject, self._place) for rule in self._config.rules)
        return [one for one in judged if one is not None]

    def _find(self, rules: list[Judged], subject: Subject, who: str) -> Found:
        key = tuple((one.rule.number, one.is_sure, one.names) for one in rules)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = granting.find(rules, self._repositories)
        if who:
            for rule, (actions, example) in found.lacking.items():
                lost = self._lost.setdefault(rule, _Lost(example=example))
                lost.actions |= actions
                lost.who.append(who)
        if found.is_tangled:
            self._draft.left_out(
                f"account {plain(subject.account or 'of many', 80)!r}",
                "Its rules tell too many cases apart to say what they come to; some is left out.",
                "Compare by hand.",
            )
        return found

    def _lists(self, subject: Subject) -> bool:
        """Whether it may list the catalog: type registry, name catalog."""
        place = Place("registry", self._options.service)
        given = True
        for rule in self._config.rules:
            one = judge(rule, subject, place)
            if one is not None and one.names.automaton.matches("catalog"):
                given = given and rule.on_catalog
                if one.is_sure:
                    return given
        return False

    def _grant(self, principal: str, granted: granting.Granted, *, lists: bool) -> None:
        for path, words in granted:
            actions: frozenset[str] = frozenset().union(*(_OURS[word] for word in words))
            # There the catalog shows names only, and tags take the right to pull.
            if lists and "pull" in words:
                actions |= {roles.CATALOG_LIST}
            self._draft.grant(principal, actions, path, reason="docker_auth: rules of its ACL")
        if lists and not any(path == "" and "pull" in words for path, words in granted):
            self._draft.narrower(
                f"the catalog for {principal}",
                "Listing all names without pulling all is not said here: names are listed where they"
                " may be pulled.",
                "Grant catalog-lister by hand, if names and tags of all may be seen.",
            )

    # What is not carried over ---------------------------------------------------------------------

    def _tell(self) -> None:
        for rule, lost in self._lost.items():
            self._draft.narrower(rule.subject, self._reason(rule, lost), self._advice(rule))
        for rule, why in self._perhaps.items():
            self._draft.left_out(
                rule.subject, f"It gives nothing here: {why}.", "Grant by hand what is meant."
            )
        if not self._config.is_closed:
            self._draft.to_do(
                f"accounts of {', '.join(self._config.elsewhere)}",
                "Accounts that no rule names are in no file, and got nothing.",
                "Grant to teams what rules without an account, or with a pattern for it, give.",
            )
        for name in self._config.more_rules:
            self._draft.left_out(name, "Its rules are elsewhere; they can only allow more.")
        if self._options.deep:
            self._draft.to_do(
                "--deep", "team/* was taken for all levels below team, as it is here, not for one."
            )

    def _reason(self, rule: Rule, lost: _Lost) -> str:
        words = " and ".join(sorted(lost.actions))
        reason = (
            f"It gives {words} on names such as {lost.example} (to {_listed(lost.who)}), and no"
        )
        reason += " scope here says just that" + (
            ": there * is one level, here all below." if _is_level(rule) else "."
        )
        return reason

    def _advice(self, rule: Rule) -> str:
        if self._options.repositories:
            return "Names that are there now were granted one by one; later ones want a grant."
        deep = " or --deep to take it for all levels" if _is_level(rule) else ""
        return f"Import again with --repositories FILE for the names that there are{deep}."


def _is_level(rule: Rule) -> bool:
    return rule.name is not None and (rule.name == "*" or rule.name.endswith("/*"))


def _listed(who: Sequence[str]) -> str:
    shown = [plain(one, 60) for one in _unique(who)]
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return f"{', '.join(shown[:_NAMED])}{more}"


def _unique(who: Sequence[str]) -> Iterator[str]:
    yield from dict.fromkeys(who)
