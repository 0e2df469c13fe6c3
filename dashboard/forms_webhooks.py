"""Forms about webhooks. They turn what was typed into values; actions judge them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from access.models import Team
from access.scopes import Scope
from dashboard.forms_access import ScopeField, choose, picker
from dashboard.forms_machines import OVERLAPS
from webhooks.catalog import Topic
from webhooks.models import Delivery, Follow, Subscription
from webhooks.subscription_settings import (
    CHOOSABLE,
    NAME_LIMIT,
    OF_REPOSITORIES,
    SubscriptionSettings,
    Where,
)
from webhooks.targets import URL_LIMIT, parse_headers

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_CHARTS = (Topic.CHART_PUSH, Topic.CHART_DELETE)
HINTS: Mapping[Topic, Any] = {
    Topic.PUSH: _("a tag was created or moved, as Azure Container Registry tells it"),
    Topic.PULL: _("where the registry tells of pulls"),
    Topic.DELETE: _("an image is gone from its repository"),
    Topic.TAG_CREATED: _("a name that was not there"),
    Topic.TAG_MOVED: _("the same name, another image; with both digests"),
    Topic.TAG_DELETED: _("also where the registry itself says nothing"),
    Topic.REPOSITORY_APPEARED: _("seen for the first time"),
    Topic.REPOSITORY_GONE: _("proved to be gone, in two runs"),
    Topic.CHART_PUSH: _("a Helm chart was pushed"),
    Topic.CHART_DELETE: _("a Helm chart is gone"),
    Topic.QUARANTINE: _("held back until it is scanned"),
    Topic.SYNC_FAILED: _("Portolan could not read a registry"),
    Topic.CREDENTIAL_EXPIRING: _("two weeks and three days before"),
    Topic.ACCESS_GRANTED: _("who got which role"),
    Topic.ACCESS_REVOKED: _("who lost which role"),
}


class WhereField(forms.CharField):
    """A scope with a filter of tags."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return Where.parse(text) if text else None


class HeadersField(forms.CharField):
    """One header a line; None where nothing is typed."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return parse_headers(text) if text else None


class WebhookForm(forms.Form):
    """A webhook. `stored` is the one that is being changed: of its secrets nothing is shown."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LIMIT,
        help_text=_("Such as “deploys of the shop”."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    scope = WhereField(
        label=_("Where"),
        help_text=_(
            "REGISTRY, REGISTRY/team-a/* for all below, REGISTRY/team-a/app, or * for all. Tags are"
            " filtered behind a colon: harbour/team-a/app:v1.*"
        ),
        widget=picker("scope"),
    )
    topics = forms.MultipleChoiceField(
        label=_("What is sent"), choices=[(topic.value, topic.label) for topic in CHOOSABLE]
    )
    form = forms.ChoiceField(label=_("Payload"), choices=Subscription.Form.choices)
    url = forms.CharField(
        label=_("Address"),
        max_length=URL_LIMIT,
        help_text=_("Where it is sent by POST. It is a secret, too: it is not shown again."),
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url", "placeholder": "https://"}),
    )
    headers = HeadersField(
        label=_("Headers of your own"),
        required=False,
        help_text=_("One Name: value a line, such as Authorization. They are not shown again."),
        widget=forms.Textarea(attrs={"rows": 3, **_PLAIN}),
    )
    drop_headers = forms.BooleanField(label=_("Leave the stored headers out"), required=False)
    team = forms.ChoiceField(
        label=_("Team"),
        required=False,
        help_text=_("Its members are told by mail when the webhook stops; else who made it."),
    )

    def __init__(
        self,
        *args: Any,
        teams: Iterable[str],
        stored: Subscription | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        names = list(teams)
        if stored is not None and stored.team is not None and stored.team.name not in names:
            names.insert(0, stored.team.name)
        choose(self.fields["team"], [("", gettext("no team")), *((name, name) for name in names)])
        self.has_headers = stored is not None and bool(stored.headers.reveal())
        if not self.has_headers:
            del self.fields["drop_headers"]
        if stored is not None:
            self.fields["url"].required = False
            self.fields["url"].help_text = (
                gettext("Leave empty to keep the stored one, at %s.") % stored.host
            )
        if self.has_headers:
            self.fields["headers"].help_text = gettext(
                "Some are stored. Leave empty to keep them; what you type replaces them all."
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("headers") and data.get("drop_headers"):
            raise ValidationError({"headers": gettext("Either new headers, or none.")})
        return data

    def settings(self, team: Team | None) -> SubscriptionSettings:
        data = self.cleaned_data
        return SubscriptionSettings(
            name=data["name"],
            where=data["scope"],
            topics=tuple(Topic(value) for value in data["topics"]),
            form=Subscription.Form(data["form"]),
            url=data["url"] or None,
            headers={} if data.get("drop_headers") else data["headers"],
            team=team,
        )

    @property
    def topic_groups(self) -> list[tuple[str, list[tuple[Topic, str, bool]]]]:
        """The topics as the page shows them: by what they are about, with whether each is ticked."""
        ticked = set(self["topics"].value() or ())
        groups: dict[str, list[Topic]] = {
            gettext("Images and tags"): [
                topic for topic in OF_REPOSITORIES if topic not in _CHARTS
            ],
            gettext("Helm charts"): list(_CHARTS),
            gettext("The registry, and access to it"): [
                topic for topic in CHOOSABLE if topic not in OF_REPOSITORIES
            ],
        }
        return [
            (label, [(topic, str(HINTS[topic]), topic.value in ticked) for topic in topics])
            for label, topics in groups.items()
        ]


class WebhookFilterForm(forms.Form):
    """Which webhooks to list."""

    q = forms.CharField(label=_("Name or host"), required=False, max_length=100)
    scope = ScopeField(label=_("Sends what happens in"), required=False, widget=picker("scope"))
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("any")), *Subscription.State.choices, ("failing", _("failing"))],
    )

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values()) if self.is_valid() else False


class DeliveryFilterForm(forms.Form):
    """Which deliveries of a webhook to list."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("any")), *Delivery.State.choices]
    )
    topic = forms.ChoiceField(
        label=_("Topic"), required=False, choices=[("", _("any")), *Topic.choices]
    )
    repository = forms.CharField(
        label=_("Repository"), required=False, max_length=255, widget=forms.TextInput(attrs=_PLAIN)
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("To"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values()) if self.is_valid() else False


class AgainForm(forms.Form):
    """Since when all that failed is sent again."""

    since = forms.DateTimeField(
        label=_("What failed since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            raise ValidationError(gettext("That is in the future."))
        return since.astimezone(UTC)


class RotateSigningForm(forms.Form):
    """A new signing secret in the place of the old one."""

    overlap = forms.TypedChoiceField(
        label=_("The old one signs on for"),
        choices=OVERLAPS,
        coerce=lambda hours: timedelta(hours=int(hours)),
        help_text=_("Time to put the new one in place: receivers accept either signature."),
    )


class FollowForm(forms.Form):
    """What to follow, and how to be told."""

    scope = ScopeField(
        label=_("Follow"),
        help_text=_("REGISTRY, REGISTRY/team-a/* for all below, or REGISTRY/team-a/app."),
        widget=picker("scope"),
    )
    mail = forms.ChoiceField(label=_("Mail"), choices=Follow.Mail.choices)

    def clean_scope(self) -> Scope:
        scope: Scope = self.cleaned_data["scope"]
        if scope.registry is None:
            raise ValidationError(gettext("Everything is too much to follow: name a registry."))
        return scope
