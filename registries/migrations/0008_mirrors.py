import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registries", "0007_listed_content")]

    operations = [
        migrations.CreateModel(
            name="Mirror",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source_path", models.CharField(blank=True, db_collation="C", max_length=255)),
                ("target_path", models.CharField(blank=True, db_collation="C", max_length=255)),
                (
                    "tags",
                    models.CharField(
                        blank=True,
                        db_collation="C",
                        help_text="Only tags of this pattern, such as v1.*; empty for all.",
                        max_length=128,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor_kind", models.CharField(max_length=32)),
                ("actor_id", models.CharField(blank=True, max_length=255)),
                ("actor_label", models.CharField(max_length=255)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registries.registry",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registries.registry",
                    ),
                ),
            ],
            options={
                "ordering": ("source__name", "source_path", "target__name", "target_path"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "source_path", "target", "target_path", "tags"),
                        name="mirror_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source", models.F("target")),
                            ("source_path", models.F("target_path")),
                            _negated=True,
                        ),
                        name="mirror_of_another",
                    ),
                ],
            },
        ),
    ]
