from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from registries.events import happened


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        # Not before models are loaded.
        from access import audit  # noqa: PLC0415
        from webhooks.events import AUDITED  # noqa: PLC0415
        from webhooks.outbound import enqueue  # noqa: PLC0415

        audit.also(AUDITED)
        happened.connect(enqueue.record)
