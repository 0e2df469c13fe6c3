import datetime

import django.db.models.functions.comparison
from django.db import migrations, models

# Few changes are made in a shell: to find the last hundred, a page read all of the log.
BY_WAY = "CREATE INDEX audit_by_way ON access_auditentry (way, number DESC)"


class Migration(migrations.Migration):
    dependencies = [("access", "0008_kept_answers")]

    operations = [
        migrations.RunSQL(BY_WAY, "DROP INDEX audit_by_way"),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(fields=["granted_at", "id"], name="grant_by_date"),
        ),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(
                django.db.models.functions.comparison.Coalesce(
                    "until",
                    models.Value(datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                ),
                models.F("id"),
                name="grant_by_end",
            ),
        ),
    ]
