"""Secrets of notifications are kept encrypted, too, and bound to a key known before they are stored.

The table is made anew: no release had it yet.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import registries.fields


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0003_tag_sorts"),
        ("webhooks", "0001_initial"),
    ]

    operations = [
        migrations.DeleteModel(name="InboundSecret"),
        migrations.CreateModel(
            name="InboundSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "digest",
                    models.CharField(help_text="SHA-256, in hex.", max_length=64, unique=True),
                ),
                ("secret", registries.fields.EncryptedTextField(verbose_name="secret")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_by", models.CharField(max_length=255)),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "registry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbound_secrets",
                        to="registries.registry",
                    ),
                ),
            ],
            options={
                "verbose_name": "secret of notifications",
                "verbose_name_plural": "secrets of notifications",
            },
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("state", "junk")),
                fields=["registry", "-id"],
                name="notification_junk",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["received_at"], name="notification_received"),
        ),
    ]
