"""Each index costs with every notification; the retention does with the one that pages need."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0005_deliveries_by_receiver")]

    operations = [
        migrations.RemoveIndex(model_name="notification", name="notification_received"),
    ]
