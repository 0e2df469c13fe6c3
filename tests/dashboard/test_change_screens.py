"""Deleting on screen: what goes is said first, and every tag has its result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from access.models import User
from access.scopes import Scope
from registries.connectors import CONNECTORS
from registries.models import Repository
from tests import catalog
from tests.cast import give, signed_in
from tests.fakes.acr import FakeAcr
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.zot import FakeZot
from tests.registries.changing.ground import PATH, names, seen, synced

pytestmark = pytest.mark.django_db
HERE = f"/r/harbour/{PATH}"
UNTAG = f"{HERE}/-/untag"
GONE = f"{HERE}/-/delete"


@pytest.fixture
def zot(db: None) -> Iterator[FakeZot]:
    with FakeZot() as fake:
        yield fake


@pytest.fixture
def acr(db: None) -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        yield fake


@pytest.fixture
def repository(zot: FakeZot) -> Repository:
    return synced(zot, "zot")


def said(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def sent(client: Client, address: str, status: int = 422, **data: object) -> str:
    response = client.post(address, data, follow=status == 200)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def as_seen(repository: Repository, *tags: str) -> list[str]:
    return [f"{tag}@{digest}" for tag, digest in seen(repository, *tags).items()]


def shown(client: Client, address: str) -> dict[str, Any]:
    """What the page's form would send: the tags and indexes that it showed."""
    fields = re.findall(r'name="(seen|seen_tags)" value="([^"]*)"', said(client, address))
    return dict(fields)


def of_image(repository: Repository, tag: str) -> str:
    return f"{HERE}/-/manifests/{seen(repository, tag)[tag]}/delete"


# Tags -------------------------------------------------------------------------------------------


def test_before_tags_go_it_says_what_becomes_of_their_images(
    as_owner: Client, repository: Repository
) -> None:
    page = said(as_owner, f"{UNTAG}?tag=1.0&tag=2.0")
    assert "Take 2 tags away?" in page
    assert "The image keeps 1 other tag." in page
    assert "No other tag holds the image: zot deletes it, too." in page


