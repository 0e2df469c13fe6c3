"""Single sign-on, with a real provider in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from access.accounts import SignOn
from access.models import AuditEntry, ClaimRule, Grant, Membership, Role, Team, User
from registries.models import Registry
from tests import catalog
from tests.cast import PASSWORD
from tests.fakes.oidc_provider import ID, OidcProvider, oidc_provider

pytestmark = pytest.mark.django_db(transaction=True)
NINA = {
    "email": "nina@example.com",
    "email_verified": True,
    "preferred_username": "nina",
    "given_name": "Nina",
    "groups": ["devs"],
}


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with oidc_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: OidcProvider, settings: Settings) -> OidcProvider:
    settings.SOCIALACCOUNT_PROVIDERS = running.settings()
    settings.SIGNUP_DOMAINS = ["example.com"]
    return running


@pytest.fixture
def harbour(db: None) -> Registry:
    registry = catalog.registry("harbour")
    catalog.repository(registry, "team/app")
    team = Team.objects.create(name="platform")
    Grant.objects.create(team=team, role=Role.objects.get(name="reader"), registry=registry)
    ClaimRule.objects.create(provider=ID, claim="groups", value="devs", team=team)
    return registry


def is_in(browser: Client) -> bool:
    return browser.get("/").status_code == 200


def test_a_colleague_comes_in_and_gets_an_account(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    assert provider.sign_in(browser, "n-1").headers["Location"] == "/"
    assert is_in(browser)
    user = User.objects.get()
    assert (user.username, user.email, user.first_name) == ("nina", "nina@example.com", "Nina")
    assert not user.has_usable_password()
    assert not user.is_superuser
    assert not user.is_staff
    entry = AuditEntry.objects.filter(event="signed in").latest("number")
    assert entry.new == {"user": "nina", "method": ID}


def test_the_second_time_it_is_the_same_account(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    provider.sign_in(Client(), "n-1")
    provider.say("n-1", **NINA, name="Nina Other")
    provider.sign_in(Client(), "n-1")
    assert User.objects.count() == 1


def test_a_leaver_of_a_group_loses_the_repository(
    provider: OidcProvider, harbour: Registry
) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    provider.sign_in(browser, "n-1")
    assert browser.get("/r/harbour/team/app").status_code == 200
    membership = Membership.objects.get()
    assert (membership.source, membership.provider) == ("claim", ID)

    provider.say("n-1", **{**NINA, "groups": ["others"]})
    provider.sign_in(browser, "n-1")
    assert is_in(browser)
    assert browser.get("/r/harbour/team/app").status_code == 404
    assert not Membership.objects.exists()
    assert AuditEntry.objects.filter(event="member removed").exists()


@pytest.mark.parametrize(
    "said",
    [
        {"email": "nina@elsewhere.org"},
        {"email": "nina@sub.example.com"},
        {"email": "nina@example.com@elsewhere.org"},
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": None},
        {"email": None},
    ],
)
def test_only_verified_addresses_of_a_domain_come_in(
    provider: OidcProvider, said: dict[str, object]
) -> None:
    provider.say("n-2", **{**NINA, **said})
    browser = Client()
    page = provider.sign_in(browser, "n-2").content.decode()
    assert "There is no sign-up" in page
    assert not User.objects.exists()
    assert not is_in(browser)
    entry = AuditEntry.objects.latest("number")
    assert entry.event == "sign in failed"
    assert entry.new is not None
    assert entry.new["account"].endswith(f" through {ID}")


def test_sign_up_is_closed_unless_a_domain_is_let_in(
    provider: OidcProvider, settings: Settings
) -> None:
    settings.SIGNUP_DOMAINS = []
    provider.say("n-1", **NINA)
    assert "There is no sign-up" in provider.sign_in(Client(), "n-1").content.decode()
    assert not User.objects.exists()


def test_an_operator_may_vouch_for_a_providers_addresses(
    provider: OidcProvider, settings: Settings
) -> None:
    """Entra ID of one's own tenant verifies addresses, and does not say so."""
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(verified_email=True)
    provider.say("n-1", **{**NINA, "email_verified": None})
    browser = Client()
    provider.sign_in(browser, "n-1")
    assert is_in(browser)


