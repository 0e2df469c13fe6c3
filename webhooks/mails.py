"""Mails to who follows something: soon after it happened, or once a day; one mail a run a person.

They arrive at least once. A mail is sent before it is remembered that it was: a worker that dies in
between lets it be sent twice, and a mail server that is down lets it be sent later. Nobody waits for
the server inside a transaction; a lease keeps two workers from writing to the same person.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from smtplib import SMTPDataError, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webhooks.following import told_to
from webhooks.models import Event, Follow, Reader
from webhooks.outbound.formats.words import link
from webhooks.sentences import place_of, sentence_of
from webhooks.settled import settled_before

log = logging.getLogger(__name__)

# So many are listed; of the rest a mail tells how many they are.
LISTED = 100
# What a database that was restored remembers is not told again after so long.
OLDEST = timedelta(days=3)
LEASE = timedelta(minutes=5)
# Who was refused is tried again after so long, until there is nothing left to tell.
REFUSED = timedelta(hours=6)
# A little less than a day, because the clock is looked at once an hour.
DIGEST_EVERY = timedelta(hours=23, minutes=30)


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """What happened in one repository."""

    name: str
    lines: tuple[Line, ...]


def mail_each(*, now: datetime) -> int:
    """Tell everybody who wants single mails what happened since; returns how many mails went out."""
    # A database that was restored elsewhere counts its transactions anew: those begin again.
    news = Q(mailed_up_to__lt=_newest(now)) | Q(mailed_up_to__gt=settled_before())
    return _mail_all(_having(Follow.Mail.EACH).filter(news), Follow.Mail.EACH, now=now)


def mail_digests(*, now: datetime) -> int:
    """The same for daily mails that are due."""
    due = Q(digest_at__isnull=True) | Q(digest_at__lte=now - DIGEST_EVERY)
    return _mail_all(_having(Follow.Mail.DAILY).filter(due), Follow.Mail.DAILY, now=now)


def _mail_all(readers: QuerySet[Reader], mail: Follow.Mail, *, now: datetime) -> int:
    if not settings.EMAIL_CONFIG_SET:
        return 0
    sent = 0
    for pk in list(readers.order_by("pk").values_list("pk", flat=True)):
        reader = _claim(pk, now)
        if reader is None:
            continue
        try:
            sent += _mail_one(reader, mail, now=now)
        except (SMTPRecipientsRefused, SMTPDataError):
            # This address or this mail is refused; the next one may be welcome.
            log.warning("A mail to a follower was refused.", exc_info=True)
            Reader.objects.filter(pk=pk).update(busy_until=now + REFUSED)
        except OSError:  # which all of smtplib's errors are
            # The cursor stays, and the lease ends in minutes: then it is tried again.
            log.warning("The mail server cannot be reached.", exc_info=True)
            break
    return sent


def _mail_one(reader: Reader, mail: Follow.Mail, *, now: datetime) -> bool:
    """Whether there was anything to tell. The cursor moves either way, but not past a failure."""
    before = settled_before()
    since = reader.mailed_up_to if mail is Follow.Mail.EACH else reader.digest_up_to
    followed = reader.user.follows.filter(mail=mail).select_related("registry")
    events = told_to(reader.user, followed).filter(
        written_in__gte=since, written_in__lt=before, at__gt=now - OLDEST
    )
    listed = list(events.order_by("id")[:LISTED])
    if listed:
        total = len(listed) if len(listed) < LISTED else events.count()
        _message(reader, listed, total, mail).send()
    moved: dict[str, object] = {"mailed_up_to": before}
    if mail is Follow.Mail.DAILY:
        moved = {"digest_up_to": before, "digest_at": now}
    Reader.objects.filter(pk=reader.pk).update(**moved, busy_until=None)
    return bool(listed)


def _having(mail: Follow.Mail) -> QuerySet[Reader]:
    """Readers who can be mailed and want such mails."""
    wanting = Follow.objects.filter(mail=mail).values("user")
    return Reader.objects.filter(user__in=wanting, user__is_active=True).exclude(user__email="")


def _newest(now: datetime) -> int:
    """The transaction after the one that wrote last; nothing new, and nobody is looked at."""
    written = Event.objects.filter(at__gt=now - OLDEST).order_by("-written_in")
    return (written.values_list("written_in", flat=True).first() or -1) + 1


def _claim(pk: int, now: datetime) -> Reader | None:
    """The reader, for this worker alone until the lease ends; None if another has him."""
    free = Q(busy_until__isnull=True) | Q(busy_until__lte=now)
    if not Reader.objects.filter(free, pk=pk).update(busy_until=now + LEASE):
        return None
    return Reader.objects.select_related("user").get(pk=pk)


def _message(
    reader: Reader, events: Sequence[Event], total: int, mail: Follow.Mail
) -> EmailMultiAlternatives:
    places = _by_place(events)
    context = {
        "name": reader.user.get_full_name() or reader.user.get_username(),
        "places": places,
        "more": total - len(events),
        "daily": mail is Follow.Mail.DAILY,
        "following": f"{settings.PUBLIC_URL}/profile/following/",
    }
    message = EmailMultiAlternatives(
        subject=_subject(places, total),
        body=render_to_string("webhooks/mail/changes.txt", context),
        to=[reader.user.email],
        # So that no out-of-office answer comes back (RFC 3834).
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("webhooks/mail/changes.html", context), "text/html")
    return message


def _subject(places: Sequence[Place], total: int) -> str:
    if total == 1:
        return f"[Portolan] {places[0].name}: {places[0].lines[0].text}"
    if len(places) == 1:
        changes = ngettext("%d change", "%d changes", total) % total
        return f"[Portolan] {places[0].name}: {changes}"
    values = {"changes": total, "places": len(places)}
    return "[Portolan] " + _("%(changes)d changes in %(places)d repositories") % values


def _by_place(events: Sequence[Event]) -> list[Place]:
    ordered = sorted(events, key=lambda event: (place_of(event), event.pk))
    return [
        Place(
            name,
            tuple(
                Line(sentence_of(event), link(event, settings.PUBLIC_URL), event.at)
                for event in group
            ),
        )
        for name, group in groupby(ordered, key=place_of)
    ]
