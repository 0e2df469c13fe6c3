"""A person's Atom feed: what happened in what he follows, or in one place (RFC 4287).

The secret in the address is the right, as everywhere with feeds: readers send no cookie. What the
feed tells is cut to what the person may see at this moment; the address is kept out of logs.
"""

from __future__ import annotations

import hashlib
import logging
import re
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from access.models import User
from access.scopes import InvalidScope, Scope
from webhooks.following import reader_of, told_in, told_to
from webhooks.models import Event
from webhooks.outbound.formats.words import link
from webhooks.sentences import place_of, sentence_of

log = logging.getLogger(__name__)

ENTRIES = 50
# XML 1.0, section 2.2: what no document may have in it, written any way.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@login_not_required
@require_safe
@sensitive_variables("token")
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The newest entries, in all that is followed or in the `scope` of the address; 404 for a
    secret that opens nothing, and for a scope that is none."""
    translation.deactivate()
    try:
        reader = reader_of(token)
        scope = _scope(request)
        if reader is None:
            return _quietly(404)
        body = _document(reader, scope)
    except InvalidScope:
        return _quietly(404)
    except Exception as error:  # noqa: BLE001  Django would log the address, and the secret in it
        log.error("A feed failed: %s", type(error).__name__)
        return _quietly(500)
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    response = HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return get_conditional_response(request, etag=etag, response=response) or response


def _quietly(status: int) -> HttpResponse:
    """An answer of which Django logs no address."""
    response = HttpResponse(status=status)
    setattr(response, "_has_been_logged", True)  # noqa: B010  django.utils.log looks for it
    return response


def _scope(request: HttpRequest) -> Scope | None:
    """Raises InvalidScope."""
    text = request.GET.get("scope", "")
    return Scope.parse(text) if text else None


def _document(reader: User, scope: Scope | None) -> bytes:
    if scope is None:
        followed = list(reader.follows.select_related("registry"))
        events, about = told_to(reader, followed), _("what you follow")
    else:
        events, about = told_in(reader, scope), str(scope)
    document = _Feed(
        since=reader.date_joined,
        title=_("Portolan: %s") % about,
        link=f"{settings.PUBLIC_URL}/",
        description="",
        # Not of the secret: a new one must not make all entries new.
        feed_guid=f"{settings.PUBLIC_URL}/feeds/of/{reader.pk}/{scope or ''}",
    )
    for event in events.order_by("-id")[:ENTRIES]:
        document.add_item(
            title=_clean(f"{place_of(event)}: {sentence_of(event)}"),
            link=link(event, settings.PUBLIC_URL),
            description=_clean(_details(event)),
            unique_id=f"urn:uuid:{event.uid}",
            author_name=_clean(event.actor_label) or "Portolan",
            updateddate=event.at,
            pubdate=event.at,
        )
    return document.writeString("utf-8").encode()


class _Feed(Atom1Feed):
    """Without entries it does not change with the clock."""

    def latest_post_date(self) -> datetime:
        if self.items:
            return super().latest_post_date()
        since: datetime = self.feed["since"]
        return since


def _details(event: Event) -> str:
    """The whole digests; a summary is HTML."""
    digests = ((_("Digest before"), event.old_digest), (_("Digest"), event.digest))
    return format_html_join("<br>", "{}: {}", [pair for pair in digests if pair[1]])


def _clean(text: str) -> str:
    return _NO_XML.sub("�", text)