def test_an_address_takes_no_account_over(provider: OidcProvider, owner: User) -> None:
    provider.say("mallory", **{**NINA, "email": "Anna@example.com"})
    browser = Client()
    answer = provider.sign_in(browser, "mallory")
    assert answer.status_code == 409
    assert "connect Harbourmaster on your profile" in answer.content.decode()
    assert not is_in(browser)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_somebody_connects_his_account_himself(provider: OidcProvider, viewer: User) -> None:
    provider.say("v-1", email="viktor@elsewhere.org", groups=[])
    browser = Client()
    browser.post("/accounts/login/", {"login": "viktor", "password": PASSWORD})
    asked = provider.sign_in(browser, "v-1", "?process=connect")
    assert (
        asked.headers["Location"] == "/accounts/reauthenticate/"
    )  # a stolen session is not enough
    assert not SocialAccount.objects.exists()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert SocialAccount.objects.get().user == viewer
    assert AuditEntry.objects.latest("number").new == {"user": "viktor", "sign-on": ID}

    other = Client()
    provider.sign_in(other, "v-1")
    assert other.get("/").context["user"] == viewer
    viewer.refresh_from_db()
    assert viewer.email == "viktor@example.com"


def test_anothers_connected_account_is_not_taken(
    provider: OidcProvider, viewer: User, owner: User
) -> None:
    SocialAccount.objects.create(user=owner, provider=ID, uid="o-1")
    provider.say("o-1", email="anna@example.com")
    browser = Client()
    browser.post("/accounts/login/", {"login": "viktor", "password": PASSWORD})
    provider.sign_in(browser, "o-1", "?process=connect")
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert SocialAccount.objects.get().user == owner


def test_a_user_name_that_somebody_has_is_not_taken(provider: OidcProvider, owner: User) -> None:
    provider.say("n-1", **{**NINA, "preferred_username": "anna"})
    provider.sign_in(Client(), "n-1")
    assert set(User.objects.values_list("is_superuser", flat=True)) == {True, False}
    assert User.objects.get(email="nina@example.com").username != "anna"


