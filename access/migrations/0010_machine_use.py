import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0009_list_sorts")]

    operations = [
        migrations.AddIndex(
            model_name="secret",
            index=models.Index(
                models.F("service_principal"),
                models.OrderBy(models.F("last_used_at"), descending=True, nulls_last=True),
                condition=models.Q(service_principal__isnull=False),
                name="secret_use_of_machine",
            ),
        ),
        migrations.AlterField(
            model_name="secret",
            name="service_principal",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="secrets",
                to="access.serviceprincipal",
            ),
        ),
    ]
