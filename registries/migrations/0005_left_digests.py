"""Moves by the digest that they left, newest first: which tags pointed at it before.

Only the page that says where a digest is asks so, over all repositories at once.
"""

from django.db import migrations

INDEX = """
CREATE INDEX tagmove_left ON registries_tagmove (old_digest, at DESC, id DESC)
    WHERE old_digest <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("registries", "0004_tag_pulls")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX tagmove_left")]
