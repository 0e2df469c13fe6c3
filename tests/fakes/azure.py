"""Microsoft Entra ID in this process, and Azure's Resource Manager beside it."""

import itertools
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.fakes.registry import FakeRegistry

TENANT = "contoso.onmicrosoft.com"
APPLICATION, SECRET = "11111111-2222-3333-4444-555555555555", "an-application's-secret"
REGISTRY_SCOPE = "https://containerregistry.azure.net/.default"


class FakeEntra(FakeRegistry):
    """Gives tokens to applications it knows; `given` holds what each token is for."""

    def __init__(self) -> None:
        super().__init__()
        self.applications = {APPLICATION: SECRET}
        self.given: dict[str, str] = {}
        self._count = itertools.count()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{tenant}/oauth2/v2.0/token", self._give)]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        return None

    async def _give(self, request: web.Request) -> web.StreamResponse:
        form = {key: values[0] for key, values in parse_qs(await request.text()).items()}
        secret = self.applications.get(form.get("client_id", ""))
        if request.match_info["tenant"] != TENANT:
            return _refused("invalid_request", "AADSTS90002: Tenant not found.")
        if secret is None or form.get("client_secret") != secret:
            return _refused("invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if form.get("grant_type") != "client_credentials" or "scope" not in form:
            return _refused("invalid_request", "AADSTS900144: The body must contain more.")
        token = f"entra-{next(self._count)}"
        self.given[token] = form["scope"]
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3599, "access_token": token}
        )


def _refused(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=401)


SUBSCRIPTION = "99999999-8888-7777-6666-555555555555"
RESOURCE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/harbours"
    "/providers/Microsoft.ContainerRegistry/registries/contoso"
)
MANAGER, MANAGER_SECRET = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "the-manager's-secret"
_ROLES = "/providers/Microsoft.Authorization/roleDefinitions/"
_PULL, _OWNER, _BILLING = "guid-of-acrpull", "guid-of-owner", "guid-of-billing"


