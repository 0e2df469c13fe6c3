"""What a registry's scanner found, on the page of an image and of its repository."""

from __future__ import annotations

import re

import pytest
from django.template import engines
from django.test import Client, RequestFactory

from registries.models import Artifact, Repository
from tests import catalog
from tests.dashboard.test_browsing import text

TEMPLATE = engines["django"].from_string('{% load scans %}{% scan found "Harbor" %}')


def shown(found: object) -> list[str]:
    html = TEMPLATE.render({"found": found}, RequestFactory().get("/"))
    return re.findall(r'<span class="badge[^>]*>([^<]*)</span>', html)


def test_the_worst_comes_first_and_what_is_not_there_is_left_out() -> None:
    found = {"Low": 5, "Critical": 1, "Medium": 0, "High": 12, "Weird": 3}
    assert shown(found) == ["1 critical", "12 high", "5 low", "3 weird"]


@pytest.mark.parametrize("found", [{"High": None}, {"High": "many"}, {"High": -1}])
def test_what_is_no_number_is_not_shown(found: object) -> None:
    assert shown(found) == []


def test_an_image_without_findings_says_so_and_an_unscanned_one_nothing() -> None:
    assert "no known vulnerabilities" in TEMPLATE.render({"found": {}}, RequestFactory().get("/"))
    assert TEMPLATE.render({"found": None}, RequestFactory().get("/")).strip() == ""


@pytest.mark.django_db
def test_pages_tell_what_the_registry_counts(as_viewer: Client) -> None:
    app = catalog.repository(catalog.registry("harbour"), "team-a/app")
    image = catalog.image(app)
    Artifact.objects.update(scan={"Critical": 2})
    Repository.objects.update(pull_count=123)
    html = text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{image.manifest.digest}")
    assert "2 critical" in html
    assert ">123</span></strong> pulls, as the registry counts" in text(
        as_viewer, "/r/harbour/team-a/app"
    )
