"""People. Roles, teams and machines join them here as the access rules grow."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person who signs in. Ours from the first migration, so that it can grow without pain."""

    class Meta(AbstractUser.Meta):
        db_table = "access_user"
