"""A registry of Azure as its Resource Manager tells of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import connect
from registries.connectors.acr.connector import AcrConnector
from registries.connectors.acr.report import (
    ADMIN_OFF,
    ADMIN_ON,
    answer_to,
    facts_of,
    grants_of_admin,
    grants_of_roles,
    grants_of_tokens,
    offers_of,
    usage_of,
    warnings_of,
    webhook_of,
)
from registries.connectors.reports import NativeGrant, NewWebhook, Report, Usage
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import AuthenticationFailed, NotFound, Unsupported
from tests.fakes.acr import FakeAcr
from tests.fakes.azure import (
    MANAGER,
    MANAGER_SECRET,
    RESOURCE,
    SUBSCRIPTION,
    TENANT,
    FakeEntra,
    FakeManagement,
)
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.oci.asking import connection

T = TypeVar("T")
WANTED = NewWebhook(
    "harbour-1",
    "https://portolan.example/hooks/in/harbour",
    "Bearer hush",
    "https://hush@p.example",
)


@pytest.fixture(scope="module")
def registry() -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        yield fake


@pytest.fixture
def azure() -> Iterator[FakeManagement]:
    with FakeEntra() as entra, FakeManagement(entra) as fake:
        yield fake


@pytest.fixture
def ask(registry: FakeAcr, azure: FakeManagement) -> Callable[..., Any]:
    def use(what: Callable[[AcrConnector], Awaitable[T]], **more: Any) -> T:
        options = {
            "tenant": TENANT,
            "subscription": SUBSCRIPTION,
            "resource_group": "harbours",
            "registry": "contoso",
            "login": azure.entra.url,
            "management": azure.url,
        }
        fields = {
            "username": USERNAME,
            "password": PASSWORD,
            "options": options,
            "api_username": MANAGER,
            "api_secret": MANAGER_SECRET,
        }

        async def run() -> T:
            async with connect("acr", connection(registry, **{**fields, **more})) as connector:
                assert isinstance(connector, AcrConnector)
                return await what(connector)

        return asyncio.run(run())

    return use


def reported(ask: Callable[..., Any], **more: Any) -> Report:
    report = ask(lambda connector: connector.report(), **more)
    assert isinstance(report, Report)
    return report


def test_a_report_tells_tier_place_and_usage_against_limits(ask: Callable[..., Any]) -> None:
    report = reported(ask)
    assert ("Service tier", "Premium") in report.facts
    assert ("Location", "westeurope") in report.facts
    assert report.usage == (
        Usage("Storage", 10**9, 500 * 10**9, "bytes"),
        Usage("Scope maps", 2, None),
        Usage("Webhooks", 1, 500),
    )
    assert report.unread == ()
    assert Report.from_json(report.as_json()) == report


def test_an_admin_user_that_is_on_is_warned_of_and_can_be_switched(
    ask: Callable[..., Any], azure: FakeManagement
) -> None:
    before = reported(ask)
    assert [warning.code for warning in before.warnings] == [ADMIN_ON]
    assert before.offers == (ADMIN_ON,)
    assert ask(lambda connector: connector.remedy(ADMIN_ON)).endswith("off.")
    assert azure.admin_user is False
    after = reported(ask)
    assert (after.warnings, after.offers) == ((), (ADMIN_OFF,))
    ask(lambda connector: connector.remedy(ADMIN_OFF))
    assert azure.admin_user is True


def test_who_has_access_is_roles_tokens_and_the_admin_user(ask: Callable[..., Any]) -> None:
    access = reported(ask).access
    assert [(it.principal, it.role, it.scope, it.actions) for it in access] == [
        ("a-user", "AcrPull", "this registry", ("pull",)),
        (
            "a-group",
            "Owner",
            "the subscription",
            ("pull", "push", "delete", "manage", "give roles"),
        ),
        ("ci", "pushers", "team-a/*", ("content/read", "content/write")),
        ("ci", "pushers", "tools", ("metadata/read",)),
        ("contoso", "admin user", "everything", ("pull", "push", "delete")),
    ]
    token = next(it for it in access if it.principal_kind == "token")
    assert token.ends == "2027-01-01T00:00:00+00:00"


def test_what_may_not_be_read_is_named_and_hides_nothing_else(
    ask: Callable[..., Any], azure: FakeManagement
) -> None:
    azure.forbidden = {"roleAssignments", "tokens"}
    report = reported(ask)
    assert sorted(text.partition(" could")[0] for text in report.unread) == [
        "Role assignments",
        "Tokens",
    ]
    assert report.usage
    assert [it.principal for it in report.access] == ["contoso"]


def test_without_a_credential_that_manages_the_report_says_what_to_give(
    ask: Callable[..., Any], azure: FakeManagement
) -> None:
    report = reported(ask, api_secret=None)
    assert "subscription" in report.unread[0]
    assert azure.requests == []
    with pytest.raises(Unsupported, match="application that may manage"):
        ask(lambda connector: connector.create_webhook(WANTED), api_secret=None)


def test_a_wrong_secret_fails_the_report_in_words(ask: Callable[..., Any]) -> None:
    with pytest.raises(AuthenticationFailed, match="AADSTS7000215"):
        reported(ask, api_secret="wrong")


def test_each_credential_goes_to_its_own_host(
    ask: Callable[..., Any], azure: FakeManagement, registry: FakeAcr
) -> None:
    registry.requests.clear()
    reported(ask)
    assert registry.requests == []  # Azure's tokens never reach the registry
    assert all((it.authorization or "").startswith("Bearer entra-") for it in azure.requests)
    assert len(azure.entra.requests) == 1


def test_the_webhook_that_notifies_is_set_up_pinged_and_removed(
    ask: Callable[..., Any], azure: FakeManagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registries.connectors.acr.resource.PAUSE_SECONDS", 0)
    azure.answers_ping_after = 2
    webhook = ask(lambda connector: connector.create_webhook(WANTED))
    assert (webhook.id, webhook.events) == ("portolanharbour1", ("push", "delete"))
    sent = azure.webhooks["portolanharbour1"]
    assert sent["location"] == "westeurope"
    assert sent["properties"]["serviceUri"] == WANTED.address
    assert sent["properties"]["customHeaders"] == {"Authorization": "Bearer hush"}
    said = ask(lambda connector: connector.ping_webhook(webhook.id))
    assert said == "Azure sent a test notification, which was answered with 202."
    ask(lambda connector: connector.delete_webhook(webhook.id))
    assert azure.webhooks == {}


def test_webhooks_are_listed_over_pages_without_their_secrets(
    ask: Callable[..., Any], azure: FakeManagement
) -> None:
    for name in ("first", "second"):
        azure.webhooks[name] = {
            "properties": {"status": "disabled", "scope": "team-a:*", "actions": ["push"]}
        }
    webhooks = reported(ask).webhooks
    assert [(it.name, it.scope, it.enabled) for it in webhooks] == [
        ("first", "team-a:*", False),
        ("second", "team-a:*", False),
    ]


def test_a_name_that_is_no_webhook_is_not_sent_to_azure(
    ask: Callable[..., Any], azure: FakeManagement
) -> None:
    with pytest.raises(NotFound):
        ask(lambda connector: connector.delete_webhook("../../tokens/ci"))
    assert azure.requests == []


@pytest.mark.parametrize(
    ("actions", "allowed"),
    [(["*"], True), (["Microsoft.ContainerRegistry/registries/*"], True), (["*/read"], False)],
)
def test_whether_webhooks_can_be_set_up_is_read_from_the_roles(
    ask: Callable[..., Any], azure: FakeManagement, actions: list[str], allowed: bool
) -> None:
    azure.allowed_actions = actions
    powers = ask(lambda connector: connector.powers())
    assert {power.name: power.allowed for power in powers}["webhooks"] is allowed


def test_the_portals_page_is_linked_to_where_the_place_in_azure_is_known() -> None:
    options = {"subscription": SUBSCRIPTION, "resource_group": "harbours", "tenant": TENANT}
    known = Connection("https://contoso-a1b2c3.azurecr.io", options=options)
    assert AcrConnector.web_page(known, "app") == (
        f"https://portal.azure.com/#@{TENANT}/resource{RESOURCE}/repository"
    )
    assert AcrConnector.web_page(Connection("https://contoso.azurecr.io"), "app") is None


@pytest.mark.parametrize(
    "wrong",
    [{"subscription": "Pay as you go"}, {"resource_group": "a/../b"}, {"registry": "a/tokens"}],
)
def test_a_place_that_can_be_none_is_refused(wrong: dict[str, str]) -> None:
    options = {"subscription": SUBSCRIPTION, "resource_group": "harbours", **wrong}
    with pytest.raises(InvalidConnection):
        connect("acr", Connection("https://contoso.azurecr.io", options=options))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(("properties", "name", "id", "scope", "credentials", "passwords")),
            inner,
        )
    ),
    max_leaves=6,
)
_OBJECT = st.dictionaries(
    st.sampled_from(("properties", "name", "id", "sku", "limit", "currentValue", "unit")), _JSON
)


@given(_OBJECT, _OBJECT)
def test_whatever_azure_answers_no_parser_breaks(one: dict[str, Any], two: dict[str, Any]) -> None:
    facts_of(one)
    warnings_of(one)
    offers_of(one)
    usage_of([one])
    webhook_of(one)
    grants = (*grants_of_tokens([one], [two]), *grants_of_roles([one], [two]))
    assert all(isinstance(it, NativeGrant) for it in (*grants, *grants_of_admin(one)))
    answer_to("event", [one])