def test_somebody_deactivated_does_not_come_in(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    provider.sign_in(Client(), "n-1")
    User.objects.update(is_active=False)
    browser = Client()
    provider.sign_in(browser, "n-1")
    assert not is_in(browser)
    assert AuditEntry.objects.latest("number").new == {"account": f"nina through {ID}"}


def test_turning_back_at_the_provider_is_no_error(provider: OidcProvider) -> None:
    answer = provider.sign_in(Client(), None)
    assert answer.headers["Location"] == "/accounts/3rdparty/login/cancelled/"


def test_one_is_not_sent_to_another_host(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    for query in ("?next=https://evil.example/", "?process=redirect&next=//evil.example/"):
        browser = Client()
        assert provider.sign_in(browser, "n-1", query).headers["Location"] == "/"


def test_one_lands_where_one_wanted_to_go(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    assert provider.sign_in(Client(), "n-1", "?next=/search").headers["Location"] == "/search"


def test_an_answer_for_another_browser_is_not_taken(provider: OidcProvider) -> None:
    """Or somebody could be signed in as somebody else by a link (login CSRF)."""
    provider.say("n-1", **NINA)
    mallory, victim = Client(), Client()
    address = provider.come_back_from(provider.leave_for(mallory), "n-1")
    assert "did not work" in victim.get(address).content.decode()
    assert not is_in(victim)


def test_an_answer_is_taken_once(provider: OidcProvider) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    address = provider.come_back_from(provider.leave_for(browser), "n-1")
    browser.get(address)
    browser.post("/accounts/logout/")
    browser.get(address)
    assert not is_in(browser)


def test_an_answer_for_somebody_else_does_not_fit_into_ones_own_way(
    provider: OidcProvider,
) -> None:
    """A code that was caught, put beside a `state` of one's own. This provider does not judge PKCE;
    the nonce in the ID token tells."""
    provider.say("n-1", **NINA)
    victim, mallory = Client(), Client()
    caught = provider.come_back_from(provider.leave_for(victim), "n-1")
    own = parse_qs(urlsplit(provider.leave_for(mallory)).query)["state"][0]
    code = parse_qs(urlsplit(caught).query)["code"][0]
    callback = urlsplit(caught).path
    answer = mallory.get(f"{callback}?{urlencode({'code': code, 'state': own})}")
    assert "did not work" in answer.content.decode()
    assert not is_in(mallory)


@pytest.mark.parametrize("state", ["", "forged", None])
def test_an_answer_without_the_state_that_was_given_is_refused(
    provider: OidcProvider, state: str | None
) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    address = urlsplit(provider.come_back_from(provider.leave_for(browser), "n-1"))
    query = {"code": parse_qs(address.query)["code"][0]}
    if state is not None:
        query["state"] = state
    answer = browser.get(f"{address.path}?{urlencode(query)}")
    assert "did not work" in answer.content.decode()
    assert not is_in(browser)


def test_a_failed_return_is_in_the_log_and_the_same_only_once_a_minute(
    provider: OidcProvider,
) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    address = urlsplit(provider.come_back_from(provider.leave_for(browser), "n-1"))
    before = AuditEntry.objects.count()
    for _time in range(3):
        browser.get(f"{address.path}?code=made-up&state=forged")
    (entry,) = AuditEntry.objects.order_by("number")[before:]
    assert entry.event == "sign in failed"
    assert entry.new == {"account": f"somebody through {ID}"}
    # Turning back is no failure.
    provider.sign_in(browser, None)
    assert AuditEntry.objects.count() == before + 1


def test_a_token_of_another_issuer_is_refused(provider: OidcProvider, settings: Settings) -> None:
    other = {"issuer": "https://sso.example.org"}
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(openid_configuration_overrides=other)
    provider.say("n-1", **NINA)
    browser = Client()
    assert "did not work" in provider.sign_in(browser, "n-1").content.decode()
    assert not is_in(browser)
    assert not User.objects.exists()


def test_the_same_subject_at_two_providers_is_two_people(
    provider: OidcProvider, settings: Settings, harbour: Registry
) -> None:
    with oidc_provider("customs") as customs:
        apps = [one.settings()["openid_connect"]["APPS"][0] for one in (provider, customs)]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}
        page = Client().get("/accounts/login/").content.decode()
        assert f"/accounts/oidc/{ID}/login/" in page
        assert "/accounts/oidc/customs/login/" in page
        provider.say("1", **NINA)
        customs.say("1", **NINA | {"email": "carl@example.com", "preferred_username": "carl"})
        ninas, carls = Client(), Client()
        provider.sign_in(ninas, "1")
        customs.sign_in(carls, "1")
    assert ninas.get("/").context["user"].username == "nina"
    assert carls.get("/").context["user"].username == "carl"
    # The same group, but of a provider that no rule names.
    assert [it.user.username for it in Membership.objects.select_related("user")] == ["nina"]
    # A code of the one is no code of the other.
    assert set(SocialAccount.objects.values_list("provider", "uid")) == {
        (ID, "1"),
        ("customs", "1"),
    }


def test_a_leaver_keeps_what_a_person_gave_him(provider: OidcProvider, harbour: Registry) -> None:
    provider.say("n-1", **NINA)
    browser = Client()
    provider.sign_in(browser, "n-1")
    crew = Team.objects.create(name="crew")
    Membership.objects.create(team=crew, user=User.objects.get(), source="manual")
    provider.say("n-1", **{**NINA, "groups": None})
    provider.sign_in(browser, "n-1")
    assert [it.team for it in Membership.objects.select_related("team")] == [crew]


def test_leaving_for_the_provider_takes_a_click_and_the_answer_is_bound_to_it(
    provider: OidcProvider,
) -> None:
    browser = Client()
    assert browser.get(f"/accounts/oidc/{ID}/login/").status_code == 200
    assert Client(enforce_csrf_checks=True).post(f"/accounts/oidc/{ID}/login/").status_code == 403
    address = provider.leave_for(browser)
    assert "code_challenge_method=S256" in address
    assert "state=" in address


def test_a_provider_that_is_down_is_a_page_that_says_so(
    provider: OidcProvider, settings: Settings
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings(server_url="http://127.0.0.1:9")
    answer = Client().post(f"/accounts/oidc/{ID}/login/")
    assert answer.status_code == 502
    assert "did not work" in answer.content.decode()


def test_an_unknown_provider_is_not_there(provider: OidcProvider) -> None:
    assert Client().get("/accounts/oidc/nobody/login/").status_code == 404
    assert Client().get("/accounts/oidc/nobody/login/callback/").status_code == 404


def test_userinfo_of_another_person_is_refused() -> None:
    """OpenID Connect Core 5.3.2: its `sub` must be the ID token's."""
    account = SimpleNamespace(extra_data={"id_token": {"sub": "a"}, "userinfo": {"sub": "b"}})
    login = SimpleNamespace(account=account, email_addresses=[], is_existing=False)
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(is_authenticated=False)  # type: ignore[assignment]
    with pytest.raises(ImmediateHttpResponse):
        SignOn().pre_social_login(request, login)
