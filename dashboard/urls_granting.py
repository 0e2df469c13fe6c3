"""Addresses below /access/: roles, grants, explanations, requests, reviews, unused rights."""

from django.urls import path

from dashboard.views.access import (
    check_access,
    grants,
    overview,
    requests,
    reviews,
    roles,
    suggest,
    unused,
    who_has_access,
)

urlpatterns = [
    path("", overview.overview, name="access"),
    path("roles/", roles.roles, name="roles"),
    path("roles/new/", roles.create, name="role-create"),
    path("roles/<slug:name>/", roles.role, name="role"),
    path("roles/<slug:name>/remove/", roles.remove, name="role-remove"),
    path("grants/", grants.grants, name="grants"),
    path("grants/new/", grants.create, name="grant-create"),
    path("grants/revoke/", grants.revoke, name="grants-revoke"),
    path("mine/", grants.mine, name="my-grants"),
    path("of/<str:principal>/", grants.of_principal, name="principal-grants"),
    path("who/", who_has_access.who, name="who-has-access"),
    path("check/", check_access.check, name="check-access"),
    path("suggest/scopes/", suggest.scopes, name="suggest-scopes"),
    path("suggest/principals/", suggest.principals, name="suggest-principals"),
    path("requests/", requests.requests, name="requests"),
    path("requests/new/", requests.create, name="request-create"),
    path("requests/<int:pk>/", requests.detail, name="request"),
    path("requests/<int:pk>/withdraw/", requests.take_back, name="request-withdraw"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/new/", reviews.create, name="review-create"),
    path("reviews/<int:pk>/", reviews.review, name="review"),
    path("reviews/<int:pk>/decide/", reviews.decision, name="review-decide"),
    path("reviews/<int:pk>/close/", reviews.close, name="review-close"),
    path("unused/", unused.unused, name="unused-rights"),
    path("unused/give-less/", unused.shrink, name="unused-shrink"),
]
