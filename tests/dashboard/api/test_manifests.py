"""The content of a repository by digest, and two images beside each other."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries import tasks
from registries.models import Artifact, Repository
from tests import catalog
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db
APP = "/registries/prod/repositories/team-a/app"
MANIFESTS = f"{APP}/-/manifests"


@pytest.fixture
def app(db: None) -> Repository:
    return catalog.repository(catalog.registry("prod"), "team-a/app")


def one(api: Api, artifact: Artifact, **query: Any) -> Any:
    answer = api.get(f"{MANIFESTS}/{artifact.manifest.digest}", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


# Lists ------------------------------------------------------------------------------------------


def test_each_digest_has_a_row_with_its_tags(app: Repository, api_owner: Api) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    catalog.tag(app, "latest", image)
    index = catalog.index(app, [image])
    rows = {row["digest"]: row for row in api_owner.get(MANIFESTS).json()["items"]}
    row = rows[image.manifest.digest]
    assert (sorted(row["tags"]), row["tag_count"], row["is_part"]) == (["1.0", "latest"], 2, True)
    assert (row["kind"], row["platforms"]) == ("image", ["linux/amd64"])
    assert rows[index.manifest.digest]["is_part"] is False


def test_untagged_are_those_that_nothing_names(app: Repository, api_owner: Api) -> None:
    tagged, platform, loose = (catalog.image(app, name) for name in ("a", "b", "c"))
    catalog.tag(app, "1.0", tagged)
    catalog.tag(app, "2.0", catalog.index(app, [platform]))
    rows = api_owner.get(MANIFESTS, show="untagged").json()["items"]
    assert [row["digest"] for row in rows] == [loose.manifest.digest]


def test_an_index_that_is_gone_holds_nothing(app: Repository, api_owner: Api) -> None:
    platform = catalog.image(app, "a")
    index = catalog.index(app, [platform])
    index.missing_since = timezone.now()
    index.save()
    (row,) = api_owner.get(MANIFESTS, show="untagged").json()["items"]
    assert (row["digest"], row["is_part"]) == (platform.manifest.digest, False)


def test_they_are_sorted_by_size(app: Repository, api_owner: Api) -> None:
    small = catalog.image(app, "small", layers=[("x", 10, "RUN x")])
    large = catalog.image(app, "large", layers=[("y", 10_000_000, "RUN y")])
    digests = [row["digest"] for row in api_owner.get(MANIFESTS, sort="-size").json()["items"]]
    assert digests == [large.manifest.digest, small.manifest.digest]


def test_a_page_takes_as_many_statements_however_many_rows(
    app: Repository, api_viewer: Api
) -> None:
    counts = []
    for more in (1, 30):
        for at in range(more):
            catalog.tag(app, f"{more}.{at}", catalog.image(app, f"{more} image {at}"))
        with CaptureQueriesContext(connection) as captured:
            api_viewer.get(MANIFESTS)
        counts.append(len(captured))
    assert counts[0] == counts[1]


# One --------------------------------------------------------------------------------------------


def test_an_image_is_shown_with_layers_config_and_what_refers_to_it(
    app: Repository, api_owner: Api
) -> None:
    image = catalog.image(app, annotations={"org.example": "x"}, scan={"high": 2})
    catalog.tag(app, "1.0", image)
    index = catalog.index(app, [image])
    signature = catalog.referrer(app, image)
    shown = one(api_owner, image)
    assert [layer["size"] for layer in shown["layers"]] == [28_231_321, 4_122_090]
    assert shown["layers"][0]["command"].startswith("ADD file:")
    assert shown["config"]["entrypoint"] == "/usr/bin/app"
    assert {"name": "APP", "value": "app", "is_secret": False} in shown["config"]["environment"]
    assert [row["digest"] for row in shown["referrers"]] == [signature.manifest.digest]
    assert shown["indexes"] == [index.manifest.digest]
    assert (shown["tags"], shown["scan"]) == (["1.0"], {"high": 2})
    assert shown["annotations"] == {"org.example": "x"}
    assert one(api_owner, signature)["subject"] == image.manifest.digest


def test_an_index_is_shown_with_one_of_its_platforms(app: Repository, api_owner: Api) -> None:
    amd, arm = (catalog.image(app, platform=f"linux/{name}") for name in ("amd64", "arm64"))
    index = catalog.index(app, [amd, arm])
    shown = one(api_owner, index)
    assert [(row["platform"], row["is_shown"]) for row in shown["platforms"]] == [
        ("linux/amd64", True),
        ("linux/arm64", False),
    ]
    other = one(api_owner, index, platform="linux/arm64")
    assert [row["is_shown"] for row in other["platforms"]] == [False, True]


def test_of_what_only_a_listing_named_no_other_repository_s_document_is_told(
    app: Repository, api_owner: Api
) -> None:
    """Whoever can make a registry list a digest must not read somebody else's image by it."""
    theirs = catalog.image(
        catalog.repository(app.registry, "secret/app"), annotations={"who": "theirs"}
    )
    listed = catalog.present(app, theirs.manifest, details=Artifact.Details.LISTED)
    shown = one(api_owner, listed)
    assert (shown["details"], shown["config"], shown["layers"]) == ("listed", None, [])
    assert (shown["annotations"], shown["created"]) == ({}, None)
    assert api_owner.get(f"{MANIFESTS}/{theirs.manifest.digest}/raw").status_code == 404


