"""The project: settings, addresses, and the screens for browsing. Nobody imports it."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
