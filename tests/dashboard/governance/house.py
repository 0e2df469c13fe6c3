"""A small installation with something of everything that governance is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from access.models import (
    AdminAccount,
    ClaimRule,
    Grant,
    Membership,
    Role,
    ServicePrincipal,
    Team,
    TrustRule,
    User,
)
from registries.models import ApiCredential, Mirror, Registry, RegistryCredential
from registries.secret import Secret
from tests import catalog
from webhooks.models import Subscription

HIDDEN = ("a-password", "an-api-secret", "/hook-of-slack", "Bearer token", "whsec_")


def furnish() -> None:
    """Registries harbour and yard, a mirror, a role, a team of two, a machine with a rule, grants,
    an admin account and a webhook. People are anna, bert and carla."""
    anna, bert, carla = (User.objects.create_user(name) for name in ("anna", "bert", "carla"))
    harbour = catalog.registry("harbour", sync_interval=timedelta(hours=1))
    yard = catalog.registry("yard", kind="acr", options={"tenant": "contoso"}, sync_interval=None)
    now = timezone.now()
    RegistryCredential(
        registry=harbour, username="robot", secret=Secret("a-password"), changed_at=now
    ).save()
    ApiCredential(
        registry=yard, username="app", secret=Secret("an-api-secret"), changed_at=now
    ).save()
    Mirror.objects.create(
        source=harbour,
        source_path="library/*",
        target=yard,
        target_path="hub/*",
        actor_kind="user",
        actor_label="anna",
    )
    role = Role.objects.create(
        name="releaser", label="Releaser", actions=["content write", "content read"]
    )
    team = Team.objects.create(name="platform", description="Who runs it")
    Membership.objects.create(team=team, user=anna, is_maintainer=True)
    Membership.objects.create(team=team, user=bert)
    Membership.objects.create(team=team, user=carla, source="claim", provider="entra")
    ClaimRule.objects.create(team=team, provider="entra", claim="groups", value="ops")
    machine = ServicePrincipal.objects.create(name="ci", team=team)
    TrustRule.objects.create(
        name="shop",
        service_principal=machine,
        issuer="https://token.actions.githubusercontent.com",
        audience="portolan",
        subject="repo:acme/shop:*",
    )
    make = Grant.objects.create
    make(user=anna, role=Role.objects.get(name="owner"), granted_by="x", reason="She runs it")
    make(team=team, role=role, registry=harbour, path="team-a/*", granted_by="x")
    make(
        service_principal=machine,
        role=Role.objects.get(name="pusher"),
        registry=yard,
        granted_by="x",
        until=datetime(2031, 1, 1, tzinfo=UTC),
    )
    make(
        user=bert,
        role=Role.objects.get(name="reader"),
        granted_by="x",
        until=now - timedelta(minutes=1),
    )
    AdminAccount.objects.create(registry=harbour, enabled_at=now)
    AdminAccount.objects.create(registry=yard)
    subscription(harbour, "team-a/*", team)


def subscription(registry: Registry, path: str, team: Team | None) -> Subscription:
    made = Subscription(
        name="deploys",
        registry=registry,
        path=path,
        topics=["push", "delete"],
        form="slack",
        url=Secret("https://hooks.example.com/hook-of-slack"),
        host="hooks.example.com",
        headers=Secret(json.dumps({"Authorization": "Bearer token"})),
        secret=Secret("whsec_AAAA"),
        old_secret=Secret(""),
        team=team,
    )
    made.save(force_insert=True)
    return made


FILE = """\
version: 1

registries:
  - name: harbour
    kind: distribution
    url: https://harbour.example.com
    sync_every: 1h
    username: robot
  - name: yard
    kind: acr
    url: https://yard.example.com
    options:
      tenant: contoso
    sync_every: never
    api_username: app

mirrors:
  - source: harbour/library/*
    target: yard/hub/*

roles:
  - name: releaser
    label: Releaser
    actions: [content read, content write]

teams:
  - name: platform
    description: Who runs it
    maintainers: [anna]
    members: [bert]
    claim_rules:
      - provider: entra
        claim: groups
        value: ops

service_principals:
  - name: ci
    team: platform

trust_rules:
  - name: shop
    service_principal: ci
    issuer: https://token.actions.githubusercontent.com
    audience: portolan
    subject: repo:acme/shop:*

grants:
  - principal: sp:ci
    role: pusher
    scope: yard
    until: "2031-01-01T00:00:00Z"
  - principal: team:platform
    role: releaser
    scope: harbour/team-a/*
  - principal: user:anna
    role: owner
    scope: "*"
    reason: She runs it

admin_accounts:
  - registry: harbour

webhooks:
  - name: deploys
    where: harbour/team-a/*
    topics: [push, delete]
    payload: slack
    team: platform
    host: hooks.example.com
"""
