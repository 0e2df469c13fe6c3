from django.db import migrations, models

# As of repositories' paths: what somebody sees is ranges, and with a hundred buckets Postgres takes
# a team's part for so little that it reads and sorts all of it, rather than walk from the newest on.
FINER = """
ALTER TABLE webhooks_event ALTER COLUMN repository SET STATISTICS 500;
ANALYZE webhooks_event (repository);
"""
AS_BEFORE = "ALTER TABLE webhooks_event ALTER COLUMN repository SET STATISTICS -1"


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0006_fewer_indexes")]

    operations = [
        migrations.RunSQL(FINER, AS_BEFORE),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("tag__gt", "")),
                fields=["tag", "written_in", "id"],
                name="event_of_tag",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("state", "given up")),
                fields=["registry", "received_at", "id"],
                name="notification_given_up",
            ),
        ),
    ]
