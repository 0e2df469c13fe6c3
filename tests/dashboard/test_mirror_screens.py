"""Mirrors on screen: who keeps them, who sees what of their boards, and how one is read."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from access.models import Role, User
from access.scopes import EVERYTHING, Scope
from registries.models import Mirror, Registry
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.test_visibility import text, words

pytestmark = pytest.mark.django_db
SECRET = "secret-project"
HUB, HARBOUR = Scope("hub"), Scope("harbour")


@pytest.fixture
def mirror(db: None) -> Mirror:
    """hub/library/* and harbour/mirror/*: nginx is there twice, a secret is missing, redis extra."""
    hub, harbour = catalog.registry("hub"), catalog.registry("harbour")
    for registry, path, names in (
        (hub, "library/nginx", ("1.0", "1.1")),
        (hub, f"library/{SECRET}", ("9.9",)),
        (harbour, "mirror/nginx", ("1.0",)),
        (harbour, "mirror/redis", ("7",)),
    ):
        one = catalog.repository(registry, path)
        for name in names:
            catalog.tag(one, name, catalog.image(one))
    return Mirror.objects.create(
        source=hub,
        source_path="library/*",
        target=harbour,
        target_path="mirror/*",
        actor_kind="user",
        actor_label="anna",
    )


def role(user: User, *actions: str) -> str:
    return Role.objects.create(name=f"of-{user}", label="Own", actions=list(actions)).name


def manager(*scopes: Scope) -> Client:
    user = User.objects.create_user("marta")
    name = role(user, "registry read", "registry manage")
    for scope in scopes:
        give(user, name, scope)
    return signed_in(user)


def sent(client: Client, address: str, **data: str) -> int:
    usual = {"source": "hub/library/nginx", "target": "harbour/mirror/nginx"}
    return client.post(address, usual | data).status_code


# Boards ---------------------------------------------------------------------------------------


def test_a_board_sums_up_by_repository_and_lists_tags(as_viewer: Client, mirror: Mirror) -> None:
    board = f"/mirrors/{mirror.pk}/"
    page = text(as_viewer, board)
    assert "library/nginx" in page
    assert "not in the target" in page
    assert "not in the source" in page
    response = as_viewer.get(f"{board}?view=tags")
    rows = {
        f"{shown.source_path}:{shown.row.name}": shown.row.state.value
        for shown in response.context["rows"]
    }
    assert rows == {
        "library/nginx:1.0": "same",
        "library/nginx:1.1": "missing",
        "library/redis:7": "extra",
        f"library/{SECRET}:9.9": "missing",
    }
    listed = response.content.decode()
    assert "/r/hub/library/nginx/-/tags/1.1" in listed
    assert "/r/harbour/mirror/redis/-/tags/7" in listed
    assert "/r/hub/library/redis" not in listed


def test_one_state_and_one_repository_are_asked_for_in_the_address(
    as_viewer: Client, mirror: Mirror
) -> None:
    board = f"/mirrors/{mirror.pk}/"
    for query, wanted in (
        ("?view=tags&state=extra", ["library/redis"]),
        ("?repository=nginx&state=missing", ["library/nginx"]),
        ("?state=missing", ["library/nginx", f"library/{SECRET}"]),
        ("?state=ahead", []),
        ("?repository=nothing", []),
    ):
        rows = as_viewer.get(board + query).context["rows"]
        assert [shown.source_path for shown in rows] == wanted, query
    assert "No tag is in this state" in text(as_viewer, f"{board}?state=ahead")
    assert "Nothing to compare" in text(as_viewer, f"{board}?repository=nothing")


@pytest.mark.parametrize(
    "query", ["?after=forged", "?state=x", "?repository=%00", "?part=zz", "?view=no", "?show=all"]
)
def test_what_is_typed_into_the_address_breaks_nothing(
    as_viewer: Client, mirror: Mirror, query: str
) -> None:
    text(as_viewer, f"/mirrors/{mirror.pk}/{query}")
    text(as_viewer, f"/mirrors/{mirror.pk}/{query}&view=tags")


def test_a_long_board_has_pages(as_viewer: Client, mirror: Mirror) -> None:
    nginx = mirror.source.repositories.get(path="library/nginx")
    for number in range(120):
        catalog.tag(nginx, f"x{number:03}", nginx.artifacts.all()[0])
    address = f"/mirrors/{mirror.pk}/?repository=nginx"
    seen: list[str] = []
    while True:
        page = as_viewer.get(address).context
        seen += [shown.row.name for shown in page["rows"]]
        if not page["page"].next:
            break
        address = f"/mirrors/{mirror.pk}/?{page['page'].next}"
    assert seen == ["1.0", "1.1", *(f"x{number:03}" for number in range(120))]
    before = as_viewer.get(f"/mirrors/{mirror.pk}/?{page['page'].previous}").context["rows"]
    assert [shown.row.name for shown in before] == seen[50:100]


# Who sees what --------------------------------------------------------------------------------


def test_of_a_board_one_sees_and_counts_what_one_sees_at_both_ends(
    mirror: Mirror, outsider: User
) -> None:
    give(outsider, "reader", Scope("hub", "library/nginx"))
    give(outsider, "reader", HARBOUR)
    client = signed_in(outsider)
    for query in ("", "?view=tags", "?state=missing"):
        page = client.get(f"/mirrors/{mirror.pk}/{query}")
        assert SECRET not in page.content.decode()
        assert page.context["board"].total == 2
    glance = words(text(client, f"/mirrors/{mirror.pk}/health/"))
    assert "1 missing" in glance
    assert "of 2 tags" in glance


def test_a_mirror_is_there_for_who_sees_something_at_both_ends(
    mirror: Mirror, outsider: User
) -> None:
    client = signed_in(outsider)
    give(outsider, "reader", HARBOUR)
    give(outsider, "reader", Scope("hub", "elsewhere/*"))
    assert f"/mirrors/{mirror.pk}/" not in text(client, "/mirrors/")
    for what in ("", "health/", "change/", "remove/"):
        text(client, f"/mirrors/{mirror.pk}/{what}", status=404)
    give(outsider, "reader", Scope("hub", "library/nginx"))
    assert f"/mirrors/{mirror.pk}/" in text(client, "/mirrors/")
    text(client, f"/mirrors/{mirror.pk}/")
    text(client, f"/mirrors/{mirror.pk}/change/", status=403)


def test_a_list_may_be_of_one_registry(as_viewer: Client, mirror: Mirror) -> None:
    for name, there in (("hub", True), ("harbour", True), ("pier", False)):
        listed = text(as_viewer, f"/mirrors/?registry={name}")
        assert (f"/mirrors/{mirror.pk}/" in listed) is there


def test_how_it_stands_is_told_at_a_glance(as_viewer: Client, mirror: Mirror) -> None:
    assert f'hx-get="/mirrors/{mirror.pk}/health/"' in text(as_viewer, "/mirrors/")
    glance = words(text(as_viewer, f"/mirrors/{mirror.pk}/health/"))
    assert "2 missing" in glance
    assert "of 4 tags" in glance
    Mirror.objects.update(source_path="library/nginx", target_path="mirror/nginx", tags="1.0")
    assert "all the same" in words(text(as_viewer, f"/mirrors/{mirror.pk}/health/"))
    Mirror.objects.update(tags="nothing")
    assert "nothing to compare" in words(text(as_viewer, f"/mirrors/{mirror.pk}/health/"))


# Kept, changed, removed -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_manages_both_registries_keeps_changes_and_removes(mirror: Mirror) -> None:
    client = manager(HUB, HARBOUR)
    assert sent(client, "/mirrors/new/", tags="1.*") == 302
    made = Mirror.objects.get(tags="1.*")
    assert (made.source_text, made.target_text) == ("hub/library/nginx", "harbour/mirror/nginx")
    assert made.actor_label == "marta"
    assert sent(client, f"/mirrors/{made.pk}/change/", tags="2.*") == 302
    assert Mirror.objects.get(pk=made.pk).tags == "2.*"
    assert "2.*" in text(client, f"/mirrors/{made.pk}/change/")
    assert client.post(f"/mirrors/{made.pk}/remove/").status_code == 302
    assert not Mirror.objects.filter(pk=made.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("one", [HUB, HARBOUR])
def test_who_manages_one_of_them_does_not(mirror: Mirror, one: Scope) -> None:
    client = manager(one)
    give(User.objects.get(username="marta"), "reader")  # sees everything
    assert sent(client, "/mirrors/new/") == 403
    assert sent(client, f"/mirrors/{mirror.pk}/change/") == 403
    assert client.post(f"/mirrors/{mirror.pk}/remove/").status_code == 403
    assert Mirror.objects.get() == mirror
    assert f"/mirrors/{mirror.pk}/change/" not in text(client, f"/mirrors/{mirror.pk}/")


@pytest.mark.django_db(transaction=True)
def test_none_is_led_into_a_registry_that_one_does_not_manage(mirror: Mirror) -> None:
    catalog.registry("pier")
    client = manager(HUB, HARBOUR)
    address = f"/mirrors/{mirror.pk}/change/"
    assert sent(client, address, target="pier/mirror/nginx") == 422  # he knows of none such
    give(User.objects.get(username="marta"), "reader", Scope("pier"))
    assert sent(client, address, target="pier/mirror/nginx") == 403
    assert Mirror.objects.get().target.name == "harbour"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "hub/library/*"}, "what it stands for is the same on both sides"),
        ({"target": "hub/library/nginx"}, "the same place"),
        ({"source": "*"}, "Name the registry"),
        ({"source": "nowhere/x"}, "There is no registry “nowhere”."),
        ({"source": "hub/Library/x"}, "is not a repository name"),
        ({"tags": "a b"}, "is no pattern of tags"),
        ({"source": "hub/library/*", "target": "harbour/mirror/*"}, "compared already"),
    ],
)
def test_what_makes_no_sense_is_said_in_the_form(
    as_owner: Client, mirror: Mirror, data: dict[str, str], said: str
) -> None:
    usual = {"source": "hub/library/nginx", "target": "harbour/mirror/nginx"}
    response = as_owner.post("/mirrors/new/", usual | data)
    assert response.status_code == 422
    assert said in words(response.content.decode())
    assert Mirror.objects.count() == 1


# Compared without being kept ------------------------------------------------------------------


def test_two_places_are_compared_by_their_address_alone(as_viewer: Client, mirror: Mirror) -> None:
    page = text(as_viewer, "/mirrors/compare/?source=hub/library/nginx&target=harbour/mirror/nginx")
    assert "/r/hub/library/nginx/-/tags/1.1" in page
    assert "/mirrors/new/" not in page  # a viewer keeps none
    assert Mirror.objects.count() == 1
    assert 'value="hub/library/nginx"' in text(
        as_viewer, "/mirrors/compare/?source=hub/library/nginx"
    )


def test_who_may_keep_it_is_led_to_that(as_owner: Client, mirror: Mirror) -> None:
    query = "source=hub/library/nginx&target=harbour/mirror/nginx&tags=1.*"
    page = text(as_owner, f"/mirrors/compare/?{query}")
    [link] = re.findall(r'href="(/mirrors/new/[^"]*)"', page)
    form = text(as_owner, link.replace("&amp;", "&"))
    for value in ("hub/library/nginx", "harbour/mirror/nginx", "1.*"):
        assert f'value="{value}"' in form


def test_what_one_may_not_see_is_compared_as_what_is_not_there(
    mirror: Mirror, outsider: User
) -> None:
    give(outsider, "reader", HARBOUR)
    client = signed_in(outsider)
    for source, said in (
        ("hub/library/nginx", "There is no registry “hub”."),
        ("nowhere/library/nginx", "There is no registry “nowhere”."),
    ):
        query = f"source={source}&target=harbour/mirror/nginx"
        assert said in words(text(client, f"/mirrors/compare/?{query}"))
    give(outsider, "reader", Scope("hub", "else/*"))
    query = "target=harbour/mirror/{0}&source=hub/library/{0}"
    pages = [
        words(text(client, f"/mirrors/compare/?{query.format(name)}")).replace(name, "…")
        for name in ("nginx", "nothing")
    ]
    assert "content read" in pages[0]
    assert pages[0] == pages[1]


def test_pages_of_registries_and_repositories_lead_to_comparing(
    as_viewer: Client, mirror: Mirror
) -> None:
    assert 'href="/mirrors/"' in text(as_viewer, "/registries/")
    assert "/mirrors/?registry=hub" in text(as_viewer, "/r/hub/")
    assert "/mirrors/compare/?source=hub/library/*" in text(as_viewer, "/r/hub/?ns=library")
    assert "/mirrors/compare/?source=hub/library/nginx" in text(as_viewer, "/r/hub/library/nginx")


def test_pickers_suggest_for_either_end(as_viewer: Client, mirror: Mirror) -> None:
    for name in ("source", "target"):
        assert "hub/library/*" in text(as_viewer, f"/access/suggest/scopes/?{name}=hub/")


def test_an_empty_list_says_what_a_mirror_is_for(as_viewer: Client, as_owner: Client) -> None:
    assert "/mirrors/compare/" in text(as_viewer, "/mirrors/")
    assert "/mirrors/new/" in text(as_owner, "/mirrors/")


def test_a_registry_that_is_all_of_a_pair_is_compared_whole(
    as_viewer: Client, mirror: Mirror
) -> None:
    Registry.objects.filter(name="harbour").update(synced_at=None)
    response = as_viewer.get("/mirrors/compare/?source=hub&target=harbour")
    rows = response.context["rows"]
    assert {shown.source_path for shown in rows} == {
        "library/nginx",
        f"library/{SECRET}",
        "mirror/nginx",
        "mirror/redis",
    }
    assert "never synced" in response.content.decode()


def test_a_superuser_and_the_grant_of_everything_see_all(
    as_owner: Client, outsider: User, mirror: Mirror
) -> None:
    give(outsider, "reader", EVERYTHING)
    for client in (as_owner, signed_in(outsider)):
        assert client.get(f"/mirrors/{mirror.pk}/").context["board"].total == 4
