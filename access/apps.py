from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from registries.events import happened


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = _("Access")

    def ready(self) -> None:
        # Not before models are loaded.
        from access import audit, sign_ins  # noqa: PLC0415  models are not loaded yet
        from access.roles import ensure_built_in  # noqa: PLC0415  models are not loaded yet

        post_migrate.connect(ensure_built_in, sender=self)
        happened.connect(audit.record)
        sign_ins.connect()
