"""Each index costs with every notification; the retention does with the one that pages need."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_told_followers")]

    operations = [
        migrations.RemoveIndex(model_name="notification", name="notification_received"),
    ]
