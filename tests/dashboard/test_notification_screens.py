"""The page of a registry's notifications: its setup, its secrets, what came."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import AuditEntry, User
from access.policy import SHELL
from access.scopes import Scope
from registries.actor import SYSTEM
from registries.models import Registry
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.reassured import reassured
from tests.webhooks.inbound.telling import handled, tell
from webhooks.inbound import doors
from webhooks.inbound.secrets import create_secret
from webhooks.inbound.store import store
from webhooks.inbound.told import Misread
from webhooks.models import InboundSecret, Notification

PAGE = "/r/harbour/-/notifications"


@pytest.fixture
def harbour(db: None) -> Registry:
    doors.forget()
    return catalog.registry("harbour")


@pytest.fixture
def as_owner(owner: User) -> Client:
    """The owner, who has just said his password again."""
    return reassured(owner)


def text_of(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "opened"),
    [("gitea", ["Gitea / Forgejo"]), ("distribution", ["Distribution 2.8"]), ("ecr", [])],
)
def test_the_setup_of_the_registrys_own_kind_stands_first_and_open(
    harbour: Registry, as_owner: Client, kind: str, opened: list[str]
) -> None:
    Registry.objects.update(kind=kind)
    folds = re.findall(r'<details class="fold"( open)?><summary>(.*?)</summary>', text_of(as_owner))
    assert [name for is_open, name in folds if is_open] == opened
    assert [name for _, name in folds][: len(opened)] == opened
    assert len(folds) == 10


def test_a_new_secret_is_shown_once_in_the_configuration_that_needs_it(
    harbour: Registry, as_owner: Client
) -> None:
    created = AuditEntry.objects.filter(event="inbound secret created")
    before = set(created.values_list("number", flat=True))  # other tests' stay in the log
    assert "Nothing came yet" in text_of(as_owner)

    answer = as_owner.post(f"{PAGE}/secrets")

    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    secret = answer.context["text"]
    shown = answer.content.decode()
    assert f"Authorization: [&quot;Bearer {secret}&quot;]" in shown
    assert f"/hooks/in/harbour?secret={secret}" in shown
    assert secret not in text_of(as_owner)
    assert secret not in str(InboundSecret.objects.values())
    posted = Client().post(f"/hooks/in/harbour?secret={secret}", b"{}", content_type="text/plain")
    assert posted.status_code == 200
    (entry,) = created.exclude(number__in=before)
    assert (entry.registry, entry.actor_label) == ("harbour", "anna")


def test_a_third_secret_is_not_made_until_one_is_removed(
    harbour: Registry, as_owner: Client
) -> None:
    for status in (201, 201, 302):
        assert as_owner.post(f"{PAGE}/secrets").status_code == status
    assert "Make a second secret" not in text_of(as_owner)
    first = InboundSecret.objects.order_by("created_at")[0]
    assert "never used" in text_of(as_owner, f"{PAGE}/secrets/{first.pk}/remove")
    assert as_owner.post(f"{PAGE}/secrets/{first.pk}/remove").status_code == 302
    assert InboundSecret.objects.count() == 1
    assert AuditEntry.objects.filter(event="inbound secret removed").exists()
    assert as_owner.post(f"{PAGE}/secrets").status_code == 201


def test_what_came_is_shown_with_state_reason_and_how_long_it_took(
    harbour: Registry, as_owner: Client
) -> None:
    told = tell(harbour, "push", "team-a/app", tag="1.0", actor="ci-bot")
    Notification.objects.update(
        state="given up",
        reason="The registry does not answer.",
        tries=8,
        handled_at=told.received_at + timedelta(seconds=2.5),
    )
    shown = text_of(as_owner)
    for part in ("team-a/app:1.0", "ci-bot", "given up", "does not answer", "after 2.5 s"):
        assert part in shown


def test_the_words_of_junk_and_addresses_are_for_who_manages_the_registry(
    harbour: Registry, as_owner: Client, as_viewer: Client
) -> None:
    store(harbour.pk, [(Misread("It is no JSON."), "<script>raw words")], timezone.now())
    tell(harbour, "push", "team-a/app", address="10.9.8.7")
    assert "&lt;script&gt;raw words" in text_of(as_owner)
    assert "10.9.8.7" in text_of(as_owner)
    seen = text_of(as_viewer)
    assert "It is no JSON." in seen
    assert "raw words" not in seen
    assert "10.9.8.7" not in seen
    assert "Make a secret" not in seen


def test_the_list_is_filtered_by_state(harbour: Registry, as_owner: Client) -> None:
    store(harbour.pk, [(Misread("It is no JSON."), "junk")], timezone.now())
    tell(harbour, "push", "team-a/app", tag="1.0")
    junk = text_of(as_owner, f"{PAGE}?state=junk")
    assert "It is no JSON." in junk
    assert "team-a/app:1.0" not in junk
    assert "None is in this state" in text_of(as_owner, f"{PAGE}?state=given up")
    assert "team-a/app:1.0" in text_of(as_owner, f"{PAGE}?state=nonsense")


def test_notifications_of_another_registry_are_not_shown(harbour: Registry, outsider: User) -> None:
    tell(catalog.registry("other"), "push", "team-b/secret", tag="1.0")
    give(outsider, "reader", Scope("harbour"))
    assert "team-b/secret" not in text_of(signed_in(outsider))


def test_a_secret_of_another_registry_is_not_removed_from_here(
    harbour: Registry, as_owner: Client
) -> None:
    other = create_secret(catalog.registry("other"), rights=SHELL, actor=SYSTEM).secret
    assert as_owner.post(f"{PAGE}/secrets/{other.pk}/remove").status_code == 404
    assert InboundSecret.objects.filter(pk=other.pk).exists()


def test_pulls_stand_on_the_pages_of_image_and_repository(
    harbour: Registry, as_owner: Client
) -> None:
    app = catalog.repository(harbour, "team-a/app")
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    for address in ("/r/harbour/team-a/app", "/r/harbour/team-a/app/-/tags/1.0"):
        assert " pull" not in text_of(as_owner, address).split("</h1>")[1].split("</ul>")[0]
    for tag in ("1.0", ""):
        told = tell(
            harbour, "pull", "team-a/app", tag=tag, digest=image.manifest.digest, method="GET"
        )
        handled(told)
    assert "last pull" in text_of(as_owner, "/r/harbour/team-a/app")
    shown = " ".join(text_of(as_owner, "/r/harbour/team-a/app/-/tags/1.0").split())
    assert '<strong><span class="num">2</span></strong> pulls' in shown
    assert '<span class="num">1</span> by this tag' in shown


def test_no_secret_is_made_by_who_did_not_just_say_who_he_is(
    harbour: Registry, owner: User
) -> None:
    stale = signed_in(owner)
    asked = stale.post(f"{PAGE}/secrets")
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not InboundSecret.objects.exists()
    said = stale.post(asked.headers["Location"], {"password": PASSWORD})
    assert said.status_code == 201  # what was asked for is done now
