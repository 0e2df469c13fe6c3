"""Every address of the product and who may ask for it: a line each way of asking.

A new screen gets its lines here; `test_permissions.py` fails until it has them. A line says what
three people are told, beside a stranger, who is led to the sign-in:

    Line("GET", "/registries/harbour/runs/", needs("registry read"), 403, 200, 404)

`403` is told to who has every right there but that one, `200` to who has that right there and no
other, and `404` to an owner of another registry. What stands in braces is of `ground.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from access.actions import ALL, Action
from access.scopes import EVERYTHING, Scope
from access.secret_owners import ADMIN_ACTIONS

HARBOUR = Scope("harbour")


@dataclass(frozen=True)
class Needs:
    """What opens an address: these actions on this scope. No actions is any right there."""

    actions: frozenset[Action]
    scope: Scope = HARBOUR
    # What has to be had besides, because the action itself judges of it, too.
    besides: frozenset[Action] = frozenset()


@dataclass(frozen=True)
class Maintaining:
    """What is opened by maintaining the team called crew. Without it is one of its members, and
    elsewhere is who maintains another."""


@dataclass(frozen=True)
class Being:
    """Opened by being paula. Without is an owner of everything, and elsewhere somebody else."""


@dataclass(frozen=True)
class SigningIn:
    """Open to whoever is signed in, and shows each what is his: all three are told the same."""


def needs(action: str, scope: Scope = HARBOUR, besides: frozenset[Action] = frozenset()) -> Needs:
    return Needs(frozenset({Action.parse(action)}), scope, besides)


ANYTHING = Needs(frozenset())
MAINTAINING = Maintaining()
BEING_PAULA = Being()
SIGNED_IN = SigningIn()
# On everything; an owner of one registry has it elsewhere, and may not.
MANAGING_ALL = needs("access manage", EVERYTHING)
MANAGING = needs("access manage")
OWNING = needs("access manage", besides=ALL)
KEEPING = needs("webhook manage", besides=frozenset({Action.CONTENT_READ}))
HANDING_OUT = needs("access manage", besides=ADMIN_ACTIONS)


@dataclass(frozen=True)
class Line:
    method: Literal["GET", "POST"]
    address: str
    needs: Needs | Maintaining | Being | SigningIn
    without: int
    granted: int
    elsewhere: int
    data: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def _everybody(method: Literal["GET", "POST"], address: str, status: int = 200) -> Line:
    return Line(method, address, SIGNED_IN, status, status, status)


def _screen(address: str, what: Needs | Maintaining) -> Line:
    return Line("GET", address, what, 403, 200, 404)


def _form(
    address: str, what: Needs | Maintaining, sent: int = 302, **data: object
) -> tuple[Line, Line]:
    """A page with a form, and sending it; empty, a form that needs something is refused with 422."""
    return _screen(address, what), Line("POST", address, what, 403, sent, 404, data)


APP = "/r/harbour/team-a/app"
PULLING = needs("content read")
# Who may delete and may not even list does not know that there is anything.
LOCKING = Needs(frozenset({Action.METADATA_WRITE, Action.CATALOG_LIST}))
DELETING = Needs(frozenset({Action.CONTENT_DELETE, Action.CATALOG_LIST}))
REGISTRIES = "/registries/harbour"
CREW = "/access/teams/crew"
CI = "/access/machines/ci"
DEPLOY = "/access/trust-rules/deploy"
PERSON = "/access/people/{person}"
WEBHOOK = "/webhooks/{webhook}"
ABOUT_PAULA = "who=user:paula&action=content+read"
GIVE_LESS = {"grant": "{grant}", "role": "puller"}

BROWSING = [
    _everybody("GET", "/"),
    _everybody("GET", "/registries/"),
    _everybody("GET", "/api/v1/docs/"),
    _everybody("GET", "/search?q=app"),
    _everybody("GET", "/search/palette?q=app"),
    Line("GET", "/r/harbour/", ANYTHING, 404, 200, 404),
    Line("GET", "/r/harbour/-/namespaces", ANYTHING, 404, 200, 404),
    _screen(APP, PULLING),
    _screen(f"{APP}/-/artifacts", PULLING),
    _screen(f"{APP}/-/activity", PULLING),
    _screen(f"{APP}/-/compare", PULLING),
    _screen(f"{APP}/-/tags/1.0", PULLING),
    _screen(f"{APP}/-/tags/1.0/history", PULLING),
    _screen(f"{APP}/-/manifests/{{digest}}", PULLING),
    _screen(f"{APP}/-/manifests/{{digest}}/raw", PULLING),
    _screen(f"{APP}/-/manifests/{{digest}}/read", PULLING),
    Line("POST", f"{APP}/-/manifests/{{digest}}/read", PULLING, 403, 302, 404),
    # The other registry has the same image: who looks into that one is told of that one.
    Line("GET", "/digests/{digest}", PULLING, 404, 200, 200),
    Line("GET", "/digests/{digest}/held", PULLING, 404, 200, 200),
    Line("GET", "/digests/{start}", PULLING, 404, 302, 302),
]
CHANGING = [
    _screen(f"{APP}/-/untag?tag=1.0", DELETING),
    Line("POST", f"{APP}/-/untag", DELETING, 403, 422, 404),
    *_form(f"{APP}/-/manifests/{{digest}}/delete", DELETING, 422),
    *_form(f"{APP}/-/delete", DELETING, 422),
    *_form(f"{APP}/-/locks", LOCKING, 422),
]
DOCKER = [
    _screen("/r/harbour/-/docker", MANAGING),
    Line("POST", "/r/harbour/-/docker/admin", MANAGING, 403, 302, 404, {"state": "off"}),
    # Who may do it is asked for his password first, and led there.
    Line("GET", "/r/harbour/-/docker/admin/1", HANDING_OUT, 403, 302, 404),
    Line("POST", "/r/harbour/-/docker/admin/1", HANDING_OUT, 403, 302, 404),
]
NOTIFICATIONS = [
    _screen("/r/harbour/-/notifications", needs("registry read")),
    Line("POST", "/r/harbour/-/notifications/secrets", needs("registry manage"), 403, 302, 404),
    *_form("/r/harbour/-/notifications/secrets/{inbound}/remove", needs("registry manage")),
]
_AZURE = Scope("azure")
_MANAGING_AZURE = needs("registry manage", _AZURE)
_VENDOR = "/r/azure/-/vendor"
_HOOK = {"webhook": "portolanazure"}
VENDOR = [
    _screen(_VENDOR, needs("registry read", _AZURE)),
    Line("POST", f"{_VENDOR}/read", _MANAGING_AZURE, 403, 302, 404),
    *_form(f"{_VENDOR}/do/acr-admin-enabled", _MANAGING_AZURE),
    Line("POST", f"{_VENDOR}/webhooks", _MANAGING_AZURE, 403, 302, 404),
    Line("POST", f"{_VENDOR}/webhooks/ping", _MANAGING_AZURE, 403, 302, 404, _HOOK),
    *_form(f"{_VENDOR}/webhooks/remove?webhook=portolanazure", _MANAGING_AZURE),
]
CONNECTING = [
    Line("GET", "/registries/connect/", needs("registry manage", EVERYTHING), 403, 200, 403),
    Line("POST", "/registries/connect/", needs("registry manage", EVERYTHING), 403, 422, 403),
    *_form(f"{REGISTRIES}/edit/", needs("registry manage"), 422),
    *_form(f"{REGISTRIES}/remove/", needs("registry manage"), name="harbour"),
    Line("POST", f"{REGISTRIES}/sync/", needs("registry manage"), 403, 302, 404),
    _screen(f"{REGISTRIES}/runs/", needs("registry read")),
    _screen(f"{REGISTRIES}/runs/{{run}}/", needs("registry read")),
    Line("POST", f"{REGISTRIES}/runs/{{run}}/cancel/", needs("registry manage"), 403, 302, 404),
]
ROLES_AND_GRANTS = [
    _everybody("GET", "/access/"),
    _everybody("GET", "/access/roles/"),
    _everybody("GET", "/access/roles/own-role/"),
    Line("POST", "/access/roles/own-role/", MANAGING_ALL, 403, 422, 403),
    Line("GET", "/access/roles/new/", MANAGING_ALL, 403, 200, 403),
    Line("POST", "/access/roles/new/", MANAGING_ALL, 403, 422, 403),
    Line("GET", "/access/roles/own-role/remove/", MANAGING_ALL, 403, 200, 403),
    Line("POST", "/access/roles/own-role/remove/", MANAGING_ALL, 403, 302, 403),
    # An owner of another registry has such pages, too, with what is his.
    Line("GET", "/access/grants/", MANAGING, 403, 200, 200),
    Line("GET", "/access/grants/new/", MANAGING, 403, 200, 200),
    Line("POST", "/access/grants/new/", MANAGING, 403, 422, 422),
    Line("GET", "/access/grants/revoke/?grant={grant}", MANAGING, 403, 200, 404),
    Line("POST", "/access/grants/revoke/", OWNING, 403, 302, 404, {"grant": "{grant}"}),
    _everybody("GET", "/access/mine/"),
    Line("GET", "/access/of/user:paula/", MANAGING, 403, 200, 200),
    Line("GET", "/access/who/?scope=harbour", MANAGING, 403, 200, 404),
    _everybody("GET", "/access/check/"),
    Line("GET", f"/access/check/?scope=harbour&{ABOUT_PAULA}", MANAGING, 403, 200, 404),
    _everybody("GET", "/access/suggest/scopes/?scope=harbour"),
    Line("GET", "/access/suggest/principals/?principal=user:", MANAGING, 403, 200, 200),
    Line("GET", "/access/unused/", MANAGING, 403, 200, 200),
    Line("POST", "/access/unused/give-less/", OWNING, 403, 302, 404, GIVE_LESS),
]
REQUESTS_AND_REVIEWS = [
    _everybody("GET", "/access/requests/"),
    Line("GET", "/access/requests/new/?scope=harbour", ANYTHING, 404, 200, 404),
    _everybody("POST", "/access/requests/new/", 422),
    # Somebody else's request is there for who answers it, and for nobody else.
    Line("GET", "/access/requests/{request}/", MANAGING, 404, 200, 404),
    Line("POST", "/access/requests/{request}/", MANAGING, 404, 422, 404, {"action": "refuse"}),
    Line("POST", "/access/requests/{request}/withdraw/", MANAGING, 404, 403, 404),
    Line("GET", "/access/reviews/", MANAGING, 403, 200, 200),
    Line("GET", "/access/reviews/new/?scope=harbour", MANAGING, 403, 200, 404),
    Line("POST", "/access/reviews/new/", MANAGING, 403, 422, 422),
    Line("GET", "/access/reviews/{review}/", MANAGING, 403, 200, 404),
    Line("POST", "/access/reviews/{review}/decide/", MANAGING, 403, 302, 404),
    Line("GET", "/access/reviews/{review}/close/", MANAGING, 403, 200, 404),
    Line("POST", "/access/reviews/{review}/close/", MANAGING, 403, 302, 404),
]
MACHINES = [
    _everybody("GET", "/access/machines/"),
    Line("GET", "/access/machines/-/new/", MAINTAINING, 403, 200, 200),
    Line("POST", "/access/machines/-/new/", MAINTAINING, 403, 422, 422),
    Line("GET", f"{CI}/", MAINTAINING, 200, 200, 404),
    *_form(f"{CI}/change/", MAINTAINING, 422),
    Line("POST", f"{CI}/switch/", MAINTAINING, 403, 302, 404),
    # Nobody who manages access in a part sees machines that are no team's of his.
    Line("GET", f"{CI}/remove/", MANAGING_ALL, 404, 200, 404),
    Line("POST", f"{CI}/remove/", MANAGING_ALL, 404, 302, 404),
    # Who may do it is asked for his password first, and led there.
    Line("GET", f"{CI}/secrets/new/", MAINTAINING, 403, 302, 404),
    Line("POST", f"{CI}/secrets/new/", MAINTAINING, 403, 302, 404),
    Line("GET", f"{CI}/secrets/{{key}}/rotate/", MAINTAINING, 403, 302, 404),
    Line("POST", f"{CI}/secrets/{{key}}/rotate/", MAINTAINING, 403, 302, 404),
    *_form(f"{CI}/secrets/{{key}}/end/", MAINTAINING, 422),
    *_form(f"{CI}/secrets/{{key}}/revoke/", MAINTAINING),
]
TRUST = [
    _everybody("GET", "/access/trust-rules/"),
    Line("GET", "/access/trust-rules/-/new/", MAINTAINING, 403, 302, 302),
    Line("POST", "/access/trust-rules/-/new/", MAINTAINING, 403, 302, 302),
    _everybody("GET", "/access/trust-rules/-/try/"),
    _everybody("POST", "/access/trust-rules/-/try/"),
    Line("GET", f"{DEPLOY}/", MAINTAINING, 200, 200, 404),
    Line("GET", f"{DEPLOY}/change/", MAINTAINING, 403, 302, 404),
    Line("POST", f"{DEPLOY}/change/", MAINTAINING, 403, 302, 404),
    Line("POST", f"{DEPLOY}/switch/", MAINTAINING, 403, 302, 404),
    *_form(f"{DEPLOY}/remove/", MAINTAINING),
]
TOKENS = [
    _everybody("GET", "/access/tokens/"),
    _everybody("GET", "/access/tokens/new/", 302),
    _everybody("POST", "/access/tokens/new/", 302),
    Line("GET", "/access/tokens/{token}/revoke/", BEING_PAULA, 200, 200, 404),
    Line("POST", "/access/tokens/{token}/revoke/", BEING_PAULA, 302, 302, 404),
    _everybody("GET", "/access/command/", 302),
    _everybody("POST", "/access/command/", 302),
    _everybody("GET", "/access/credentials/"),
    _everybody("GET", "/access/credentials/rows.csv"),
]
PEOPLE_AND_TEAMS = [
    _everybody("GET", "/profile/"),
    _everybody("POST", "/profile/", 422),
    _everybody("POST", "/profile/sessions/999999/end/", 404),
    Line("GET", "/accounts/email/", SIGNED_IN, 302, 302, 302),
    Line("POST", "/accounts/email/", SIGNED_IN, 302, 302, 302),
    Line("GET", "/accounts/confirm-email/", SIGNED_IN, 302, 302, 302),
    Line("POST", "/accounts/confirm-email/", SIGNED_IN, 302, 302, 302),
    Line("GET", "/accounts/confirm-email/a:key/", SIGNED_IN, 302, 302, 302),
    Line("POST", "/accounts/confirm-email/a:key/", SIGNED_IN, 302, 302, 302),
    Line("GET", "/accounts/password/set/", SIGNED_IN, 302, 302, 302),
    Line("POST", "/accounts/password/set/", SIGNED_IN, 302, 302, 302),
    Line("GET", "/access/people/", MANAGING_ALL, 403, 200, 403),
    Line("GET", "/access/people/invite/", MANAGING_ALL, 403, 302, 403),
    Line("POST", "/access/people/invite/", MANAGING_ALL, 403, 302, 403),
    Line("GET", f"{PERSON}/", MANAGING_ALL, 403, 200, 403),
    Line("POST", f"{PERSON}/", MANAGING_ALL, 403, 422, 403),
    *(
        Line("POST", f"{PERSON}/{what}/", needs("access manage", EVERYTHING, ALL), 403, 302, 403)
        for what in ("link", "off", "on", "sessions/end", "owner", "owner/end", "factors/remove")
    ),
    # Each asks first, and some for the password before that.
    *(
        Line("GET", f"{PERSON}/{what}/", needs("access manage", EVERYTHING, ALL), 403, asks, 403)
        for what, asks in (
            ("off", 200),
            ("sessions/end", 200),
            ("owner", 302),
            ("owner/end", 302),
            ("factors/remove", 302),
        )
    ),
    _everybody("GET", "/access/teams/"),
    Line("GET", "/access/teams/-/new/", MANAGING_ALL, 403, 200, 403),
    Line("POST", "/access/teams/-/new/", MANAGING_ALL, 403, 422, 403),
    Line("GET", f"{CREW}/", MAINTAINING, 200, 200, 404),
    Line("POST", f"{CREW}/", MANAGING_ALL, 404, 302, 404, {"description": "Ours."}),
    Line("GET", f"{CREW}/remove/", MANAGING_ALL, 404, 200, 404),
    Line("POST", f"{CREW}/remove/", MANAGING_ALL, 404, 302, 404),
    Line("POST", f"{CREW}/members/add/", MAINTAINING, 403, 302, 404, {"username": "paula"}),
    Line("POST", f"{CREW}/members/{{member}}/remove/", MAINTAINING, 403, 302, 404),
    Line("POST", f"{CREW}/rules/add/", MANAGING_ALL, 404, 302, 404),
    Line("POST", f"{CREW}/rules/{{rule}}/remove/", MANAGING_ALL, 404, 302, 404),
]
AUDIT = [
    Line("GET", "/audit/", needs("audit read"), 403, 200, 200),
    Line("GET", "/audit/{entry}/", needs("audit read"), 403, 200, 404),
    Line("GET", "/audit/entries.csv", needs("audit read"), 403, 200, 200),
    Line("POST", "/audit/verify/", needs("audit read", EVERYTHING), 403, 302, 403),
]

MIRRORS = [
    _everybody("GET", "/mirrors/"),
    _everybody("GET", "/mirrors/compare/"),
    _everybody("GET", "/mirrors/compare/?source=harbour/team-a/*&target=harbour/copy/*"),
    Line("GET", "/mirrors/new/", needs("registry manage"), 403, 200, 200),
    Line("POST", "/mirrors/new/", needs("registry manage"), 403, 422, 422),
    _screen("/mirrors/{mirror}/", PULLING),
    _screen("/mirrors/{mirror}/health/", PULLING),
    *_form("/mirrors/{mirror}/change/", needs("registry manage"), 422),
    *_form("/mirrors/{mirror}/remove/", needs("registry manage")),
]
FOLLOWING = [
    _everybody("GET", "/profile/following/"),
    _everybody("POST", "/profile/following/add/", 422),
    _everybody("POST", "/profile/following/feed/", 302),
    _everybody("POST", "/profile/following/feed/end/", 302),
    Line("POST", "/profile/following/{follow}/", BEING_PAULA, 404, 302, 404, {"mail": "each"}),
    Line("POST", "/profile/following/{follow}/remove/", BEING_PAULA, 404, 302, 404),
]
WEBHOOKS = [
    Line("GET", "/webhooks/", KEEPING, 403, 200, 200),
    Line("GET", "/webhooks/new/", KEEPING, 403, 200, 200),
    Line("POST", "/webhooks/new/", KEEPING, 403, 422, 422),
    # A webhook is there for who manages it. Who manages none is told so before.
    _screen(f"{WEBHOOK}/", KEEPING),
    *_form(f"{WEBHOOK}/change/", KEEPING, 422),
    *_form(f"{WEBHOOK}/remove/", KEEPING),
    *_form(f"{WEBHOOK}/secret/", KEEPING, 422),
    Line("POST", f"{WEBHOOK}/switch/", KEEPING, 403, 302, 404, {"state": "pause"}),
    Line("POST", f"{WEBHOOK}/ping/", KEEPING, 403, 302, 404),
    Line("POST", f"{WEBHOOK}/again/", KEEPING, 403, 302, 404),
    Line("GET", "/webhooks/preview/", KEEPING, 403, 200, 200),
    _screen(f"{WEBHOOK}/deliveries/{{delivery}}/", KEEPING),
    _screen(f"{WEBHOOK}/deliveries/{{delivery}}/result/", KEEPING),
    Line("POST", f"{WEBHOOK}/deliveries/{{delivery}}/again/", KEEPING, 403, 302, 404),
]

LINES = [
    *BROWSING,
    *CHANGING,
    *DOCKER,
    *NOTIFICATIONS,
    *VENDOR,
    *CONNECTING,
    *ROLES_AND_GRANTS,
    *REQUESTS_AND_REVIEWS,
    *MACHINES,
    *TRUST,
    *TOKENS,
    *PEOPLE_AND_TEAMS,
    *AUDIT,
    *MIRRORS,
    *FOLLOWING,
    *WEBHOOKS,
]

# Judged by something else than a person's rights, and tested where that is.
APART = {
    "feed": "the address is the right",
    "theme": "keeps a cookie, also on the sign-in page",
    "invitation": "the link is the right",
    "first-run": "the link is the right",
    "livez": "for orchestrators",
    "readyz": "for load balancers",
    "docker-token": "docker's own sign-in",
    "token-exchange": "a CI system's token is the right",
    "command-token": "the code and its verifier are the right",
    "jwks": "public keys",
    "notifications-in": "a registry's own secret is the right",
}
# allauth's, by name or by address: each works on the account that is signed in, and on no other.
OF_ALLAUTH = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_email",
    "account_email_verification_sent",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_confirm_login_code",
    "account_confirm_email",
    "account_reset_password_from_key_done",
    "account_reset_password_from_key",
    "account_reset_password_done",
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "mfa_login_webauthn",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "socialaccount_signup",
    "socialaccount_connections",
    "github_login",
    "github_callback",
    "openid_connect_login",
    "openid_connect_callback",
    "usersessions_list",
    "accounts/2fa/recovery-codes/",
    "accounts/2fa/totp/activate/",
    "accounts/oidc/<provider_id>/login/",
    "accounts/oidc/<provider_id>/login/callback/",
    "accounts/social/login/cancelled/",
    "accounts/social/login/error/",
    "accounts/social/signup/",
    "accounts/social/connections/",
}
