"""Exchanging a CI system's token for a machine's short-lived secret (RFC 8693), without a password.

In this order, so that strangers cost us nothing: what the token says of itself is held against the
rules, which asks only our database; if one fits, its issuer's keys verify the token; only then is
anything believed. A token buys one secret: what was spent is kept until nobody could present it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from access import keyring, subjects
from access.events import ExchangeRefused, TokenExchanged
from access.keyring import Issued
from access.models import Secret, ServicePrincipal, SpentToken, TrustRule
from access.tokens import issuers, limits
from access.tokens.assertions import Assertion, NotGenuine, Unreadable, read, verify
from access.tokens.issuers import Issuer, IssuerFailed
from registries.actor import ANONYMOUS, Actor
from registries.events import emit


class Refused(Exception):  # noqa: N818  named for what happened
    """No secret for this token. The text is for whoever sent it, and tells strangers nothing;
    `because` is for the owners' log."""

    def __init__(
        self,
        text: str,
        because: str,
        *,
        assertion: Assertion | None = None,
        rule: TrustRule | None = None,
        is_passing: bool = False,
    ) -> None:
        super().__init__(text)
        self.because = because
        self.assertion = assertion
        self.rule = rule
        # Whether the same token may be taken in a moment: its issuer could not be read.
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A secret that logs in as `username`; `expires_in` is in seconds."""

    text: str = field(repr=False)
    username: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How a rule stands to a token: `miss` is empty if it takes it."""

    rule: TrustRule
    miss: str


# Judging -----------------------------------------------------------------------------------------


def fits(assertion: Assertion, rules: Iterable[TrustRule]) -> list[Fit]:
    """Each rule of this issuer, and why it does not take the token; the best first. Load the rules
    with their machines."""
    of_issuer = [rule for rule in rules if rule.issuer == assertion.issuer]
    judged = [Fit(rule, _miss(assertion, rule)) for rule in of_issuer]
    return sorted(judged, key=_rank)


def find(assertion: Assertion, rules: Iterable[TrustRule], machine: str = "") -> TrustRule:
    """The rule that takes a token which says this; raises Refused. Asks no network.

    Of several rules of one machine it is the one whose subject says most. Those of several machines
    are no choice that could be made here: then the token's sender names his machine.
    """
    judged = fits(assertion, rules)
    if machine:
        judged = [fit for fit in judged if fit.rule.service_principal.name == machine]
    taking = [fit.rule for fit in judged if not fit.miss]
    if not taking:
        near = judged[0] if judged else None
        because = near.miss if near else "no rule for this issuer"
        raise _refused(because, assertion, near.rule if near else None)
    return taking[0]


def prove(assertion: Assertion, rule: TrustRule, *, now: datetime) -> None:
    """Raises Refused unless the rule's issuer signed the token and it holds now."""
    issuer = Issuer(rule.issuer, rule.allow_private, rule.ca_certificate)
    try:
        keys = issuers.STORE.keys(issuer, assertion.key_id)
        verify(assertion, keys, now=now.timestamp())
    except IssuerFailed as error:
        text = _("The issuer of this token could not be asked for its keys. Try again in a moment.")
        raise Refused(text, str(error), assertion=assertion, rule=rule, is_passing=True) from None
    except NotGenuine as error:
        if error.is_signed:  # whoever has it from its issuer may know what is wrong with it
            text = _("This token does not hold: it has expired, or is not valid yet.")
            raise Refused(text, error.because, assertion=assertion, rule=rule) from None
        raise _refused(error.because, assertion, rule) from None


def require_one_machine(
    assertion: Assertion, rule: TrustRule, rules: Sequence[TrustRule], machine: str
) -> None:
    """Raises Refused if a proved token would do for several machines and none was named."""
    taking = {fit.rule.service_principal.name for fit in fits(assertion, rules) if not fit.miss}
    if not machine and len(taking) > 1:
        names = ", ".join(sorted(taking))
        text = _("This token would do for several machines (%s): name one as client_id.") % names
        raise Refused(text, "several machines fit, none named", assertion=assertion, rule=rule)


def _miss(assertion: Assertion, rule: TrustRule) -> str:
    if rule.audience not in assertion.audiences:
        return "another audience"
    if not subjects.matches(rule.subject, assertion.subject):
        return "another subject"
    if rule.disabled_at is not None:
        return "the rule is disabled"
    if rule.service_principal.disabled_at is not None:
        return "the machine is disabled"
    return ""


# The further a rule looked before it said no, the nearer it is to what was meant.
_NEARNESS = (
    "",
    "the machine is disabled",
    "the rule is disabled",
    "another subject",
    "another audience",
)


