"""What would become of a CI system's token, for who keeps the rules: nothing is issued or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from access.models import SpentToken, TrustRule
from access.tokens.assertions import Assertion
from access.tokens.exchange import Fit, Refused, find, fits, prove, require_one_machine


@dataclass(frozen=True, slots=True)
class Trial:
    """`rule` is the one that takes the token, or came nearest; `because` is empty for a yes.

    `is_proved` says that its issuer signed it: until then the token's claims are only said.
    """

    assertion: Assertion
    fits: tuple[Fit, ...]
    rule: TrustRule | None
    because: str
    is_proved: bool

    @property
    def holds(self) -> bool:
        return not self.because


def try_out(
    assertion: Assertion, rules: Sequence[TrustRule], *, machine: str = "", now: datetime
) -> Trial:
    """The verdict that `exchange` would reach with these rules alone. It asks an issuer only where
    one of them takes the token, and leaves it good for its one exchange."""
    judged = tuple(fits(assertion, rules))
    proved = False
    rule: TrustRule | None = None
    try:
        rule = find(assertion, rules, machine)
        prove(assertion, rule, now=now)
        proved = True
        require_one_machine(assertion, rule, rules, machine)
    except Refused as refusal:
        return Trial(assertion, judged, refusal.rule or rule, refusal.because, proved)
    spent = SpentToken.objects.filter(digest=assertion.digest).exists()
    return Trial(assertion, judged, rule, "it was exchanged already" if spent else "", proved)
