"""Addresses of roles, grants, explanations, teams, people, requests and reviews."""

from django.urls import include, path

from dashboard.api.access import (
    claim_rules,
    explaining,
    grants,
    grants_of_principal,
    lost_keys,
    members,
    people,
    profile,
    requests,
    reviews,
    revocations,
    roles,
    sessions,
    teams,
    unused,
    ways_in,
    who_can,
)

of_team = [
    path("members", members.Members.as_view(), name="api-members"),
    path("members/<user:user>", members.OneMember.as_view(), name="api-member"),
    path("claim-rules", claim_rules.ClaimRules.as_view(), name="api-claim-rules"),
    path("claim-rules/<number:rule>", claim_rules.OneClaimRule.as_view(), name="api-claim-rule"),
]
of_person = [
    path("link", lost_keys.PersonLink.as_view(), name="api-person-link"),
    path("ways-in", ways_in.PersonWaysIn.as_view(), name="api-person-ways-in"),
    path("sessions", lost_keys.PersonSessions.as_view(), name="api-person-sessions"),
    path("second-factors", lost_keys.PersonSecondFactors.as_view(), name="api-person-factors"),
]
of_request = [
    path("withdraw", requests.WithdrawRequest.as_view(), name="api-request-withdraw"),
    path("decision", requests.DecideRequest.as_view(), name="api-request-decision"),
]
of_review = [
    path("items", reviews.ReviewItems.as_view(), name="api-review-items"),
    path("decisions", reviews.ReviewDecisions.as_view(), name="api-review-decisions"),
    path("close", reviews.CloseReview.as_view(), name="api-review-close"),
]

urlpatterns = [
    path("profile", profile.Profile.as_view(), name="api-profile"),
    path("profile/ways-in", ways_in.OwnWaysIn.as_view(), name="api-ways-in"),
    path("sessions", sessions.Sessions.as_view(), name="api-sessions"),
    path("sessions/<number:session>", sessions.OneSession.as_view(), name="api-session"),
    path("actions", roles.Actions.as_view(), name="api-actions"),
    path("roles", roles.Roles.as_view(), name="api-roles"),
    path("roles/<slug:role>", roles.OneRole.as_view(), name="api-role"),
    path("grants", grants.Grants.as_view(), name="api-grants"),
    path("grants/revocations", revocations.Revocations.as_view(), name="api-revocations"),
    path("grants/<number:grant>", grants.OneGrant.as_view(), name="api-grant"),
    path(
        "principals/<principal:principal>/grants",
        grants_of_principal.GrantsOfPrincipal.as_view(),
        name="api-principal-grants",
    ),
    path("effective-access", explaining.EffectiveAccess.as_view(), name="api-effective-access"),
    path("check-access", explaining.CheckAccess.as_view(), name="api-check-access"),
    path("who-can", who_can.WhoCan.as_view(), name="api-who-can"),
    path("teams", teams.Teams.as_view(), name="api-teams"),
    path("teams/<slug:team>", teams.OneTeam.as_view(), name="api-team"),
    path("teams/<slug:team>/", include(of_team)),
    path("people", people.People.as_view(), name="api-people"),
    path("people/<user:user>", people.OnePerson.as_view(), name="api-person"),
    path("people/<user:user>/", include(of_person)),
    path("access-requests", requests.AccessRequests.as_view(), name="api-requests"),
    path(
        "access-requests/<number:number>", requests.OneAccessRequest.as_view(), name="api-request"
    ),
    path("access-requests/<number:number>/", include(of_request)),
    path("access-reviews", reviews.Reviews.as_view(), name="api-reviews"),
    path("access-reviews/<number:number>", reviews.OneReview.as_view(), name="api-review"),
    path("access-reviews/<number:number>/", include(of_review)),
    path("unused-rights", unused.UnusedRights.as_view(), name="api-unused-rights"),
    path("unused-rights/replacements", unused.Replacements.as_view(), name="api-replacements"),
]
