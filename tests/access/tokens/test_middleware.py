"""Token requests are answered before what is for browsers."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation

from access.tokens import middleware


def test_it_answers_the_address_that_the_urls_name() -> None:
    assert reverse("docker-token") == middleware.PATH


def test_it_answers_in_no_language_of_an_earlier_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoken(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(translation.get_language() or "")

    monkeypatch.setattr(middleware, "token", spoken)
    with translation.override("de"):
        answer = client.get(middleware.PATH)
    assert answer.content == b"en"
    assert not answer.cookies
