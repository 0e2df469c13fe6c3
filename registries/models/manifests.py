"""Content by digest. It is immutable and stored once, whichever repositories hold it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

DIGEST_LENGTH = 135  # "sha512:" and 128 hexadecimal digits


class Blob(models.Model):
    """A blob some manifest names: a layer or a config. Only its digest and size are kept."""

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    size = models.PositiveBigIntegerField(help_text=_("Compressed bytes."))

    class Meta:
        # A constraint, not unique=True, which would add a second index for LIKE: under the
        # C collation the first one serves prefixes too.
        constraints = [models.UniqueConstraint(fields=["digest"], name="blob_digest_once")]

    def __str__(self) -> str:
        return self.digest


class ImageConfig(models.Model):
    """What an image's config blob says; kept once, whichever images name it."""

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    data = models.JSONField(
        help_text=_("Entrypoint, command, environment, labels, history: what configs.py read.")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="config_digest_once")]

    def __str__(self) -> str:
        return self.digest


class Manifest(models.Model):
    """Content by digest: an image, an index of platforms, a chart, a signature, …

    Reads go through an Artifact of a repository one may see: a digest is no capability.
    """

    class Kind(models.TextChoices):
        IMAGE = "image", _("image")
        INDEX = "index", _("multi-platform image")
        CHART = "chart", _("Helm chart")
        SIGNATURE = "signature", _("signature")
        SBOM = "sbom", _("SBOM")
        ATTESTATION = "attestation", _("attestation")
        ARTIFACT = "artifact", _("artifact")

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    media_type = models.CharField(max_length=255)
    artifact_type = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    size = models.PositiveBigIntegerField(
        help_text=_(
            "Bytes of the manifest itself; until its document is read, of all that it adds to its"
            " repository."
        )
    )
    total_size = models.PositiveBigIntegerField(
        help_text=_(
            "Compressed bytes of manifest, config and layers; of all platforms in an index."
        )
    )
    config_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    subject_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    platforms = models.JSONField(
        default=list,
        help_text=_("An index's platforms as os/architecture/variant, attestations left out."),
    )
    created = models.DateTimeField(null=True, help_text=_("When it was built, as it says itself."))
    annotations = models.JSONField(default=dict)
    raw = models.BinaryField(
        null=True,
        help_text=_(
            "The very bytes whose hash is the digest; none while it is known only as a registry's"
            " listing describes it."
        ),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="manifest_digest_once"),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "image",
                        "index",
                        "chart",
                        "signature",
                        "sbom",
                        "attestation",
                        "artifact",
                    ]
                ),
                name="manifest_kind_known",
            ),
        ]
        indexes = [
            # What refers to this image: signatures, SBOMs, attestations.
            models.Index(
                fields=["subject_digest"],
                name="manifest_subject",
                condition=~models.Q(subject_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def document(self) -> bytes:
        """Its very bytes; none while only a listing has described it."""
        return bytes(self.raw or b"")

    @property
    def platform(self) -> str:
        """os/architecture/variant, or the empty text where there is none."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class ManifestChild(models.Model):
    """An entry of an index: a platform's image, or an attestation about one."""

    parent = models.ForeignKey(Manifest, models.CASCADE, related_name="children")
    position = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    media_type = models.CharField(max_length=255)
    artifact_type = models.CharField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(help_text=_("Bytes of the child's manifest."))
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    attests = models.CharField(
        max_length=DIGEST_LENGTH,
        db_collation="C",
        blank=True,
        help_text=_("The image this entry is an attestation about; such an entry is no platform."),
    )

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["parent", "position"], name="child_position_once"),
        ]
        indexes = [
            # The indexes that hold a given manifest: why can it not be deleted?
            models.Index(fields=["digest"], name="child_digest"),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def platform(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class ManifestLayer(models.Model):
    """A manifest's layer, in order from the base up."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="layers")
    position = models.PositiveSmallIntegerField()
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="+", db_index=True)
    media_type = models.CharField(max_length=255)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["manifest", "position"], name="layer_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id}[{self.position}]"
