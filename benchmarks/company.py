"""The company around the big catalog: its people, machines, rights, webhooks, and years of what they
did, put straight into Postgres."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

PEOPLE = 2_000
TEAMS = 300
MACHINES = 2_000
GRANTS = 10_000
REQUESTS = 5_000
WEBHOOKS = 300
EVENTS = 1_000_000
DELIVERIES = 300_000
NOTIFICATIONS = 200_000
AUDIT_ENTRIES = 1_000_000
RUNS = 2_000
PROBLEMS = 20_000

PATH = "format('team-%%s/area-%%s', lpad((number %% 200)::text, 3, '0'), number %% 11)"
ACCESS = (
    f"""
    INSERT INTO access_user (
        password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
        is_active, date_joined)
    SELECT '!' || md5(n::text), now() - n * interval '1 hour', false,
           'person-' || lpad(n::text, 4, '0'), 'Person', 'Number ' || n,
           'person-' || n || '@example.com', false, n %% 20 > 0, now() - interval '2 years'
      FROM generate_series(1, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO access_team (name, description, created_at)
    SELECT 'team-' || lpad(n::text, 3, '0'), 'Team number ' || n, now()
      FROM generate_series(0, {TEAMS - 1}) AS n
    """,
    # Three teams each, and everybody in the first one.
    f"""
    INSERT INTO access_membership (team_id, user_id, is_maintainer, source, provider, added_at)
    SELECT DISTINCT ON (team.id, person.id) team.id, person.id, person.n %% 10 = 0, 'manual', '', now()
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_user
             WHERE username LIKE 'person-%%') person
      JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM access_team) team
        ON team.n IN (0, person.n %% {TEAMS}, (person.n * 7) %% {TEAMS})
    """,
    f"""
    INSERT INTO access_serviceprincipal (name, description, team_id, created_at, disabled_at)
    SELECT 'pipeline-' || lpad(number::text, 4, '0'), 'Builds number ' || number, team.id, now(),
           CASE WHEN number %% 50 = 0 THEN now() END
      FROM generate_series(1, {MACHINES}) AS number
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_team) team
        ON team.n = 1 + number %% {TEAMS}
    """,
    # Two secrets of each machine work, five do not any more; one token of each person.
    """
    INSERT INTO access_secret (
        kind, service_principal_id, slot, label, key_id, digest, actions, scopes, created_at,
        created_by, expires_at, revoked_at, last_used_at)
    SELECT 'sp', machine.id, 1 + n %% 2, 'number ' || n, substr(md5(machine.id || '.' || n), 1, 10),
           'none', '{}', '{}', now() - n * interval '90 days', 'user:person-0001',
           now() + (400 - n * 90 + machine.id %% 90) * interval '1 day',
           CASE WHEN n > 1 THEN now() - n * interval '60 days' END,
           now() - (machine.id %% 400) * interval '1 hour'
      FROM access_serviceprincipal machine, generate_series(0, 6) AS n
    """,
    """
    INSERT INTO access_secret (
        kind, user_id, label, key_id, digest, actions, scopes, created_at, created_by, expires_at)
    SELECT 'pat', id, 'laptop', substr(md5('person ' || id), 1, 10), 'none', '{}', '{}', now(),
           'user:' || username, now() + (id %% 365) * interval '1 day'
      FROM access_user WHERE username LIKE 'person-%%'
    """,
    f"""
    INSERT INTO access_trustrule (
        name, service_principal_id, issuer, audience, subject, lifetime_minutes, allow_private,
        ca_certificate, created_at)
    SELECT name || '-main', id, 'https://token.actions.githubusercontent.com', 'portolan',
           'repo:acme/' || name || ':*', 15, false, '', now()
      FROM access_serviceprincipal ORDER BY id LIMIT {MACHINES}
    """,
    f"""
    INSERT INTO access_grant (
        user_id, team_id, service_principal_id, is_public, role_id, registry_id, path, until,
        reason, granted_at, granted_by)
    SELECT person.id, team.id, machine.id, false, role.id, registry.id,
           {PATH} || CASE number %% 3 WHEN 0 THEN '/*' ELSE '/app-' || lpad(number::text, 6, '0') END,
           CASE WHEN number %% 4 = 0 THEN now() + (number %% 700) * interval '1 day' + interval '1 day' END,
           'Ticket ' || number, now() - number * interval '1 hour', 'user:bench'
      FROM generate_series(1, {GRANTS}) AS number
      JOIN registries_registry registry ON registry.name = 'scale'
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_role WHERE is_built_in) role
        ON role.n = 1 + number %% 7
      LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_user
                  WHERE username LIKE 'person-%%') person
        ON number %% 10 < 3 AND person.n = 1 + number %% {PEOPLE}
      LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_team) team
        ON number %% 10 IN (3, 4, 5) AND team.n = 1 + number %% {TEAMS}
      LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_serviceprincipal)
                machine
        ON number %% 10 > 5 AND machine.n = 1 + number %% {MACHINES}
    """,
    """
    INSERT INTO access_use (principal, registry_id, path, verb, last_at, count)
    SELECT 'sp:' || machine.name, held.registry_id, held.path, 'pull', now(), 7
      FROM access_grant held JOIN access_serviceprincipal machine
        ON machine.id = held.service_principal_id
     WHERE held.id %% 2 = 0 AND held.path NOT LIKE '%%*' ON CONFLICT DO NOTHING
    """,
    f"""
    INSERT INTO access_accessrequest (
        user_id, role_id, registry_id, path, reason, state, asked_at, answered_at, answered_by,
        answer)
    SELECT person.id, role.id, registry.id, {PATH} || '/app-' || lpad(number::text, 6, '0'),
           'Ticket ' || number, CASE WHEN number %% 5 = 0 THEN 'open' ELSE 'granted' END,
           now() - number * interval '1 hour', CASE WHEN number %% 5 > 0 THEN now() END, '', ''
      FROM generate_series(1, {REQUESTS}) AS number
      JOIN registries_registry registry ON registry.name = 'scale'
      JOIN access_role role ON role.name = 'reader'
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM access_user
             WHERE username LIKE 'person-%%') person ON person.n = 1 + number %% {PEOPLE}
    """,
    """
    INSERT INTO access_accessreview (registry_id, path, opened_at, opened_by, due)
    SELECT id, '', now() - n * interval '1 day', 'user:bench', now()::date
      FROM registries_registry, generate_series(1, 200) AS n WHERE name = 'scale'
    """,
    """
    INSERT INTO access_reviewitem (
        review_id, grant_id, principal, role, scope, decision, decided_by)
    SELECT review.id, held.id, 'team:any', 'reader', 'scale/' || held.path, '', ''
      FROM (SELECT min(id) AS id FROM access_accessreview) review, access_grant held
    """,
)

# Of a path as the catalog has them.
APP = (
    "format('team-%%s/area-%%s/app-%%s', lpad((number %% 200)::text, 3, '0'), number %% 11,"
    " lpad((number %% 100000)::text, 6, '0'))"
)
HAPPENED = (
    # Some a transaction, all of them before those that the database numbers itself.
    f"""
    INSERT INTO webhooks_event (
        uid, topic, registry, repository, tag, digest, old_digest, at, actor_kind, actor_id,
        actor_label, data, written_in)
    SELECT gen_random_uuid(),
           (ARRAY['push', 'tag.moved', 'pull', 'tag.created', 'push', 'tag.deleted', 'delete',
                  'pull', 'access.granted', 'push'])[1 + number / 200 %% 10],
           'scale', {APP}, '1.' || number / 10 %% 10,
           'sha256:' || encode(sha256(convert_to('manifest ' || number, 'UTF8')), 'hex'), '',
           now() - ({EVENTS} - number) * interval '30 seconds', 'system', '', 'Portolan', '{{}}',
           (number - {EVENTS}) / 4
      FROM generate_series(0, {EVENTS - 1}) AS number
    """,
    f"""
    INSERT INTO webhooks_delivery (
        event_id, subscription_id, state, tries, due_at, created_at, ended_at, reason)
    SELECT event.id, subscription.id,
           CASE WHEN event.n %% 50 = 0 THEN 'given up' ELSE 'delivered' END, 1, event.at, event.at,
           event.at, ''
      FROM (SELECT id, at, row_number() OVER (ORDER BY id DESC) AS n FROM webhooks_event
             WHERE topic <> 'access.granted' ORDER BY id DESC LIMIT {DELIVERIES}) event
      -- Half of them are the first webhook's.
      JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM webhooks_subscription)
           subscription
        ON subscription.n = CASE WHEN event.n %% 2 = 0 THEN 0 ELSE event.n %% {WEBHOOKS} END
     ORDER BY event.id
    """,
    """
    INSERT INTO webhooks_attempt (
        delivery_id, at, seconds, address, status, error, request_headers, request_body,
        response_headers, response_body, response_cut)
    SELECT id, created_at, 0.1, '203.0.113.7', CASE state WHEN 'delivered' THEN 204 ELSE 500 END,
           '', '{"content-type": "application/json"}', '{"topic": "push"}', '{}', '', false
      FROM webhooks_delivery
    """,
    f"""
    INSERT INTO webhooks_notification (
        registry_id, event_id, verb, repository, tag, digest, actor, agent, address, method,
        occurred_at, received_at, body, state, reason, tries, due_at, handled_at)
    SELECT registry.id, 'event-' || number, CASE number %% 3 WHEN 0 THEN 'push' ELSE 'pull' END, {APP}, '1.1',
           '', 'ci', 'docker/27', '203.0.113.9', 'GET', now(), now() - number * interval '1 minute',
           repeat('{{"action": "push"}} ', 40),
           CASE WHEN number %% 1000 = 0 THEN 'given up' ELSE 'done' END, '', 1, now(), now()
      FROM generate_series(1, {NOTIFICATIONS}) AS number
      JOIN registries_registry registry ON registry.name = 'scale'
    """,
    f"""
    INSERT INTO registries_syncrun (
        registry_id, trigger, "full", state, phase, actor_kind, actor_id, actor_label, queued_at,
        started_at, finished_at, heartbeat_at, worker, summary, catalog_complete,
        repositories_found, repositories_done, tags_seen, details_found, details_done,
        manifests_fetched, added, moved, removed, error_count, requests, throttled)
    SELECT id, 'schedule', false, 'succeeded', 'finish', 'system', '', 'Portolan', at, at, at, at,
           '', '', true, 100000, 100000, 1000000, 0, 0, 0, 0, 0, 0, 0, 1000, 0
      FROM registries_registry, generate_series(1, {RUNS}) AS n,
           LATERAL (SELECT now() - n * interval '1 day' AS at) moment
     WHERE name = 'scale'
    """,
    f"""
    INSERT INTO registries_syncproblem (run_id, repository, reference, code, message, advice, at)
    SELECT run.id, {APP}, '1.1', CASE number %% 2 WHEN 0 THEN 'throttled' ELSE 'not_found' END,
           'The registry asks to wait.', 'Lower the budget.', now()
      FROM (SELECT max(id) AS id FROM registries_syncrun) run,
           generate_series(1, {PROBLEMS}) AS number
    """,
)

# A year of the log. Chained row by row it would take hours: the rule that does it sleeps meanwhile,
# so this one log does not hold.
AUDIT = (
    """
    DO $$ BEGIN
        FOR back IN 1..12 LOOP
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %%I PARTITION OF access_auditentry'
                ' FOR VALUES FROM (%%L) TO (%%L)',
                to_char(date_trunc('month', now()) - make_interval(months => back),
                        '"access_auditentry_"YYYY_MM'),
                date_trunc('month', now()) - make_interval(months => back),
                date_trunc('month', now()) - make_interval(months => back - 1));
        END LOOP;
    END $$
    """,
    "SET LOCAL session_replication_role = replica",
    f"""
    INSERT INTO access_auditentry (
        number, at, actor_kind, actor_id, actor_label, way, address, agent, event, registry,
        target, old, new, previous_hash, hash)
    SELECT head.last + number, now() - ({AUDIT_ENTRIES} - number) * interval '30 seconds', 'user',
           (number %% {PEOPLE})::text, 'person-' || lpad((number %% {PEOPLE})::text, 4, '0'),
           (ARRAY['browser', 'api', 'docker', 'api', 'browser'])[1 + number %% 5], '203.0.113.7',
           'Mozilla/5.0', CASE WHEN number %% 1000 = 0 THEN 'role created'
                               WHEN number %% 3 = 0 THEN 'access granted' ELSE 'tag deleted' END,
           CASE WHEN number %% 7 = 0 THEN '' ELSE 'scale' END, 'scale/' || {APP}, NULL,
           '{{"role": "reader"}}', sha256(number::text::bytea), sha256((number + 1)::text::bytea)
      FROM (SELECT number AS last FROM access_audithead) head,
           generate_series(1, {AUDIT_ENTRIES}) AS number
    """,
    "SET LOCAL session_replication_role = origin",
    "UPDATE access_audithead SET number = (SELECT max(entry.number) FROM access_auditentry entry)",
)


def fill() -> None:
    """Put the company in, unless it is there; takes some minutes. The catalog must be there."""
    from access.models import ServicePrincipal

    if ServicePrincipal.objects.filter(name="pipeline-0001").exists():
        return
    with transaction.atomic():  # all of it or nothing
        _run(ACCESS)
        _make_webhooks()
        _run(HAPPENED)
        _run(AUDIT)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _run(statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {})


def _make_webhooks() -> None:
    """By the models: their addresses and secrets are encrypted for their own rows."""
    from registries.models import Registry
    from webhooks.models import Subscription

    registry = Registry.objects.get(name="scale")
    texts: dict[str, Any] = {
        "url": "https://ci.example.com/hook",
        "headers": "",
        "secret": "whsec_bench",
        "old_secret": "",
    }
    Subscription.objects.bulk_create(
        Subscription(
            name=f"Webhook {number:03d}",
            registry=registry,
            path=f"team-{number % 200:03d}/*",
            topics=["push", "delete"],
            form=Subscription.Form.STRUCTURED,
            host="ci.example.com",
            **texts,
        )
        for number in range(WEBHOOKS)
    )
