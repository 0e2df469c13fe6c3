"""Addresses below /mirrors/: places that should hold the same, and how they stand."""

from django.urls import path

from dashboard.views import mirrors

urlpatterns = [
    path("", mirrors.mirrors, name="mirrors"),
    path("new/", mirrors.create, name="mirror-create"),
    path("compare/", mirrors.comparison, name="mirror-compare"),
    path("<int:pk>/", mirrors.mirror, name="mirror"),
    path("<int:pk>/health/", mirrors.health, name="mirror-health"),
    path("<int:pk>/change/", mirrors.change, name="mirror-change"),
    path("<int:pk>/remove/", mirrors.remove, name="mirror-remove"),
]
