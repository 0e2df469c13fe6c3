"""A stamp that every change of rights renews, so that what a process remembers of them is known to
hold (access/remembered.py).

The triggers are deferred to the end of the transaction: the stamp's row is then the last that it
locks, and no two transactions can wait for each other because of it. A transaction's own number
never comes twice, also when another one was rolled back.
"""

from django.db import migrations

STAMP = """
CREATE TABLE access_rightsstamp (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    renewed_by bigint NOT NULL
);
INSERT INTO access_rightsstamp (renewed_by) VALUES (0);

CREATE FUNCTION access_renew_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Once a transaction, however many rows it changes.
    UPDATE access_rightsstamp SET renewed_by = pg_current_xact_id()::text::bigint
     WHERE renewed_by <> pg_current_xact_id()::text::bigint;
    RETURN NULL;
END $$;
"""

# What rights are made of. Columns that say nothing of them (a last sign-in, a description) are left
# out where they change often.
CHANGES = {
    "access_grant": "INSERT OR UPDATE OR DELETE",
    "access_membership": "INSERT OR UPDATE OR DELETE",
    "access_role": "UPDATE OR DELETE",
    "access_team": "UPDATE OR DELETE",
    "access_user": "UPDATE OF username, is_active, is_superuser OR DELETE",
    "access_serviceprincipal": "UPDATE OR DELETE",
    "access_adminaccount": "UPDATE OR DELETE",
    "registries_registry": "UPDATE OF name OR DELETE",
}
TRIGGERS = [
    f"""
    CREATE CONSTRAINT TRIGGER rights_changed AFTER {changes} ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_renew_stamp();
    CREATE TRIGGER rights_emptied AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION access_renew_stamp();
    """
    for table, changes in CHANGES.items()
]
UNDO = """
DROP FUNCTION access_renew_stamp CASCADE;
DROP TABLE access_rightsstamp;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0005_credentials"), ("registries", "0001_initial")]

    operations = [migrations.RunSQL([STAMP, *TRIGGERS], UNDO)]
