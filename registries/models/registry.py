"""What is out there: connections to registries, and the repositories found in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.fields import EncryptedTextField
from registries.oci.connection import Connection
from registries.oci.errors import AuthenticationFailed

SLUG = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    _("Use lower-case letters, digits and single hyphens, such as “production”."),
)


class RegistryQuerySet(models.QuerySet["Registry"]):
    def due(self, at: Any) -> RegistryQuerySet:
        """Registries whose own schedule says that they should be synced by now."""
        return self.filter(sync_interval__isnull=False, next_sync_at__lte=at)


class Registry(models.Model):
    """A connection to one registry: where it is, how to speak to it, and how it is doing."""

    class Health(models.TextChoices):
        UNKNOWN = "unknown", _("not checked yet")
        HEALTHY = "healthy", _("healthy")
        DEGRADED = "degraded", _("some repositories failed")
        UNREACHABLE = "unreachable", _("cannot be read")

    name = models.CharField(_("name"), max_length=63, unique=True, validators=[SLUG])
    kind = models.CharField(_("kind"), max_length=32, default="distribution")
    options = models.JSONField(
        _("settings of its kind"),
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text=_("What this kind of registry needs besides: texts by name, no secrets."),
    )
    url = models.URLField(_("address"), max_length=255)
    public_host = models.CharField(
        _("public host"),
        max_length=255,
        blank=True,
        help_text=_("The host in pull commands, if people reach the registry by another name."),
    )
    allow_private = models.BooleanField(
        _("allow private addresses"),
        default=False,
        help_text=_("This registry may live on a private network, and may speak plain http."),
    )
    ca_certificate = models.TextField(
        _("certificate authority"),
        blank=True,
        help_text=_("PEM certificates to trust for this registry, besides the usual ones."),
    )
    repository_names = ArrayField(
        models.CharField(max_length=255),
        verbose_name=_("repositories"),
        default=list,
        blank=True,
        help_text=_(
            "Names or patterns such as team-a/*, one a line. Leave empty to read the registry's"
            " own catalog."
        ),
    )
    sync_interval = models.DurationField(
        _("sync every"), null=True, blank=True, default=timedelta(minutes=15)
    )
    next_sync_at = models.DateTimeField(_("next sync"), default=timezone.now, null=True, blank=True)
    max_concurrency = models.PositiveSmallIntegerField(
        _("requests at a time"),
        default=32,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    health = models.CharField(
        _("health"), max_length=16, choices=Health.choices, default=Health.UNKNOWN
    )
    health_detail = models.TextField(_("what is wrong"), blank=True)
    synced_at = models.DateTimeField(_("last synced"), null=True, blank=True)
    imported_at = models.DateTimeField(
        _("first imported"),
        null=True,
        blank=True,
        help_text=_("When the first full sync ended; from then on each change is an event."),
    )
    repository_count = models.PositiveIntegerField(default=0)
    tag_count = models.PositiveIntegerField(default=0)
    unique_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RegistryQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("registry")
        verbose_name_plural = _("registries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(health__in=["unknown", "healthy", "degraded", "unreachable"]),
                name="registry_health_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(url__startswith="http://") | models.Q(allow_private=True),
                name="registry_plain_http_only_private",
                violation_error_message=_(
                    "Plain http is only for registries on a private network: use https, or allow"
                    " private addresses."
                ),
            ),
        ]
        indexes = [
            # The scheduler's question, every few seconds: who is due?
            models.Index(fields=["next_sync_at"], name="registry_due"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """The host (and port) in pull commands."""
        return self.public_host or self.url.partition("://")[2].rstrip("/")

    def connection(self) -> Connection:
        """The values a client needs; reveals the stored password to it. Raises AuthenticationFailed
        where a secret never came: it was set up from a file."""
        credential = RegistryCredential.objects.filter(registry=self).first()
        api = ApiCredential.objects.filter(registry=self).first()
        for one in (credential, api):
            if one is not None and not one.secret:
                raise AuthenticationFailed(
                    f"The secret of {one.username} is not here: {self.name} came from a file"
                    " without it.",
                    advice="Enter it in the registry's settings, or apply the file with it.",
                )
        return Connection(
            url=self.url,
            username=credential.username if credential else None,
            password=credential.secret.reveal() if credential else None,
            ca_certificate=self.ca_certificate or None,
            allow_private=self.allow_private,
            max_concurrency=self.max_concurrency,
            requests_per_minute=self.requests_per_minute,
            vendor_budget=None if self.requests_per_minute else self._vendor_budget(),
            options=self.options,
            api_username=api.username if api else None,
            api_secret=api.secret if api else None,
        )

    def _vendor_budget(self) -> int | None:
        """How many requests a minute the vendor told that it takes, the last time it was asked."""
        this = Registry.objects.filter(pk=self.pk)
        budget = this.values_list("report__data__requests_per_minute", flat=True).first()
        return budget if isinstance(budget, int) and budget > 0 else None


class RegistryCredential(models.Model):
    """What Portolan signs in to a registry with. Apart, so that no list ever loads a secret."""

    registry = models.OneToOneField(
        Registry, models.CASCADE, primary_key=True, related_name="credential"
    )
    username = models.CharField(_("user name"), max_length=255)
    secret = EncryptedTextField(_("password"))
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.username} at {self.registry_id}"


class ApiCredential(models.Model):
    """A second credential, for the vendor's own API, where one is not enough for both."""

    registry = models.OneToOneField(
        Registry, models.CASCADE, primary_key=True, related_name="api_credential"
    )
    username = models.CharField(_("user name"), max_length=255, blank=True)
    secret = EncryptedTextField(_("secret"))
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.username or 'token'} at the API of {self.registry_id}"


