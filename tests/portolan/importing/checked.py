"""What an import made, as the server reads it: by the code of the governance files itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from access.actions import Action
from access.principals import PUBLIC, Kind, Principal
from access.roles import BUILT_IN
from access.scopes import Scope
from dashboard.governance import document as governance
from dashboard.governance.sections import CLAIM_RULES, GRANTS, MEMBERS, ROLES, SERVICE_PRINCIPALS
from portolan.importing.result import Imported
from portolan.importing.writing import write

_ACTIONS = {role.name: role.actions for role in BUILT_IN}


@dataclass(frozen=True)
class Checked:
    """A document that went through its file."""

    imported: Imported
    text: str
    document: governance.Document

    @property
    def grants(self) -> list[tuple[str, str, str]]:
        return sorted(item.key for item in self.document.of(GRANTS))  # type: ignore[misc]  # three

    @property
    def remarks(self) -> list[tuple[str, str]]:
        return [(one.kind.value, one.subject) for one in self.imported.remarks]

    def reason(self, subject: str) -> str:
        """Why, for the one remark on this."""
        (found,) = [one.reason for one in self.imported.remarks if one.subject == subject]
        return found

    def may(self, principal: str, action: Action, scope: str, *, teams: Iterable[str] = ()) -> bool:
        """What Portolan would answer after an apply; `teams` are those that claims put him into."""
        wanted = Scope.parse(scope)
        return any(
            action in actions and where.contains(wanted)
            for actions, where in self._held(principal, frozenset(teams))
        )

    def _held(
        self, principal: str, teams: frozenset[str]
    ) -> Iterable[tuple[frozenset[Action], Scope]]:
        roles = dict(_ACTIONS)
        for item in self.document.of(ROLES):
            assert item.key[0] not in roles  # never one of the built-in
            roles[item.key[0]] = frozenset(Action.parse(one) for one in item.values["actions"])
        disabled = {
            it.key[0] for it in self.document.of(SERVICE_PRINCIPALS) if it.values["disabled"]
        }
        whom = Principal.parse(principal)
        if whom.kind is Kind.MACHINE and whom.name in disabled:
            return
        reaching = {whom, PUBLIC}
        if whom.kind is Kind.USER:
            member = {it.key[0] for it in self.document.of(MEMBERS) if it.key[1] == whom.name}
            reaching |= {Principal(Kind.TEAM, name) for name in member | teams}
        for item in self.document.of(GRANTS):
            if Principal.parse(item.key[0]) in reaching:
                yield roles[item.key[1]], Scope.parse(item.key[2])

    @property
    def rules(self) -> list[tuple[str, ...]]:
        return sorted(item.key for item in self.document.of(CLAIM_RULES))


def checked(imported: Imported) -> Checked:
    """Fails where the server would not take the document."""
    text = write(imported.document)
    document = governance.parse(text)
    named = {item.key[0] for item in document.of(SERVICE_PRINCIPALS)}
    for principal, role, _scope in (item.key for item in document.of(GRANTS)):
        kind, _colon, name = principal.partition(":")
        assert role in _ACTIONS or role in {item.key[0] for item in document.of(ROLES)}
        assert kind != "sp" or name in named
    return Checked(imported, text, document)
