"""Lists: pages by key, with the next one's cursor in the body and in a Link header (RFC 8288).

A cursor belongs to a list and its order. On screen a bad one leads to the first page; a program that
walks through all must not begin anew without knowing, so here it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Query, Row, fields_of
from dashboard.api.problems import Code, InvalidParameter
from dashboard.pagination import Column, InvalidCursor, Order, Page, paginate, read_cursor

USUAL_SIZE = 50
LARGEST_SIZE = 200

M = TypeVar("M", bound=Model)


class PageQuery(Query):
    """What every list takes. A list's own query adds its filters, and `sort` with its columns."""

    limit = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_SIZE,
        default=USUAL_SIZE,
        help_text="Rows on a page, at most.",
    )
    after = serializers.CharField(
        required=False, max_length=2000, help_text="`next` of the page before."
    )
    before = serializers.CharField(
        required=False, max_length=2000, help_text="`previous` of the page after."
    )
    fields_ = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="Only these fields of each row, such as `name,size`.",
    )


def sorts(columns: Mapping[str, Column]) -> serializers.ChoiceField:
    """The parameter `sort` of a list with these columns: `name` upwards, `-name` downwards."""
    order = Order.read("", columns)
    return serializers.ChoiceField(
        choices=[*columns, *(f"-{name}" for name in columns)],
        default=str(order),
        help_text="What to sort by; with a minus, from the largest or newest down.",
    )


def turn_page(
    request: Request,
    rows: QuerySet[M],
    query: Query,
    columns: Mapping[str, Column],
    *,
    most: int = LARGEST_SIZE,
) -> Page[M]:
    """The rows that were asked for, or the first `most` of them, by one statement. Raises
    InvalidParameter for a bad cursor."""
    order = Order.read(query["sort"] or "", columns)
    if query["after"] and query["before"]:
        raise InvalidParameter("before", _("Give “after” or “before”, not both."))
    try:
        read_cursor(request.query_params, rows.model, order)
    except InvalidCursor:
        name = "after" if query["after"] else "before"
        sentence = _("This cursor is damaged, or of another list or order: begin without one.")
        raise InvalidParameter(name, sentence, Code.INVALID_CURSOR) from None
    return paginate(rows, order=order, query=request.query_params, size=min(query["limit"], most))


def answer_page(request: Request, page: Page[Any], query: Query, row: type[Row]) -> Response:
    """The page as JSON, and the ways to its neighbours."""
    # Row by row: a serializer and its fields hold each other, so rows that were given to it would
    # wait for the garbage collector, which then stops a request for many times what one takes.
    shown = row(only=fields_of(row, query["fields"] or ""))
    body = {
        "items": [shown.to_representation(one) for one in page.rows],
        "next": QueryDict(page.next).get("after"),
        "previous": QueryDict(page.previous).get("before"),
    }
    here = request.build_absolute_uri(request.path)
    ways = [
        f'<{here}?{to}>; rel="{rel}"'
        for rel, to in (("next", page.next), ("prev", page.previous))
        if to
    ]
    return Response(body, headers={"Link": ", ".join(ways)} if ways else {})


@cache
def page_of(row: type[Row]) -> serializers.Serializer[Any]:
    """How a page of such rows is described."""
    return inline_serializer(
        f"{row.__name__.removesuffix('Row')}Page",
        {
            "items": row(many=True),
            "next": serializers.CharField(
                allow_null=True, help_text="Cursor for `after`; null on the last page."
            ),
            "previous": serializers.CharField(
                allow_null=True, help_text="Cursor for `before`; null on the first page."
            ),
        },
    )
