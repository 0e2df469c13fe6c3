"""Finer statistics of repository paths.

What somebody sees is ranges of paths. With Postgres' hundred buckets over 100,000 repositories it
takes a team's 500 for 4, and then reads and sorts all that is seen where it could have walked an
index in order and stopped after a page.
"""

from django.db import migrations

FINER = """
ALTER TABLE registries_repository ALTER COLUMN path SET STATISTICS 500;
ANALYZE registries_repository (path);
"""
AS_BEFORE = "ALTER TABLE registries_repository ALTER COLUMN path SET STATISTICS -1"


class Migration(migrations.Migration):
    dependencies = [("registries", "0001_initial")]

    operations = [migrations.RunSQL(FINER, AS_BEFORE)]
