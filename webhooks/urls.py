"""Addresses that registries have in their configuration. The middleware answers before these are
looked at; they stand here so that the address has a name.
"""

from django.urls import path

from webhooks import feeds
from webhooks.inbound import receive

urlpatterns = [
    path("hooks/in/<slug:name>", receive.answer, name="notifications-in"),
    path("feeds/<str:token>.atom", feeds.feed, name="feed"),
]
