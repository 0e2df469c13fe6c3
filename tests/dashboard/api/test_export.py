"""The export of all tags: whole, of one moment, line by line, and of nothing that one may not see."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.db import connection

from access.models import User
from access.scopes import Scope
from dashboard.api.catalog import export
from registries.models import Repository, Tag
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Answer, Api

# It sets what its transaction sees, and so needs one of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def tags(db: None) -> None:
    for name in ("prod", "dev"):
        registry = catalog.registry(name)
        for path in ("team-b/app", "team-a/app"):
            app = catalog.repository(registry, path)
            image = catalog.image(app, pushed_at=catalog.NOON)
            for tag in ("2.0", "1.0"):
                catalog.tag(app, tag, image)
        gone = catalog.repository(registry, "gone/app", missing_since=catalog.NOON)
        catalog.tag(gone, "1.0", catalog.image(gone))


def parts(answer: Answer) -> Iterator[bytes]:
    assert answer.status_code == 200
    return iter(cast("Iterator[bytes]", cast("Any", answer).streaming_content))


def body(answer: Answer) -> str:
    return b"".join(parts(answer)).decode()


def lines(api: Api, **query: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body(api.get("/tags", **query)).splitlines()]


def test_every_tag_has_a_line_in_order(api_owner: Api) -> None:
    found = [(one["registry"], one["repository"], one["tag"]) for one in lines(api_owner)]
    assert found == [
        (registry, path, tag)
        for registry in ("dev", "prod")
        for path in ("team-a/app", "team-b/app")
        for tag in ("1.0", "2.0")
    ]


def test_a_line_says_what_the_tag_points_at(api_owner: Api) -> None:
    (line,) = [one for one in lines(api_owner, registry="dev") if one["repository"][5] == "a"][:1]
    tag = Tag.objects.select_related("artifact__manifest").filter(name="1.0").first()
    assert tag is not None
    assert line == {
        "registry": "dev",
        "repository": "team-a/app",
        "tag": "1.0",
        "digest": tag.artifact.manifest.digest,
        "kind": "image",
        "size": tag.size,
        "dated_at": "2026-11-20T12:00:00.000000Z",
        "dated_by": "built",
        "pushed_at": "2026-11-20T12:00:00.000000Z",
        "pulled_at": None,
    }


def test_csv_has_the_same_under_a_head(api_owner: Api) -> None:
    answer = api_owner.get("/tags", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tags.csv"'
    rows = list(csv.DictReader(io.StringIO(body(answer), newline="")))
    wanted = [
        {name: "" if value is None else str(value) for name, value in line.items()}
        for line in lines(api_owner)
    ]
    assert rows == wanted


def test_nothing_in_csv_runs_as_a_formula(api_owner: Api) -> None:
    """No grammar allows such a path; a row that came by another way is harmless all the same."""
    Repository.objects.filter(path="team-a/app").update(path="=1+1")
    text = body(api_owner.get("/tags", format="csv"))
    assert ",'=1+1," in text


def test_the_parameter_decides_over_the_header(api_owner: Api) -> None:
    for accept in ("*/*", "application/json", "text/csv"):
        answer = api_owner.get("/tags", headers={"Accept": accept}, format="jsonl")
        assert answer.headers["Content-Type"] == "application/jsonl"
    assert api_owner.get("/tags", format="xml").status_code == 400
    refused = api_owner.get("/tags", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")


def test_who_sees_a_part_gets_the_tags_of_that_part(outsider: User) -> None:
    give(outsider, "reader", Scope("prod", "team-a/*"))
    give(outsider, "catalog-lister", Scope("dev"))
    found = lines(Api.of(outsider))
    assert {(one["registry"], one["repository"]) for one in found} == {("prod", "team-a/app")}
    assert lines(Api.of(outsider), registry="dev") == []


def test_an_outsider_gets_no_line(api_outsider: Api) -> None:
    assert body(api_outsider.get("/tags")) == ""
    assert api_outsider.get("/tags", registry="prod").status_code == 404


def test_batches_join_without_a_seam(api_owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines(api_owner)
    monkeypatch.setattr(export, "ROWS_AT_A_TIME", 3)
    assert lines(api_owner) == whole
    assert len(whole) == 8


def test_what_changes_meanwhile_is_not_in_it(
    api_owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even in a registry that is read later: it is all of one moment."""
    monkeypatch.setattr(export, "ROWS_AT_A_TIME", 1)
    left = parts(api_owner.get("/tags"))
    found = [next(left)]

    def delete() -> None:
        Tag.objects.all().delete()
        connection.close()

    other = threading.Thread(target=delete)
    other.start()
    other.join()
    found += left
    assert len(found) == 8
    assert not Tag.objects.exists()
