from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registries", "0003_tag_sorts")]

    operations = [
        migrations.AddField(
            model_name="tag",
            name="pull_count",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="tag",
            name="pulled_at",
            field=models.DateTimeField(null=True),
        ),
    ]
