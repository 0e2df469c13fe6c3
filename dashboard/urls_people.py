"""Addresses of the screens about people and teams, and about oneself."""

from django.urls import path

from dashboard.views.access import invitation, people, person_changes, profile, teams
from dashboard.views.webhooks import following

urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("profile/sessions/<int:pk>/end/", profile.end_session, name="session-end"),
    path("profile/following/", following.following, name="following"),
    path("profile/following/add/", following.add, name="follow"),
    path("profile/following/<int:pk>/", following.change, name="follow-change"),
    path("profile/following/<int:pk>/remove/", following.remove, name="unfollow"),
    path("profile/following/feed/", following.feed, name="feed-make"),
    path("profile/following/feed/end/", following.no_feed, name="feed-end"),
    path("invitation/<uidb64>/<token>/", invitation.invitation, name="invitation"),
    path("access/people/", people.people, name="people"),
    path("access/people/invite/", people.invite, name="invite"),
    path("access/people/<int:pk>/", people.person, name="person"),
    path("access/people/<int:pk>/link/", people.new_link, name="person-link"),
    path("access/people/<int:pk>/off/", person_changes.deactivate, name="person-off"),
    path("access/people/<int:pk>/on/", person_changes.reactivate, name="person-on"),
    path(
        "access/people/<int:pk>/sessions/end/", person_changes.end_sessions, name="person-sessions"
    ),
    path("access/people/<int:pk>/owner/", person_changes.make_superuser, name="person-owner"),
    path(
        "access/people/<int:pk>/owner/end/",
        person_changes.unmake_superuser,
        name="person-not-owner",
    ),
    path(
        "access/people/<int:pk>/factors/remove/",
        person_changes.remove_second_factors,
        name="person-factors",
    ),
    path("access/teams/", teams.teams, name="teams"),
    # A team may be called "new".
    path("access/teams/-/new/", teams.create, name="team-create"),
    path("access/teams/<slug:name>/", teams.team, name="team"),
    path("access/teams/<slug:name>/remove/", teams.remove, name="team-remove"),
    path("access/teams/<slug:name>/members/add/", teams.add_member, name="team-add"),
    path(
        "access/teams/<slug:name>/members/<int:pk>/remove/",
        teams.remove_member,
        name="team-take-out",
    ),
    path("access/teams/<slug:name>/rules/add/", teams.add_rule, name="team-rule-add"),
    path(
        "access/teams/<slug:name>/rules/<int:pk>/remove/",
        teams.remove_rule,
        name="team-rule-remove",
    ),
]
