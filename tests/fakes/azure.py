"""Microsoft Entra ID in this process, and Azure's Resource Manager beside it."""

import itertools
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
