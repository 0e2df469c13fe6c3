"""Addresses of machines and whatever signs in, and of the audit log."""

from django.urls import include, path

from dashboard.api.access import (
    audit,
    ci_snippets,
    credentials,
    machine_secrets,
    machines,
    token_trials,
    tokens,
    trust_rules,
)

of_machine = [
    path("disable", machines.DisableMachine.as_view(), name="api-machine-disable"),
    path("enable", machines.EnableMachine.as_view(), name="api-machine-enable"),
    path("secrets", machine_secrets.MachineSecrets.as_view(), name="api-machine-secrets"),
    path(
        "secrets/<slug:key_id>",
        machine_secrets.OneMachineSecret.as_view(),
        name="api-machine-secret",
    ),
    path(
        "secrets/<slug:key_id>/rotation",
        machine_secrets.RotateMachineSecret.as_view(),
        name="api-machine-secret-rotation",
    ),
]

urlpatterns = [
    path("service-principals", machines.Machines.as_view(), name="api-machines"),
    path("service-principals/<slug:name>", machines.OneMachine.as_view(), name="api-machine"),
    path("service-principals/<slug:name>/", include(of_machine)),
    path("trust-rules", trust_rules.TrustRules.as_view(), name="api-trust-rules"),
    # No rule is called "-", and one may be called "trials".
    path("trust-rules/-/trials", token_trials.TrustTrials.as_view(), name="api-trust-trials"),
    path("trust-rules/<slug:name>", trust_rules.OneTrustRule.as_view(), name="api-trust-rule"),
    path(
        "trust-rules/<slug:name>/disable",
        trust_rules.DisableTrustRule.as_view(),
        name="api-trust-rule-disable",
    ),
    path(
        "trust-rules/<slug:name>/enable",
        trust_rules.EnableTrustRule.as_view(),
        name="api-trust-rule-enable",
    ),
    path(
        "trust-rules/<slug:name>/snippets",
        ci_snippets.Snippets.as_view(),
        name="api-trust-rule-snippets",
    ),
    path("tokens", tokens.Tokens.as_view(), name="api-tokens"),
    path("tokens/<slug:key_id>", tokens.OneToken.as_view(), name="api-token"),
    path("credentials", credentials.Credentials.as_view(), name="api-credentials"),
    path(
        "credentials/export",
        credentials.CredentialExport.as_view(),
        name="api-credentials-export",
    ),
    path("audit", audit.AuditLog.as_view(), name="api-audit"),
    path("audit/export", audit.AuditExport.as_view(), name="api-audit-export"),
    path("audit/verification", audit.AuditVerification.as_view(), name="api-audit-verification"),
    path("audit/<number:number>", audit.OneAuditEntry.as_view(), name="api-audit-entry"),
]
