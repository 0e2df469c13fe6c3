"""The credential board, as a view: one statement lists, filters and sorts what lies in two tables.

Postgres refuses to change the type of a column that a view reads; whoever does drops it before and
makes it again after.
"""

from django.db import migrations, models

VIEW = """
CREATE VIEW access_credential AS
SELECT s.id * 2 AS id, s.kind::varchar AS kind, s.key_id::varchar AS key_id,
       s.label::varchar AS label,
       (CASE s.kind WHEN 'pat' THEN 'user:' || u.username
                    WHEN 'sp' THEN 'sp:' || m.name
                    ELSE 'admin:' || r.name END)::varchar AS owner,
       s.user_id, s.service_principal_id, m.team_id, a.registry_id,
       (CASE s.kind WHEN 'pat' THEN NOT u.is_active
                    WHEN 'sp' THEN m.disabled_at IS NOT NULL
                    ELSE a.enabled_at IS NULL END) AS is_off,
       s.created_at, s.created_by::varchar AS created_by, s.expires_at, s.revoked_at,
       s.last_used_at, s.last_used_from
  FROM access_secret s
  LEFT JOIN access_user u ON u.id = s.user_id
  LEFT JOIN access_serviceprincipal m ON m.id = s.service_principal_id
  LEFT JOIN access_adminaccount a ON a.id = s.admin_account_id
  LEFT JOIN registries_registry r ON r.id = a.registry_id
 WHERE s.kind <> 'oidc'
UNION ALL
-- What Portolan itself signs in with: used by every sync since it was stored.
SELECT c.registry_id * 2 + 1, 'registry', '', c.username, 'registry:' || r.name,
       NULL, NULL, NULL, c.registry_id, false,
       c.changed_at, '', NULL, NULL,
       CASE WHEN r.synced_at >= c.changed_at THEN r.synced_at END, NULL
  FROM registries_registrycredential c
  JOIN registries_registry r ON r.id = c.registry_id;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0004_trust_rules"), ("registries", "0001_initial")]

    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW access_credential"),
        migrations.CreateModel(
            name="Credential",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("pat", "personal token"),
                            ("sp", "machine’s secret"),
                            ("adm", "admin account’s password"),
                            ("registry", "connection to a registry"),
                        ],
                        max_length=8,
                    ),
                ),
                ("key_id", models.CharField(max_length=16)),
                ("label", models.CharField(max_length=255)),
                (
                    "owner",
                    models.CharField(
                        help_text="user:NAME, sp:NAME, admin:REGISTRY or registry:REGISTRY",
                        max_length=255,
                    ),
                ),
                ("is_off", models.BooleanField(help_text="Its owner is switched off.")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=255)),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("last_used_from", models.GenericIPAddressField(null=True)),
            ],
            options={
                "verbose_name": "credential",
                "verbose_name_plural": "credentials",
                "db_table": "access_credential",
                "managed": False,
            },
        ),
    ]
