"""Addresses below /access/trust-rules/: which CI systems' tokens machines take."""

from django.urls import path

from dashboard.views.access import trust_rules, try_token

urlpatterns = [
    path("", trust_rules.rules, name="trust-rules"),
    # No rule is called "-", and one may be called "new".
    path("-/new/", trust_rules.create, name="trust-rule-create"),
    path("-/try/", try_token.try_token, name="trust-rule-try"),
    path("<slug:name>/", trust_rules.rule, name="trust-rule"),
    path("<slug:name>/change/", trust_rules.change, name="trust-rule-change"),
    path("<slug:name>/switch/", trust_rules.switch, name="trust-rule-switch"),
    path("<slug:name>/remove/", trust_rules.remove, name="trust-rule-remove"),
]
