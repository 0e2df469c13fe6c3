"""The credential board once more, both halves of one type in every column.

Where the halves differ Postgres runs the whole view by itself and keeps all that it has; where they
are equal, it leaves out columns and joins that a statement does not ask for. A secret has its own
id, which has an index; a connection has its registry's, below zero.
"""

from django.db import migrations

VIEW = """
CREATE VIEW access_credential AS
SELECT s.id, s.kind::varchar AS kind, s.key_id::varchar AS key_id,
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
SELECT -c.registry_id, 'registry'::varchar, ''::varchar,
       c.username::varchar,
       ('registry:' || r.name)::varchar,
       NULL::bigint, NULL::bigint, NULL::bigint, c.registry_id,
       false,
       c.changed_at, ''::varchar, NULL::timestamptz, NULL::timestamptz,
       CASE WHEN r.synced_at >= c.changed_at THEN r.synced_at END, NULL::inet
  FROM registries_registrycredential c
  JOIN registries_registry r ON r.id = c.registry_id;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0010_machine_use")]

    # Going back needs no other view: types and ids of it are nothing that anybody sees.
    operations = [migrations.RunSQL("DROP VIEW access_credential;" + VIEW, migrations.RunSQL.noop)]