def test_a_digest_of_another_repository_is_not_found(app: Repository, api_owner: Api) -> None:
    other = catalog.image(catalog.repository(app.registry, "other"))
    assert api_owner.get(f"{MANIFESTS}/{other.manifest.digest}").status_code == 404


def test_the_very_bytes_come_with_their_own_type(app: Repository, api_owner: Api) -> None:
    image = catalog.image(app)
    address = f"{MANIFESTS}/{image.manifest.digest}/raw"
    answer = api_owner.get(address, headers={"Accept": image.manifest.media_type})
    assert answer.headers["Content-Type"] == image.manifest.media_type
    assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == image.manifest.digest
    assert answer.headers["Docker-Content-Digest"] == image.manifest.digest
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    known = {"If-None-Match": answer.headers["ETag"]}
    assert api_owner.get(address, headers=known).status_code == 304


def test_a_type_that_no_manifest_has_is_not_served_as_one(app: Repository, api_owner: Api) -> None:
    image = catalog.image(app)
    image.manifest.media_type = "text/html"
    image.manifest.save()
    answer = api_owner.get(f"{MANIFESTS}/{image.manifest.digest}/raw")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_listed_document_is_read_when_it_is_asked_for(
    app: Repository, api_viewer: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.read_document, "delay", lambda *args: asked.append(args))
    cache.clear()
    image = catalog.image(app, details=Artifact.Details.LISTED)
    address = f"{MANIFESTS}/{image.manifest.digest}/readings"
    answer = api_viewer.post(address)
    assert (answer.status_code, answer.json()) == (202, {"details": "listed", "problem": ""})
    assert asked[0][1:3] == ("team-a/app", image.manifest.digest)
    Artifact.objects.update(details=Artifact.Details.COMPLETE)
    assert api_viewer.get(address).json()["details"] == "complete"
    assert api_viewer.post(address).status_code == 202
    assert len(asked) == 1


# Two --------------------------------------------------------------------------------------------


def test_two_images_are_compared_by_tag_or_digest(app: Repository, api_owner: Api) -> None:
    before = catalog.image(app, "app", config={"user": "root"})
    extra = (*catalog.BASE_LAYERS, ("new", 500, "RUN more"))
    after = catalog.image(app, "app", layers=extra, config={"user": "1000"})
    catalog.tag(app, "1.0", before)
    query: dict[str, Any] = {"from": "1.0", "to": after.manifest.digest}
    shown = api_owner.get(f"{APP}/-/compare", **query).json()
    assert (shown["added_bytes"], shown["removed_bytes"]) == (500, 0)
    assert [layer["state"] for layer in shown["layers"]] == ["same", "same", "added"]
    assert shown["facts"] == [
        {"name": "USER", "before": "root", "after": "1000", "is_secret": False}
    ]
    assert shown["before"]["digest"] == before.manifest.digest


def test_of_an_image_that_nobody_has_read_no_difference_is_claimed(
    app: Repository, api_owner: Api
) -> None:
    catalog.tag(app, "1.0", catalog.image(app, "app"))
    listed = catalog.image(app, "other")
    Artifact.objects.filter(pk=listed.pk).update(details=Artifact.Details.LISTED)
    query: dict[str, Any] = {"from": "1.0", "to": listed.manifest.digest}
    shown = api_owner.get(f"{APP}/-/compare", **query).json()
    assert (shown["before"]["is_read"], shown["after"]["is_read"]) == (True, False)
    assert {shown[name] for name in ("layers", "facts", "added_bytes", "labels")} == {None}


@pytest.mark.parametrize(
    ("query", "status"), [({"from": "1.0"}, 400), ({"from": "1.0", "to": "absent"}, 404), ({}, 400)]
)
def test_without_two_images_there_is_nothing_to_compare(
    app: Repository, api_owner: Api, query: dict[str, Any], status: int
) -> None:
    catalog.tag(app, "1.0", catalog.image(app))
    assert api_owner.get(f"{APP}/-/compare", **query).status_code == status