def _rank(fit: Fit) -> tuple[int, int, str]:
    return _NEARNESS.index(fit.miss), -subjects.said(fit.rule.subject), fit.rule.name


# Exchanging --------------------------------------------------------------------------------------


def exchange(text: str, *, machine: str = "", address: str | None = None) -> Exchanged:
    """A secret for this token, of the machine that it is trusted for. Raises Refused, which the
    audit log has then."""
    now = timezone.now()
    try:
        return _exchange(text, machine, now)
    except Refused as refusal:
        _tell(refusal, address, now)
        raise


def forget_spent(at: datetime) -> int:
    """Delete what is kept of tokens that have expired; returns how many."""
    deleted, _by_model = SpentToken.objects.filter(until__lte=at).delete()
    return deleted


def _exchange(text: str, machine: str, now: datetime) -> Exchanged:
    try:
        assertion = read(text)
    except Unreadable as error:
        raise Refused(str(error), "no token of a CI system") from None
    rules = list(
        TrustRule.objects.filter(issuer=assertion.issuer).select_related("service_principal")
    )
    rule = find(assertion, rules, machine)
    prove(assertion, rule, now=now)
    require_one_machine(assertion, rule, rules, machine)
    return _issue(assertion, rule, now)


@transaction.atomic(durable=True)
def _issue(assertion: Assertion, rule: TrustRule, now: datetime) -> Exchanged:
    """Asking the issuer took time: the rule and the machine are judged once more as they are now,
    and cannot change until the secret is there."""
    held = _held(rule)
    if held is None or _terms(held) != _terms(rule):
        raise _refused("the rule was changed in this moment", assertion, rule)
    if miss := _miss(assertion, held):
        raise _refused(miss, assertion, held)
    _spend(assertion, held)
    machine = held.service_principal
    actor = Actor("service_principal", str(machine.pk), machine.name)
    issued = _secret(held, machine, now, actor)
    TrustRule.objects.filter(pk=held.pk).update(last_used_at=now)
    expires = issued.secret.expires_at
    until = expires.isoformat() if expires else ""
    event = TokenExchanged(
        "", now, held.name, machine.name, assertion.subject, issued.secret.key_id, until
    )
    emit([event], actor=actor)
    return Exchanged(issued.text, machine.name, held.lifetime_minutes * 60)


def _held(rule: TrustRule) -> TrustRule | None:
    """The rule and its machine as they are now, locked in the order of `access.trust_rules`."""
    machines = ServicePrincipal.objects.select_for_update(no_key=True)
    machine = machines.filter(pk=rule.service_principal_id).first()
    held = TrustRule.objects.select_for_update().filter(pk=rule.pk).first()
    if machine is None or held is None:
        return None
    held.service_principal = machine
    return held


def _secret(rule: TrustRule, machine: ServicePrincipal, now: datetime, actor: Actor) -> Issued:
    return keyring.add(
        Secret.Kind.EXCHANGED,
        service_principal=machine,
        label=rule.name,
        expires_at=now + timedelta(minutes=rule.lifetime_minutes),
        told=False,  # as a part of TokenExchanged
        actor=actor,
    )


def _terms(rule: TrustRule) -> tuple[object, ...]:
    return (rule.issuer, rule.allow_private, rule.ca_certificate)


def _spend(assertion: Assertion, rule: TrustRule) -> None:
    """Two who present the same token at once take turns at its row: the second one finds it."""
    until = datetime.fromtimestamp(assertion.until, UTC)
    _spent, is_new = SpentToken.objects.get_or_create(
        digest=assertion.digest, defaults={"until": until}
    )
    if not is_new:
        text = _("This token was exchanged already: it is good for one secret. Ask for a new one.")
        raise Refused(text, "it was exchanged already", assertion=assertion, rule=rule)


def _refused(because: str, assertion: Assertion, rule: TrustRule | None) -> Refused:
    text = _(
        "This token is not accepted here: no trust rule takes it, or its issuer did not sign it."
        " Whoever keeps the machine finds the reason in Portolan's audit log."
    )
    return Refused(text, because, assertion=assertion, rule=rule)


def _tell(refusal: Refused, address: str | None, now: datetime) -> None:
    rule, assertion = refusal.rule, refusal.assertion
    issuer, subject = (assertion.issuer, assertion.subject) if assertion else ("", "")
    name = rule.name if rule else ""
    # Also where a rule was near: nobody has proved yet who comes.
    what = f"{name} {subject} {refusal.because}"
    if not limits.is_worth_an_entry(address, what, by_stranger=True):
        return
    machine = rule.service_principal.name if rule else ""
    with transaction.atomic():
        event = ExchangeRefused(
            "", now, name, machine, issuer[:255], subject[:512], refusal.because
        )
        emit([event], actor=ANONYMOUS)