# A repository without a tag has no push; a value in its place keeps it last, and pages by key
# need one that can be compared.
NEVER = datetime(1, 1, 1, tzinfo=UTC)
PUSHED_OR_NEVER = Coalesce("pushed_at", Value(NEVER))


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def present(self) -> RepositoryQuerySet:
        return self.filter(missing_since__isnull=True)

    def under(self, namespace: str) -> RepositoryQuerySet:
        """Repositories at any depth below a namespace; all of them for the empty one."""
        return self.filter(path__startswith=f"{namespace}/") if namespace else self

    def matching(self, text: str) -> RepositoryQuerySet:
        """Paths that contain the text; they are lower-case by the specification's grammar."""
        return self.filter(path__contains=text.lower()) if text else self

    def as_rows(self) -> RepositoryQuerySet:
        """With what a list shows of them."""
        return self.only("path", "tag_count", "unique_bytes", "logical_bytes", "pushed_at")


class Repository(models.Model):
    """A path in one registry. Its counters are kept by the sync, so that lists read one table."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="repositories")
    # C collation: prefixes and keyset pages then use the plain index, whatever the database's own.
    path = models.CharField(max_length=255, db_collation="C")
    namespace = models.CharField(max_length=255, db_collation="C", blank=True)
    tag_count = models.PositiveIntegerField(default=0)
    artifact_count = models.PositiveIntegerField(default=0)
    logical_bytes = models.PositiveBigIntegerField(
        default=0, help_text=_("Compressed bytes of all artifacts, each counted in full.")
    )
    unique_bytes = models.PositiveBigIntegerField(
        default=0, help_text=_("Compressed bytes with every blob counted once.")
    )
    pushed_at = models.DateTimeField(
        null=True, help_text=_("When the newest tag came, as far as Portolan could learn.")
    )
    pulled_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(
        null=True, help_text=_("Start of the last complete reading of its tags.")
    )
    missing_since = models.DateTimeField(
        null=True, help_text=_("Since when the registry says it is not there; proved, not guessed.")
    )
    missing_count = models.PositiveSmallIntegerField(
        default=0, help_text=_("Runs in a row in which its own tag list answered 404.")
    )

    pull_count = models.PositiveBigIntegerField(
        null=True, help_text=_("Pulls as the registry itself counts them; none where it does not.")
    )
    locks = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("What the registry refuses to do with it; a Lock.")
    )

    count_due = models.BooleanField(
        default=True, help_text=_("Its bytes are to be counted anew; kept here to survive a crash.")
    )

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        ordering = ("path",)
        verbose_name = _("repository")
        verbose_name_plural = _("repositories")
        constraints = [
            models.UniqueConstraint(fields=["registry", "path"], name="repository_path_once"),
        ]
        indexes = [
            # Repositories directly in a namespace, in order.
            models.Index(fields=["registry", "namespace", "path"], name="repository_namespace"),
            # What a sync has still to count.
            models.Index(
                fields=["registry", "id"],
                name="repository_count_due",
                condition=models.Q(count_due=True),
            ),
            # Search in order of the path: the planner walks it and stops at the page's end.
            models.Index(fields=["path", "registry"], name="repository_by_path"),
            # A registry's repositories by last push and by size, a page at a time.
            models.Index(
                "registry", PUSHED_OR_NEVER.desc(), F("id").desc(), name="repository_by_push_date"
            ),
            models.Index(fields=["registry", "-unique_bytes", "-id"], name="repository_by_size"),
            # Substring search over all registries.
            GinIndex(OpClass("path", name="gin_trgm_ops"), name="repository_path_trigrams"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]


class NamespaceQuerySet(models.QuerySet["Namespace"]):
    def level(self, registry: Registry, parent: str) -> NamespaceQuerySet:
        """The namespaces directly below `parent` (the empty text is the top), in order.

        `has_children` says whether there is a further level.
        """
        below = Namespace.objects.filter(registry=registry, parent=OuterRef("path"))
        return (
            self.filter(registry=registry, parent=parent)
            .annotate(has_children=Exists(below))
            .order_by("path")
        )


class Namespace(models.Model):
    """A prefix of repository paths, with what lies below it counted; rows make the tree."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="namespaces")
    path = models.CharField(max_length=255, db_collation="C")
    parent = models.CharField(max_length=255, db_collation="C", blank=True)
    repository_count = models.PositiveIntegerField(default=0)
    tag_count = models.PositiveIntegerField(default=0)
    logical_bytes = models.PositiveBigIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True)

    objects = NamespaceQuerySet.as_manager()

    class Meta:
        ordering = ("path",)
        constraints = [
            models.UniqueConstraint(fields=["registry", "path"], name="namespace_path_once"),
        ]
        indexes = [
            # One level of the tree.
            models.Index(fields=["registry", "parent", "path"], name="namespace_children"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
