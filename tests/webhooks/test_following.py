"""What followers are told: what they may see, once where it can be, late where it must be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.conf import settings as settings_of_django
from django.core import mail as outgoing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from access.models import Grant, Role, User
from access.policy import rights_of
from access.scopes import EVERYTHING, Scope
from registries.actor import SYSTEM
from registries.connections import remove_registry
from registries.models import Registry
from tests import catalog
from tests.cast import give
from tests.webhooks import outbox
from webhooks import following, mails, tasks
from webhooks.catalog import Topic
from webhooks.following import follow, follows, set_mail, unfollow
from webhooks.models import Event, Follow, Reader
from webhooks.readable import seen_by, told_to_manager

pytestmark = pytest.mark.django_db(transaction=True)
APP = Scope("harbour", "team-a/app")
TEAM = Scope("harbour", "team-a/*")
EACH, DAILY, NONE = Follow.Mail.EACH, Follow.Mail.DAILY, Follow.Mail.NONE


@pytest.fixture(autouse=True)
def harbour(db: None, settings: Settings) -> Registry:
    settings.EMAIL_CONFIG_SET = True
    return catalog.registry("harbour")


@pytest.fixture
def fiona(outsider: User) -> User:
    """She sees team-a, and has an address."""
    give(outsider, "reader", TEAM)
    return outsider


def sent() -> list[EmailMessage]:
    return list(outgoing.outbox)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


# Following ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [APP, TEAM, Scope("harbour")])
def test_one_follows_what_one_may_know_of(fiona: User, scope: Scope) -> None:
    follow(fiona, scope, mail=NONE)
    assert follows(fiona, scope)


@pytest.mark.parametrize(
    "scope", [Scope("harbour", "team-b/app"), Scope("nowhere"), Scope("elsewhere"), EVERYTHING]
)
def test_what_one_may_not_know_of_is_not_there_to_be_followed(fiona: User, scope: Scope) -> None:
    catalog.registry("elsewhere")
    with pytest.raises(ValidationError):
        follow(fiona, scope, mail=NONE)


def test_following_once_more_changes_the_mail_alone(fiona: User) -> None:
    follow(fiona, APP, mail=NONE)
    follow(fiona, APP, mail=EACH)
    assert Follow.objects.get().mail == "each"
    unfollow(Follow.objects.get())
    assert not follows(fiona, APP)


def test_nobody_follows_without_end(fiona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOWS_LIMIT", 1)
    follow(fiona, APP, mail=NONE)
    with pytest.raises(ValidationError, match="more than 1"):
        follow(fiona, TEAM, mail=NONE)


def test_what_happened_in_an_earlier_registry_of_the_name_is_told_to_who_may_see_all(
    harbour: Registry, outsider: User, owner: User
) -> None:
    granted = {"scope": "harbour/team-a/*"}
    outbox.event()
    outbox.event(Topic.ACCESS_GRANTED, "", registry="", data=granted)
    remove_registry(registry=harbour, actor=SYSTEM)
    catalog.registry("harbour")
    new = [outbox.event(), outbox.event(Topic.ACCESS_GRANTED, "", registry="", data=granted)]
    actions = ["content read", "webhook manage", "access manage"]
    Role.objects.create(name="keeper", label="Keeper", actions=actions)
    give(outsider, "keeper", TEAM)
    rights = rights_of(outsider)

    assert list(following.told_in(outsider, TEAM)) == new[:1]
    assert list(Event.objects.filter(seen_by(rights))) == new[:1]
    assert list(Event.objects.filter(told_to_manager(rights)).order_by("pk")) == new
    assert Event.objects.filter(told_to_manager(rights_of(owner))).count() == 4


# Soon after it happened -----------------------------------------------------------------------


def test_one_mail_tells_all_that_happened_since(fiona: User) -> None:
    outbox.event(tag="before")
    follow(fiona, TEAM, mail=EACH)
    outbox.event(tag="1.0")
    outbox.event(Topic.TAG_DELETED, "team-a/other", tag="2.0")
    outbox.event(repository="team-b/app", tag="3.0")
    outbox.event(Topic.PUSH, tag="4.0")
    assert mails.mail_each(now=timezone.now()) == 1
    (message,) = sent()
    assert message.to == [fiona.email]
    assert message.subject == "[Portolan] 2 changes in 2 repositories"
    text = str(message.body)
    assert "tag 1.0 moved from" in text
    assert "tag 2.0 deleted" in text
    assert "/r/harbour/team-a/app/-/tags/1.0" in text
    assert "/profile/following/" in text
    assert not any(other in text for other in ("before", "3.0", "4.0", "team-b"))
    assert mails.mail_each(now=timezone.now()) == 0
    assert len(sent()) == 1


def test_who_may_list_repositories_only_is_told_of_no_tags(outsider: User) -> None:
    give(outsider, "catalog-lister", Scope("harbour"))
    follow(outsider, TEAM, mail=EACH)
    outbox.event(tag="9.9")
    assert mails.mail_each(now=timezone.now()) == 0
    assert not following.told_in(outsider, TEAM).exists()
    give(outsider, "reader", APP)
    assert following.told_in(fresh(outsider), TEAM).count() == 1


def test_a_single_change_stands_in_the_subject(fiona: User) -> None:
    follow(fiona, APP, mail=EACH)
    outbox.event(Topic.REPOSITORY_GONE)
    mails.mail_each(now=timezone.now())
    assert sent()[0].subject == "[Portolan] harbour/team-a/app: repository gone"


def test_what_one_may_not_see_any_more_is_not_told(fiona: User) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event()
    Grant.objects.filter(user=fiona).delete()
    assert mails.mail_each(now=timezone.now()) == 0
    assert sent() == []


def test_who_is_switched_off_or_has_no_address_is_not_mailed(fiona: User) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event()
    User.objects.filter(pk=fiona.pk).update(is_active=False)
    assert mails.mail_each(now=timezone.now()) == 0
    User.objects.filter(pk=fiona.pk).update(is_active=True, email="")
    assert mails.mail_each(now=timezone.now()) == 0


def test_a_mail_lists_so_many_and_counts_the_rest(
    fiona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "LISTED", 2)
    follow(fiona, TEAM, mail=EACH)
    for number in range(5):
        outbox.event(tag=f"1.{number}")
    mails.mail_each(now=timezone.now())
    assert sent()[0].subject.endswith("5 changes")
    assert "And 3 more." in str(sent()[0].body)


def test_names_are_escaped_in_the_html_of_a_mail(fiona: User) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event(tag="<b>&")
    mails.mail_each(now=timezone.now())
    (alternative,) = sent()[0].alternatives  # type: ignore[attr-defined]  # it has two parts
    assert "&lt;b&gt;&amp;" in alternative[0]
    assert "tag <b>& moved" in str(sent()[0].body)


def test_whoever_begins_anew_is_not_told_what_was_meanwhile(fiona: User) -> None:
    followed = follow(fiona, TEAM, mail=EACH)
    set_mail(followed, NONE)
    outbox.event(tag="meanwhile")
    set_mail(followed, EACH)
    outbox.event(tag="since")
    mails.mail_each(now=timezone.now())
    assert "since" in str(sent()[0].body)
    assert "meanwhile" not in str(sent()[0].body)


def test_without_a_mail_server_nothing_is_sent_and_nothing_lost(
    fiona: User, settings: Settings
) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event()
    settings.EMAIL_CONFIG_SET = False
    assert mails.mail_each(now=timezone.now()) == 0
    settings.EMAIL_CONFIG_SET = True
    assert mails.mail_each(now=timezone.now()) == 1


# What is committed late -----------------------------------------------------------------------


@pytest.fixture
def slow_change(harbour: Registry) -> Iterator[threading.Event]:
    """A transaction that has inserted an event, and is committed when the test says so."""
    inserted, go_on = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            outbox.event(tag="slow")
            inserted.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=change)

    def begin() -> threading.Event:
        thread.start()
        assert inserted.wait(10)
        return go_on

    yield begin  # type: ignore[misc]  # the test begins it
    go_on.set()
    thread.join(10)


def test_an_event_that_is_committed_after_a_later_one_is_told(
    fiona: User, slow_change: Iterator[threading.Event]
) -> None:
    follow(fiona, TEAM, mail=EACH)
    go_on = slow_change()  # type: ignore[operator]
    outbox.event(tag="quick")
    now = timezone.now()
    mails.mail_each(now=now)
    go_on.set()
    for _ in range(50):
        if Event.objects.count() == 2:
            break
        threading.Event().wait(0.05)
    mails.mail_each(now=now)
    told = "\n".join(str(message.body) for message in sent())
    assert told.count("tag slow") == 1
    assert told.count("tag quick") == 1


def test_a_database_that_counts_its_transactions_anew_begins_again(fiona: User) -> None:
    follow(fiona, TEAM, mail=EACH)
    Reader.objects.update(mailed_up_to=2**40)
    mails.mail_each(now=timezone.now())
    outbox.event()
    assert mails.mail_each(now=timezone.now()) == 1


# Mail servers that fail -----------------------------------------------------------------------


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception, *, for_: str = "") -> None:
    def send(self: EmailMessage, **_options: object) -> int:
        if not for_ or for_ in self.to:
            raise error
        outgoing.outbox.append(self)
        return 1

    monkeypatch.setattr(EmailMessage, "send", send)


def test_a_server_that_is_down_is_tried_again_and_nothing_is_lost(
    fiona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event()
    now = timezone.now()
    with monkeypatch.context() as broken:
        fail_with(broken, ConnectionRefusedError())
        assert mails.mail_each(now=now) == 0
    assert mails.mail_each(now=now + timedelta(minutes=1)) == 0, "the lease holds"
    assert mails.mail_each(now=now + mails.LEASE) == 1


def test_one_address_that_is_refused_does_not_stand_in_the_way_of_others(
    fiona: User, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (fiona, viewer):
        follow(user, TEAM, mail=EACH)
    outbox.event()
    refused = SMTPRecipientsRefused({fiona.email: (550, b"unknown")})
    fail_with(monkeypatch, refused, for_=fiona.email)
    assert mails.mail_each(now=timezone.now()) == 1
    assert sent()[0].to == [viewer.email]


def test_two_workers_do_not_write_to_the_same_person(fiona: User) -> None:
    follow(fiona, TEAM, mail=EACH)
    outbox.event()
    now = timezone.now()
    Reader.objects.update(busy_until=now + timedelta(minutes=1))
    assert mails.mail_each(now=now) == 0
    assert mails.mail_each(now=now + timedelta(minutes=1)) == 1


# Once a day -----------------------------------------------------------------------------------


def test_a_daily_mail_comes_once_a_day(fiona: User) -> None:
    follow(fiona, TEAM, mail=DAILY)
    outbox.event(tag="1.0")
    now = timezone.now()
    assert _hourly(now, hours=22) == 0
    assert _hourly(now + timedelta(hours=23), hours=2) == 1
    assert "in the last day" in str(sent()[0].body)
    outbox.event(tag="2.0", at=now + timedelta(hours=25))
    assert _hourly(now + timedelta(hours=26), hours=20) == 0
    assert _hourly(now + timedelta(hours=47), hours=3) == 1
    assert "tag 1.0" not in str(sent()[1].body)


def test_beat_has_both_kinds_of_mail_sent(fiona: User) -> None:
    follow(fiona, APP, mail=EACH)
    follow(fiona, Scope("harbour", "team-a/other"), mail=DAILY)
    Reader.objects.update(digest_at=timezone.now() - timedelta(days=1))
    outbox.event()
    outbox.event(repository="team-a/other")
    scheduled = {entry["task"] for entry in settings_of_django.CELERY_BEAT_SCHEDULE.values()}
    for task in (tasks.mail_each, tasks.mail_digests):
        assert task.name in scheduled
        task()
    assert len(sent()) == 2


def test_a_day_on_which_nothing_happened_has_no_mail(fiona: User) -> None:
    follow(fiona, TEAM, mail=DAILY)
    assert _hourly(timezone.now(), hours=50) == 0


def _hourly(start: datetime, *, hours: int) -> int:
    return sum(mails.mail_digests(now=start + timedelta(hours=hour)) for hour in range(hours))


def test_each_kind_of_mail_tells_of_its_own_places(fiona: User) -> None:
    follow(fiona, APP, mail=EACH)
    follow(fiona, Scope("harbour", "team-a/other"), mail=DAILY)
    outbox.event()
    outbox.event(repository="team-a/other")
    now = timezone.now()
    mails.mail_each(now=now)
    mails.mail_digests(now=now + timedelta(days=1))
    soon, later = (str(message.body) for message in sent())
    assert "team-a/app" in soon
    assert "team-a/other" not in soon
    assert "team-a/other" in later
    assert "team-a/app" not in later