class FakeManagement(FakeRegistry):
    """Azure's Resource Manager with one registry; `forbidden` are parts that nobody may read."""

    def __init__(self, entra: FakeEntra) -> None:
        super().__init__()
        self.entra = entra
        self.entra.applications[MANAGER] = MANAGER_SECRET
        self.forbidden: set[str] = set()
        self.admin_user = True
        self.tier = "Premium"
        self.allowed_actions = ["*"]
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.answers_ping_after = 1  # looks at the events until the answer is known
        self._looks = 0

    def routes(self) -> list[web.RouteDef]:
        base = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.ContainerRegistry"
        base += "/registries/{r}"
        return [
            web.get(base, self._registry),
            web.patch(base, self._change),
            web.get(f"{base}/webhooks", self._list_webhooks),
            web.put(f"{base}/webhooks/{{hook}}", self._put_webhook),
            web.delete(f"{base}/webhooks/{{hook}}", self._delete_webhook),
            web.post(f"{base}/webhooks/{{hook}}/ping", self._ping),
            web.post(f"{base}/webhooks/{{hook}}/listEvents", self._events),
            web.get(base + "/{part:.+}", self._part),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.entra.given.get(given) != f"{self.url}/.default":
            return _arm_error(401, "AuthenticationFailed")
        if request.path.partition("?")[0].rpartition("/")[2] in self.forbidden:
            return _arm_error(403, "AuthorizationFailed")
        if not request.path.startswith(RESOURCE) or "api-version" not in request.query:
            return _arm_error(404, "ResourceNotFound")
        return None

    async def _registry(self, _: web.Request) -> web.StreamResponse:
        properties = {
            "loginServer": "contoso.azurecr.io",
            "adminUserEnabled": self.admin_user,
            "anonymousPullEnabled": False,
            "publicNetworkAccess": "Enabled",
        }
        sku = {"name": self.tier, "tier": self.tier}
        return web.json_response(
            {"name": "contoso", "location": "westeurope", "sku": sku, "properties": properties}
        )

    async def _change(self, request: web.Request) -> web.StreamResponse:
        self.admin_user = (await request.json())["properties"]["adminUserEnabled"]
        return await self._registry(request)

    async def _list_webhooks(self, request: web.Request) -> web.StreamResponse:
        """Answer one webhook a page."""
        names = sorted(self.webhooks)
        at = int(request.query.get("$skiptoken", 0))
        page = [self._shown(name) for name in names[at : at + 1]]
        more = f"{self.url}{request.path}?api-version=2023-07-01&$skiptoken={at + 1}"
        return web.json_response({"value": page, "nextLink": more if at + 1 < len(names) else None})

    def _shown(self, name: str) -> dict[str, Any]:
        told = {
            key: value
            for key, value in self.webhooks[name]["properties"].items()
            if key not in ("serviceUri", "customHeaders")
        }
        return {"name": name, "location": "westeurope", "properties": told}

    async def _put_webhook(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["hook"]
        if not (name.isalnum() and 5 <= len(name) <= 50):
            return _arm_error(400, "InvalidName")
        self.webhooks[name] = await request.json()
        return web.json_response(self._shown(name), status=201)

    async def _delete_webhook(self, request: web.Request) -> web.StreamResponse:
        found = self.webhooks.pop(request.match_info["hook"], None)
        return web.Response(status=200 if found else 204)

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["hook"] not in self.webhooks:
            return _arm_error(404, "ResourceNotFound")
        return web.json_response({"id": "event-1"})

    async def _events(self, _: web.Request) -> web.StreamResponse:
        self._looks += 1
        known = self._looks >= self.answers_ping_after
        answered = {"statusCode": "202", "reasonPhrase": "Accepted"} if known else None
        return web.json_response({"value": [{"id": "event-1", "eventResponseMessage": answered}]})

    async def _part(self, request: web.Request) -> web.StreamResponse:
        parts: dict[str, list[dict[str, Any]]] = {
            "listUsages": [
                {"name": "Size", "limit": 500 * 10**9, "currentValue": 10**9, "unit": "Bytes"},
                {"name": "ScopeMaps", "limit": -1, "currentValue": 2, "unit": "Count"},
                {"name": "Webhooks", "limit": 500, "currentValue": 1, "unit": "Count"},
            ],
            "tokens": [_token()],
            "scopeMaps": [_scope_map()],
            "providers/Microsoft.Authorization/roleAssignments": [
                _assignment("a-user", "User", _PULL, RESOURCE),
                _assignment("a-group", "Group", _OWNER, f"/subscriptions/{SUBSCRIPTION}"),
                _assignment("an-accountant", "User", _BILLING, RESOURCE),
            ],
            "providers/Microsoft.Authorization/roleDefinitions": [
                _role(_PULL, "AcrPull", "Microsoft.ContainerRegistry/registries/pull/read"),
                _role(_OWNER, "Owner", "*"),
                _role(_BILLING, "Billing Reader", "Microsoft.Billing/*/read"),
            ],
            "providers/Microsoft.Authorization/permissions": [
                {"actions": self.allowed_actions, "notActions": ["Microsoft.Billing/*"]}
            ],
        }
        return web.json_response({"value": parts[request.match_info["part"]]})


def _token() -> dict[str, Any]:
    return {
        "name": "ci",
        "properties": {
            "status": "enabled",
            "scopeMapId": f"{RESOURCE}/scopeMaps/pushers",
            "credentials": {"passwords": [{"name": "p", "expiry": "2027-01-01T00:00:00Z"}]},
        },
    }


def _scope_map() -> dict[str, Any]:
    actions = [
        "repositories/team-a/*/content/read",
        "repositories/team-a/*/content/write",
        "repositories/tools/metadata/read",
    ]
    # Resource Manager spells ids with other capitals from one answer to the next.
    resource = f"{RESOURCE}/scopemaps/pushers"
    return {"name": "pushers", "id": resource, "properties": {"actions": actions}}


def _role(guid: str, name: str, action: str) -> dict[str, Any]:
    permissions = [{"actions": [action], "dataActions": []}]
    return {"name": guid, "properties": {"roleName": name, "permissions": permissions}}


def _assignment(who: str, kind: str, role: str, scope: str) -> dict[str, Any]:
    given = {"principalId": who, "principalType": kind, "scope": scope, "condition": None}
    return {"name": who, "properties": {**given, "roleDefinitionId": _ROLES + role}}


def _arm_error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "refused"}}, status=status)