def test_tags_go_and_the_list_says_how_many(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    page = sent(as_owner, UNTAG, 200, seen=as_seen(repository, "1.0", "2.0"))
    assert "2 tags were taken away." in page
    assert set(zot.repositories[PATH].tags) == names(repository) == {"1.0.1"}


def test_what_was_refused_is_told_tag_by_tag_and_can_be_tried_again(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    zot.misbehave(path_has("/manifests/1.0.1", method="DELETE"), answers(403))
    page = sent(as_owner, UNTAG, seen=as_seen(repository, "1.0.1", "2.0"))
    assert "1 tag is still there" in page
    assert "1 other was taken away." in page
    assert "does not let this account delete team/api 1.0.1" in page
    assert f'value="1.0.1@{seen(repository, "1.0.1")["1.0.1"]}"' in page
    assert 'value="2.0@' not in page


@pytest.mark.parametrize(
    "nonsense", [[], ["1.0"], ["@"], ["1.0@latest"], ["../x@sha256:" + "0" * 64]]
)
def test_nonsense_is_one_sentence_and_asks_the_registry_nothing(
    as_owner: Client, repository: Repository, zot: FakeZot, nonsense: list[str]
) -> None:
    page = sent(as_owner, UNTAG, seen=nonsense)
    assert "Choose at least one tag." in page or "names no tag" in page
    assert not zot.requests


def test_nobody_gets_lost_for_choosing_nothing(as_owner: Client, repository: Repository) -> None:
    assert "Choose at least one tag." in as_owner.get(UNTAG, follow=True).content.decode()
    said(as_owner, f"{UNTAG}?tag=absent", 404)


def test_more_than_a_hundred_are_refused(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    many = [f"t{number}@sha256:{'0' * 64}" for number in range(101)]
    assert "At most 100 tags" in sent(as_owner, UNTAG, seen=many)
    assert not zot.requests


# Images -----------------------------------------------------------------------------------------


def test_an_image_goes_with_the_tags_that_were_shown(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    address = of_image(repository, "1.0")
    page = said(as_owner, address)
    assert "Delete this image with its 2 tags?" in page
    assert 'name="seen_tags" value="2"' in page
    assert "The image was deleted." in sent(as_owner, address, 200, **shown(as_owner, address))
    assert set(zot.repositories[PATH].tags) == names(repository) == {"2.0"}


def test_other_tags_than_were_shown_are_a_reason_to_look_again(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    address = of_image(repository, "1.0")
    other = shown(as_owner, of_image(repository, "2.0"))
    assert "Meanwhile 2 tags point at it" in sent(as_owner, address, **other)
    for seal in (other["seen"], ""):
        page = sent(as_owner, address, seen_tags=2, seen=seal)
        assert "Meanwhile other tags point at it" in page
    assert not zot.requests


def test_a_tag_that_the_registry_has_besides_is_shown_to_whoever_tries_again(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    address = of_image(repository, "2.0")
    confirmed = shown(as_owner, address)
    zot.repositories[PATH].tags["production"] = seen(repository, "2.0")["2.0"]
    page = sent(as_owner, address, **confirmed)
    assert "1 more tag points at it (production)" in page
    assert "Delete this image with its 2 tags?" in page
    assert "production" in zot.repositories[PATH].tags
    sent(as_owner, address, 200, **shown(as_owner, address))
    assert set(zot.repositories[PATH].tags) == {"1.0", "1.0.1"}


def test_indexes_signatures_and_platforms_are_named_before_an_image_goes(
    as_owner: Client,
) -> None:
    harbour = catalog.registry("harbour")
    app = catalog.repository(harbour, PATH)
    arm = catalog.image(app, platform="linux/arm64")
    index = catalog.index(app, [arm])
    catalog.tag(app, "1.0", index)
    catalog.referrer(app, arm)
    page = said(as_owner, f"{HERE}/-/manifests/{arm.manifest.digest}/delete")
    assert "An index holds it." in page
    assert index.manifest.digest in page
    assert "1 signature, SBOM or the like is about it" in page
    assert "Delete it although an index holds it" in page
    page = said(as_owner, f"{HERE}/-/manifests/{index.manifest.digest}/delete")
    assert "The manifest of its platform stays at the registry" in page
    address = f"{HERE}/-/manifests/{arm.manifest.digest}/delete"
    page = sent(as_owner, address, **shown(as_owner, address))
    assert "multi-platform images that need it would break" in page


def test_what_the_registry_refuses_is_said_with_what_to_do(
    as_owner: Client, repository: Repository, zot: FakeZot
) -> None:
    zot.misbehave(path_has("/manifests/", method="DELETE"), answers(405))
    address = of_image(repository, "2.0")
    page = sent(as_owner, address, **shown(as_owner, address))
    assert "zot does not delete" in page
    assert "2.0" in names(repository)


# Repositories, and what a kind does not offer ----------------------------------------------------


def test_a_kind_that_cannot_says_so_and_offers_what_it_can(
    as_owner: Client, repository: Repository
) -> None:
    page = said(as_owner, GONE)
    assert "zot deletes no repositories by an API." in page
    assert "It deletes images" in page
    assert '<button class="btn btn-danger"' not in page
    assert "do not offer that" in sent(as_owner, GONE, name=PATH)


def test_without_untagging_the_image_with_its_tags_is_offered(as_owner: Client) -> None:
    app = catalog.repository(catalog.registry("harbour"), PATH)
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    page = said(as_owner, f"{UNTAG}?tag=1.0")
    assert "cannot take a tag away and leave what it points at" in page
    assert f"/manifests/{image.manifest.digest}/delete" in page
    assert 'name="tag"' not in said(as_owner, HERE)


def test_a_repository_is_deleted_once_its_name_was_typed(
    as_owner: Client, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitea = CONNECTORS["gitea"]
    monkeypatch.setitem(CONNECTORS, "zot", gitea)
    assert "3</span></strong> tags" in said(as_owner, HERE)
    assert "Type the repository’s name" in sent(as_owner, GONE, name="team/other")
    # This zot has no such API: what it says instead is told.
    assert "Gitea has no" in sent(as_owner, GONE, name=PATH)


# Locks ------------------------------------------------------------------------------------------


@pytest.fixture
def azure(acr: FakeAcr) -> Repository:
    return synced(acr, "acr")


def test_a_tag_is_locked_and_wears_a_badge(as_owner: Client, azure: Repository) -> None:
    address = f"{HERE}/-/locks?tag=1.0"
    assert f'href="{address}"' in said(as_owner, f"{HERE}/-/tags/1.0")
    page = sent(as_owner, address, 200, delete="on", write="on")
    assert "The locks were set." in page
    badge = "The registry refuses: deleting, pushing and moving"
    assert badge in page
    assert badge in said(as_owner, HERE)
    assert 'id="id_delete" checked' in said(as_owner, address)
    assert badge in said(as_owner, f"{UNTAG}?tag=1.0")
    page = said(as_owner, of_image(azure, "1.0"))
    assert "Locks forbid it." in page
    assert "The registry refuses until these are unlocked: 1.0." in page
    sent(as_owner, address, 200)
    assert "The registry refuses" not in said(as_owner, HERE)


def test_a_locked_repository_is_said_to_be_so_before_it_goes(
    as_owner: Client, azure: Repository, acr: FakeAcr
) -> None:
    sent(as_owner, f"{HERE}/-/locks", 200, delete="on")
    assert "A lock forbids it." in said(as_owner, GONE)
    sent(as_owner, GONE, name=PATH)
    assert PATH in acr.repositories
    sent(as_owner, f"{HERE}/-/locks", 200)
    assert "The repository was deleted." in sent(as_owner, GONE, 200, name=PATH)
    assert PATH not in acr.repositories


def test_a_lock_that_the_registry_does_not_take_is_told(
    as_owner: Client, azure: Repository, acr: FakeAcr
) -> None:
    acr.misbehave(path_has("/acr/v1/", method="PATCH"), answers(403))
    page = sent(as_owner, f"{HERE}/-/locks", delete="on")
    assert 'class="banner banner-bad"' in page
    assert "The registry refuses" not in said(as_owner, HERE)


def test_a_kind_without_locks_says_so_and_offers_none(
    as_owner: Client, repository: Repository
) -> None:
    assert "zot has no locks." in said(as_owner, f"{HERE}/-/locks")
    assert "do not offer that" in sent(as_owner, f"{HERE}/-/locks", delete="on")
    assert "/-/locks" not in said(as_owner, HERE)


# Who may ----------------------------------------------------------------------------------------


def test_only_who_may_delete_there_is_offered_it(
    as_viewer: Client, as_owner: Client, outsider: User, repository: Repository
) -> None:
    give(outsider, "deleter", Scope("harbour", "team/other"))
    give(outsider, "reader", Scope("harbour"))
    for client in (as_viewer, signed_in(outsider)):
        page = said(client, HERE)
        assert "/-/untag" not in page
        assert "/-/delete" not in page
    page = said(as_owner, HERE)
    assert 'name="tag" value="1.0"' in page
    assert f'href="{GONE}"' in page
    page = said(as_owner, f"{HERE}/-/tags/1.0")
    assert f'href="{UNTAG}?tag=1.0"' in page
    assert of_image(repository, "1.0") in page


# The vendor's own page ---------------------------------------------------------------------------


def test_a_kind_with_pages_of_its_own_is_opened_from_ours(
    as_viewer: Client, repository: Repository
) -> None:
    link = 'rel="noopener noreferrer" target="_blank"'
    page = said(as_viewer, HERE)
    assert f'href="{repository.registry.url}/image/team%2Fapi" {link}' in page
    assert "Open in zot" in page
    assert "/image/team%2Fapi/tag/1.0" in said(as_viewer, f"{HERE}/-/tags/1.0")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://evil.example/x", None])
def test_no_other_address_than_https_or_its_own_becomes_a_link(
    as_viewer: Client,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    address: str | None,
) -> None:
    monkeypatch.setattr(CONNECTORS["zot"], "web_page", lambda *_, **__: address)
    page = said(as_viewer, HERE)
    assert "Open in" not in page
    assert "evil" not in page
