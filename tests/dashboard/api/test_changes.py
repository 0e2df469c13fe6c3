"""Deleting and locking by the API: said first, done by the registry, and kept in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from access.models import AuditEntry, ServicePrincipal, User
from access.scopes import Scope
from registries.models import Repository
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.fakes import content
from tests.fakes.acr import FakeAcr
from tests.fakes.misbehaviour import answers, path_has
from tests.registries.changing.ground import PATH, names, seen, synced

pytestmark = pytest.mark.django_db
HERE = f"/registries/harbour/repositories/{PATH}"
TAGS = f"{HERE}/-/tags"


@pytest.fixture
def acr(db: None) -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        yield fake


@pytest.fixture
def repository(acr: FakeAcr) -> Repository:
    return synced(acr, "acr")


def events() -> list[tuple[str, str]]:
    found = AuditEntry.objects.exclude(event__contains="secret").order_by("number")
    return list(found.values_list("event", "actor_label"))


# Tags -------------------------------------------------------------------------------------------


def test_a_tag_is_taken_away_and_the_log_says_by_whom(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    before = len(events())
    assert api_owner.delete(f"{TAGS}/2.0").status_code == 204
    assert names(repository) == set(acr.repositories[PATH].tags) == {"1.0", "1.0.1"}
    assert ("tag taken away", "anna") in events()[before:]


def test_a_dry_run_tells_and_changes_nothing(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    plan = api_owner.ask("DELETE", f"{TAGS}/2.0?dry_run=true").json()
    assert (plan["is_offered"], plan["tags"], plan["manifests"]) == (True, ["2.0"], 0)
    assert not acr.requests
    assert "2.0" in names(repository)


def test_a_tag_that_moved_since_it_was_seen_stays(repository: Repository, api_owner: Api) -> None:
    other = seen(repository, "1.0")["1.0"]
    refused = api_owner.ask("DELETE", f"{TAGS}/2.0?digest={other}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    stale = api_owner.delete(f"{TAGS}/2.0", headers={"If-Match": '"stale"'})
    assert stale.status_code == 412
    assert "2.0" in names(repository)


def test_what_the_registry_refuses_is_told_and_kept(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    acr.misbehave(path_has("/_tags/2.0", method="DELETE"), answers(403))
    refused = api_owner.delete(f"{TAGS}/2.0")
    assert (refused.status_code, refused.json()["code"]) == (502, "registry_failed")
    assert refused.json()["detail"].endswith(".")
    assert events()[-1][1] == "anna"
    assert "2.0" in names(repository)


def test_many_tags_have_an_outcome_each(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    digests = seen(repository, "1.0", "2.0")
    body: dict[str, Any] = {
        "tags": [
            {"tag": "1.0", "digest": digests["1.0"]},
            {"tag": "1.0.1", "digest": digests["2.0"]},
            {"tag": "2.0", "digest": digests["2.0"]},
        ]
    }
    planned = api_owner.post(f"{HERE}/-/deletions", body | {"dry_run": True}).json()["tags"]
    assert [(one["state"], one["keeps_image"]) for one in planned] == [
        ("planned", True),
        ("moved", None),
        ("planned", True),
    ]
    assert not acr.requests
    done = api_owner.post(f"{HERE}/-/deletions", body).json()["tags"]
    assert [one["state"] for one in done] == ["deleted", "moved", "deleted"]
    assert names(repository) == {"1.0.1"}


@pytest.mark.parametrize(
    "tags",
    [
        [],
        [{"tag": "1.0"}],
        [{"tag": "../x", "digest": f"sha256:{'0' * 64}"}],
        [{"tag": "1.0", "digest": "latest"}],
        [{"tag": f"t{at}", "digest": f"sha256:{'0' * 64}"} for at in range(101)],
    ],
)
def test_nonsense_is_a_sentence_and_asks_the_registry_nothing(
    repository: Repository, acr: FakeAcr, api_owner: Api, tags: list[Any]
) -> None:
    answer = api_owner.post(f"{HERE}/-/deletions", {"tags": tags})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not acr.requests


# Images and repositories ------------------------------------------------------------------------


def test_an_image_goes_with_the_tags_that_are_known(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    address = f"{HERE}/-/manifests/{seen(repository, '1.0')['1.0']}"
    plan = api_owner.ask("DELETE", f"{address}?dry_run=true").json()
    assert (plan["tags"], plan["tag_count"], plan["manifests"]) == (["1.0", "1.0.1"], 2, 1)
    refused = api_owner.delete(address)
    assert refused.status_code == 422
    assert "Meanwhile 2 tags point at it" in refused.json()["detail"]
    assert not acr.requests
    assert api_owner.ask("DELETE", f"{address}?seen_tags=2").status_code == 204
    assert names(repository) == {"2.0"}
    assert ("image deleted", "anna") in events()


def test_an_image_goes_with_the_very_tags_that_a_dry_run_told(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    digests = seen(repository, "1.0", "2.0")
    address = f"{HERE}/-/manifests/{digests['2.0']}"
    plan = api_owner.ask("DELETE", f"{address}?dry_run=true").json()
    other = f"{HERE}/-/manifests/{digests['1.0']}?seen_tags=2&seen={plan['seen']}"
    refused = api_owner.delete(other)
    assert (refused.status_code, acr.requests) == (422, [])
    assert "Meanwhile other tags point at it" in refused.json()["detail"]
    acr.push(PATH, content.image("new"), "production")
    refused = api_owner.delete(f"{address}?seen_tags=1&seen={plan['seen']}")
    assert refused.status_code == 422
    assert "(production)" in refused.json()["detail"]
    plan = api_owner.ask("DELETE", f"{address}?dry_run=true").json()
    assert plan["tags"] == ["2.0", "production"]
    assert api_owner.delete(f"{address}?seen_tags=2&seen={plan['seen']}").status_code == 204
    assert names(repository) == {"1.0", "1.0.1"}


def test_an_index_that_would_break_is_named_and_keeps_its_image(api_owner: Api) -> None:
    app = catalog.repository(catalog.registry("harbour", kind="acr"), PATH)
    image = catalog.image(app)
    index = catalog.index(app, [image])
    address = f"{HERE}/-/manifests/{image.manifest.digest}"
    assert api_owner.ask("DELETE", f"{address}?dry_run=true").json()["indexes"] == [
        index.manifest.digest
    ]
    refused = api_owner.delete(address)
    assert refused.status_code == 422
    assert "An index holds it" in refused.json()["detail"]


def test_a_repository_goes_once_it_was_named_twice(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    plan = api_owner.ask("DELETE", f"{HERE}?dry_run=true").json()
    assert (plan["tag_count"], plan["manifests"]) == (3, 2)
    assert api_owner.delete(HERE).json()["errors"][0]["field"] == "confirm"
    assert api_owner.ask("DELETE", f"{HERE}?confirm=team").status_code == 400
    assert not acr.requests
    assert api_owner.ask("DELETE", f"{HERE}?confirm={PATH}").status_code == 204
    assert PATH not in acr.repositories
    assert ("repository deleted", "anna") in events()


def test_what_a_kind_does_not_offer_is_said_so(api_owner: Api) -> None:
    catalog.repository(catalog.registry("harbour"), PATH)
    refused = api_owner.ask("DELETE", f"{HERE}?confirm={PATH}")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_offered")


def test_who_may_read_may_not_delete_and_is_told_what_he_lacks(
    repository: Repository, acr: FakeAcr, api_viewer: Api
) -> None:
    digest = seen(repository, "1.0")["1.0"]
    body = {"tags": [{"tag": "1.0", "digest": digest}]}
    for refused in (
        api_viewer.delete(f"{TAGS}/1.0"),
        api_viewer.delete(HERE),
        api_viewer.delete(f"{HERE}/-/manifests/{digest}"),
        api_viewer.post(f"{HERE}/-/deletions", body),
    ):
        assert (refused.status_code, refused.json()["action"]) == (403, "content delete")
    assert not acr.requests


def test_a_machine_deletes_under_its_own_name(
    repository: Repository, machine: ServicePrincipal
) -> None:
    grant = give(User.objects.create_user("x"), "contributor", Scope("harbour"))
    grant.user, grant.service_principal = None, machine
    grant.save()
    assert Api.of(machine).delete(f"{TAGS}/2.0").status_code == 204
    assert ("tag taken away", "ci") in events()
    assert "2.0" not in names(repository)


# Locks ------------------------------------------------------------------------------------------


def test_locks_are_set_one_by_one(repository: Repository, acr: FakeAcr, api_owner: Api) -> None:
    address = f"{HERE}/-/locks?tag=1.0"
    shown = api_owner.ask("GET", address)
    assert shown.json()["delete"] is False
    match = {"If-Match": shown.headers["ETag"]}
    answer = api_owner.ask("PATCH", address, {"delete": True, "read": False}, match)
    assert (answer.json()["delete"], answer.json()["write"]) == (True, False)
    assert api_owner.ask("PATCH", address, {"write": True}).json()["delete"] is True
    assert api_owner.ask("PATCH", address, {"write": False}, match).status_code == 412
    assert api_owner.get(f"{TAGS}/1.0").json()["locks"] == ["delete", "write"]
    assert ("locks changed", "anna") in events()
    assert len(acr.locks) == 1


def test_those_of_a_repository_are_asked_of_the_registry(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    acr.lock(PATH, deleteEnabled=False)
    assert api_owner.get(f"{HERE}/-/locks").json()["delete"] is True
    assert api_owner.get(HERE).json()["locks"] == ["delete"]
    digest = seen(repository, "1.0")["1.0"]
    assert api_owner.get(f"{HERE}/-/locks", digest=digest).json()["delete"] is False


def test_a_registry_that_fails_keeps_the_locks(
    repository: Repository, acr: FakeAcr, api_owner: Api
) -> None:
    acr.misbehave(path_has("", method="PATCH"), answers(403))
    refused = api_owner.ask("PATCH", f"{HERE}/-/locks?tag=1.0", {"delete": True})
    assert (refused.status_code, refused.json()["code"]) == (502, "registry_failed")
    assert api_owner.get(f"{TAGS}/1.0").json()["locks"] == []


@pytest.mark.usefixtures("repository")
def test_bad_locks_are_refused(api_owner: Api) -> None:
    digest = f"sha256:{'0' * 64}"
    assert api_owner.get(f"{HERE}/-/locks", tag="1.0", digest=digest).status_code == 400
    assert api_owner.get(f"{HERE}/-/locks", tag="absent").status_code == 404
    answer = api_owner.ask("PATCH", f"{HERE}/-/locks?tag=1.0", {"deleted": True})
    assert "“delete”" in answer.json()["detail"]
