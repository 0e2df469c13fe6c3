import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

# Before the indexes are made, which would have to follow every row. And each row once: the keys of
# one that is changed twice are checked at the transaction's end, before which nothing else may be
# done to the table.
COPIES = """
UPDATE registries_artifact artifact SET
    size = manifest.total_size,
    is_untagged = artifact.missing_since IS NULL
        AND NOT EXISTS (SELECT FROM registries_tag tag WHERE tag.artifact_id = artifact.id)
        AND NOT EXISTS (
            SELECT FROM registries_manifestchild entry
              JOIN registries_artifact holder ON holder.manifest_id = entry.parent_id
             WHERE entry.digest = manifest.digest
               AND holder.repository_id = artifact.repository_id
               AND holder.missing_since IS NULL)
  FROM registries_manifest manifest
 WHERE manifest.id = artifact.manifest_id
"""


class Migration(migrations.Migration):
    dependencies = [("registries", "0009_reports")]

    operations = [
        migrations.AddField(
            model_name="artifact",
            name="size",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, help_text="The manifest's total size, copied."
            ),
        ),
        migrations.AddField(
            model_name="artifact",
            name="is_untagged",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text=(
                    "No tag names it and no index of its repository holds it; counted, as bytes."
                ),
            ),
        ),
        migrations.RunSQL(COPIES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="artifact",
            name="repository",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="artifacts",
                to="registries.repository",
            ),
        ),
        migrations.AddIndex(
            model_name="artifact",
            index=models.Index(
                models.F("repository"),
                django.db.models.functions.comparison.Coalesce("pushed_at", "first_seen_at"),
                models.F("id"),
                condition=models.Q(("missing_since__isnull", True)),
                name="artifact_by_date",
            ),
        ),
        migrations.AddIndex(
            model_name="artifact",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", True)),
                fields=["repository", "size", "id"],
                name="artifact_by_size",
            ),
        ),
        migrations.AddIndex(
            model_name="artifact",
            index=models.Index(
                models.F("repository"),
                django.db.models.functions.comparison.Coalesce("pushed_at", "first_seen_at"),
                models.F("id"),
                condition=models.Q(("is_untagged", True), ("missing_since__isnull", True)),
                name="artifact_untagged_by_date",
            ),
        ),
        migrations.AddIndex(
            model_name="artifact",
            index=models.Index(
                condition=models.Q(("is_untagged", True), ("missing_since__isnull", True)),
                fields=["repository", "size", "id"],
                name="artifact_untagged_by_size",
            ),
        ),
    ]
