"""`/people`: who there is; inviting, changing, switching off. For who manages access on everything."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import owners
from access import people as actions
from access.actions import Action
from access.models import User
from access.scopes import EVERYTHING
from dashboard import invitations
from dashboard.api.bodies import Body, FilterField, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.forms_people import NAME_LENGTH
from dashboard.pagination import replaced
from dashboard.views.access.people import BY_NAME_OR_SEEN, STATES, as_listed, narrowed
from registries.transactions import together

_EXAMPLE = {
    "username": "anna",
    "email": "anna@example.com",
    "first_name": "Anna",
    "last_name": "Marti",
    "state": "active",
    "is_active": True,
    "is_superuser": False,
    "is_owner": True,
    "has_second_factor": True,
    "teams": ["shop"],
    "joined_at": "2026-03-02T09:30:00Z",
    "seen_at": "2026-11-26T07:59:12Z",
}
STATE_NAMES = list(STATES)
NO_STORE = {"Cache-Control": "no-store"}


class PersonRow(Row):
    """A person who signs in."""

    username = serializers.CharField(source="person.username")
    email = serializers.CharField(source="person.email")
    first_name = serializers.CharField(source="person.first_name")
    last_name = serializers.CharField(source="person.last_name")
    state = serializers.ChoiceField(
        choices=STATE_NAMES, help_text="`invited` was never here and has no password."
    )
    is_active = serializers.BooleanField(
        source="person.is_active", help_text="Whether he may sign in."
    )
    is_superuser = serializers.BooleanField(
        source="person.is_superuser", help_text="Owns everything by flag, whatever is granted."
    )
    is_owner = serializers.BooleanField(help_text="Owns everything, by flag, grant or team.")
    has_second_factor = serializers.BooleanField(source="person.has_second_factor")
    teams = serializers.ListField(child=serializers.CharField())
    joined_at = serializers.DateTimeField(source="person.date_joined")
    seen_at = serializers.DateTimeField(
        source="person.last_login", allow_null=True, help_text="When he signed in last."
    )


class InvitedPersonRow(PersonRow):
    secret = serializers.CharField(
        help_text="The one-time link by which he sets a password; it is never shown again."
    )
    mailed = serializers.BooleanField(help_text="Whether it was sent to him by mail, too.")


class PersonQuery(PageQuery):
    sort = sorts(BY_NAME_OR_SEEN)
    q = FilterField(help_text="Each of these words is in a name or the address.")
    state = serializers.ChoiceField(required=False, choices=STATE_NAMES)


class PersonChangeBody(Body):
    first_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True)
    last_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True)
    email = serializers.EmailField(max_length=254)
    is_active = serializers.BooleanField(
        help_text="False ends his sessions at once, and his tokens for good."
    )
    is_superuser = serializers.BooleanField(
        help_text="Owner of everything for good, whatever happens to roles and grants."
    )


class InviteBody(Body):
    username = serializers.CharField(
        max_length=NAME_LENGTH, help_text="Letters, digits and @ . + - _; it stays."
    )
    email = serializers.EmailField(max_length=254)
    first_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True, default="")
    last_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True, default="")


class People(Resource):
    @extend_schema(
        operation_id="list_people",
        tags=["people"],
        summary="List people",
        parameters=[PersonQuery],
        responses=page_of(PersonRow),
        examples=[lists("One person", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Everybody. Needs `access manage` on everything."""
        require_manager(self.caller)
        query = PersonQuery.read(request)
        found = narrowed(User.objects.all(), query["q"] or "", query["state"] or "")
        page = turn_page(request, as_listed(found), query, BY_NAME_OR_SEEN)
        owning = owners.owner_ids()
        rows = [_about(person, person.pk in owning) for person in page.rows]
        return answer_page(request, replaced(page, rows), query, PersonRow)

    @extend_schema(
        operation_id="invite_person",
        tags=["people"],
        summary="Invite somebody",
        request=InviteBody,
        responses={201: InvitedPersonRow},
        examples=[
            shows(
                "Invited",
                _EXAMPLE
                | {
                    "state": "invited",
                    "is_owner": False,
                    "has_second_factor": False,
                    "teams": [],
                    "seen_at": None,
                    "secret": "https://portolan.example.com/invitation/MTc/cv1x2y-4f…/",
                    "mailed": False,
                },
            ),
            sends(
                "By mail",
                {
                    "username": "otto",
                    "email": "otto@example.com",
                    "first_name": "Otto",
                    "last_name": "Frey",
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """An account without a password, and the link to hand over, which is shown this once. Needs
        `access manage` on everything."""
        caller = self.caller
        require_manager(caller)
        require_reassured(request)  # the link is a way in that outlives a session
        made = actions.invite(**InviteBody.read(request), rights=caller.rights, actor=caller.actor)
        shown = _one(User.objects.filter(pk=made.pk))
        return Response(
            InvitedPersonRow(shown | link_for(made, caller)).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.username}", **NO_STORE},
        )


class OnePerson(Resource):
    @extend_schema(
        operation_id="show_person",
        tags=["people"],
        summary="Show a person",
        responses=PersonRow,
        examples=[shows("A person", _EXAMPLE)],
    )
    def get(self, request: Request, user: str) -> Response:
        """One person. Needs `access manage` on everything."""
        require_manager(self.caller)
        return answer_one(request, shown_person(person_or_404(user)))

    @extend_schema(
        operation_id="change_person",
        tags=["people"],
        summary="Change a person",
        request=PersonChangeBody,
        responses=PersonRow,
        examples=[
            sends("Another name", {"last_name": "Marti-Frey"}),
            shows("Changed", _EXAMPLE | {"last_name": "Marti-Frey"}),
        ],
    )
    def patch(self, request: Request, user: str) -> Response:
        """Name and address, whether he may sign in, and whether he owns everything. Needs
        `access manage` on everything and all that he has himself; `is_superuser` needs every right
        on everything. The last owner of everything stays."""
        caller = self.caller
        person = mastered_person(caller, user)
        wanted = PersonChangeBody.read(request, partial=True)
        if wanted.keys() - {"is_active"}:
            # With another's address one could have a link to a new password sent to oneself.
            require_reassured(request)
        with together():
            if wanted.keys() & {"is_active", "is_superuser"}:
                owners.lock()  # before the person, as the actions take them
            person = User.objects.select_for_update().get(pk=person.pk)
            require_match(request, shown_person(person))
            _change(person, wanted, caller)
        return Response(shown_person(person))


def person_or_404(username: str) -> User:
    """The person of this user name; raises Http404."""
    found = User.objects.filter(username=username).first()
    if found is None:
        raise Http404(_("There is nobody of this name."))
    return found


def require_manager(caller: Caller) -> None:
    caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)


def mastered_person(caller: Caller, username: str) -> User:
    """The person, if the caller could grant all that he has (else PermissionDenied)."""
    require_manager(caller)
    person = person_or_404(username)
    actions.require_mastery_of(person, caller.rights)
    return person


def _change(person: User, wanted: dict[str, Any], caller: Caller) -> None:
    """Switched on before anything else and off after it: who is off is not made an owner."""
    who: dict[str, Any] = {"rights": caller.rights, "actor": caller.actor}
    if wanted.get("is_active") is True:
        actions.reactivate(person, **who)
    fields = {name: getattr(person, name) for name in ("first_name", "last_name", "email")}
    if named := {name: value for name, value in wanted.items() if name in fields}:
        actions.change_person(person, **fields | named, **who)
    if "is_superuser" in wanted:
        act = actions.make_superuser if wanted["is_superuser"] else actions.unmake_superuser
        act(person, **who)
    if wanted.get("is_active") is False:
        actions.deactivate(person, **who)


def link_for(person: User, caller: Caller) -> dict[str, object]:
    address = invitations.link(person)
    mailed = invitations.mail(person, address, invited_by=caller.actor.label)
    return {"secret": address, "mailed": mailed}


def shown_person(person: User) -> dict[str, Any]:
    return dict(PersonRow(_one(User.objects.filter(pk=person.pk))).data)


def _one(found: QuerySet[User]) -> dict[str, Any]:
    person = as_listed(found).get()
    return _about(person, person.pk in owners.owner_ids())


def _about(person: User, is_owner: bool) -> dict[str, Any]:
    """A person that `as_listed` found."""
    was_here = person.last_login is not None or person.has_usable_password()
    return {
        "person": person,
        "state": "off" if not person.is_active else "active" if was_here else "invited",
        "is_owner": is_owner,
        "teams": getattr(person, "team_names", []),
    }
