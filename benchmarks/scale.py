"""A big company's catalog, put straight into Postgres: 100,000 repositories with ten tags each."""

from __future__ import annotations

from django.db import connection, transaction

REPOSITORIES = 100_000

# Each repository has ten tags; every fifth is an index of two platforms. So 1,000,000 tags and
# 1,400,000 manifests, of which 1,200,000 are images with three layers, two of them shared.
STATEMENTS = (
    """
    INSERT INTO registries_registry (
        name, kind, url, public_host, allow_private, ca_certificate, repository_names,
        sync_interval, next_sync_at, max_concurrency, health, health_detail, synced_at, imported_at,
        repository_count, tag_count, unique_bytes, created_at, options)
    SELECT 'scale', 'distribution', 'https://registry.example.com', '', false, '', '{}',
           interval '1 day', now() + interval '1 year', 32, 'healthy', '', now(), now(),
           -- before all that happened in it
           %(repositories)s, %(repositories)s * 10, 0, now() - interval '2 years', '{}'
    """,
    """
    INSERT INTO registries_repository (
        registry_id, path, namespace, tag_count, artifact_count, logical_bytes, unique_bytes,
        pushed_at, first_seen_at, verified_at, missing_count, count_due)
    SELECT registry.id, namespace || '/app-' || lpad(number::text, 6, '0'), namespace,
           10, 14, 500000000 + number * 7919 %% 90000000, 100000000 + number * 104729 %% 90000000,
           now() - number * interval '5 minutes', now(), now(), 0, false
      FROM registries_registry registry, generate_series(0::bigint, %(repositories)s - 1) AS number,
           format('team-%%s/area-%%s', lpad((number %% 200)::text, 3, '0'), number %% 11) AS namespace
     WHERE registry.name = 'scale' ORDER BY 2
    """,
    """
    INSERT INTO registries_blob (digest, size)
    SELECT 'sha256:' || encode(sha256(convert_to('layer ' || number, 'UTF8')), 'hex'),
           1000 + number * 7919 %% 90000000
      FROM generate_series(0::bigint, 1200999) AS number ORDER BY 1
    """,
    """
    INSERT INTO registries_manifest (
        digest, media_type, artifact_type, kind, size, total_size, config_digest, subject_digest,
        os, architecture, variant, platforms, created, annotations, raw)
    SELECT 'sha256:' || encode(sha256(convert_to('manifest ' || number, 'UTF8')), 'hex'),
           CASE WHEN number %% 14 IN (0, 5)
                THEN 'application/vnd.oci.image.index.v1+json'
                ELSE 'application/vnd.oci.image.manifest.v1+json' END, '',
           CASE WHEN number %% 14 IN (0, 5) THEN 'index' ELSE 'image' END, 1200,
           20000000 + number * 7919 %% 90000000,
           CASE WHEN number %% 14 IN (0, 5) THEN '' ELSE 'sha256:' || encode(sha256(
                convert_to('config ' || number, 'UTF8')), 'hex') END,
           '', CASE WHEN number %% 14 IN (0, 5) THEN '' ELSE 'linux' END,
           CASE WHEN number %% 14 IN (0, 5) THEN '' ELSE 'amd64' END, '',
           CASE WHEN number %% 14 IN (0, 5) THEN '["linux/amd64", "linux/arm64/v8"]' ELSE '[]'
                END::jsonb,
           now() - number * interval '20 seconds', '{}',
           convert_to('{"schemaVersion":2,"number":' || number || '}', 'UTF8')
      FROM generate_series(0::bigint, %(repositories)s * 14 - 1) AS number
    """,
    """
    INSERT INTO registries_artifact (
        repository_id, manifest_id, size, first_seen_at, pushed_at, pull_count, details)
    SELECT repository.id, manifest.id, total_size, now(), now(), 0, 'complete'
      FROM (SELECT id, total_size, row_number() OVER (ORDER BY id) - 1 AS number
              FROM registries_manifest) manifest
      JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM registries_repository)
           repository ON repository.number = manifest.number / 14
     ORDER BY manifest.number
    """,
    """
    INSERT INTO registries_tag (
        repository_id, name, artifact_id, version_key, size, dated_at, dated_by, first_seen_at,
        changed_at)
    SELECT artifact.repository_id, '1.' || tag, artifact.id, '0011.00' || length(tag::text) || tag,
           20000000 + artifact.id * 7919 %% 90000000, now() - artifact.id * interval '20 seconds',
           'pushed', now(), now()
      FROM (SELECT *, (row_number() OVER (ORDER BY id) - 1) %% 14 AS place
              FROM registries_artifact) artifact
      JOIN unnest(ARRAY[0, 3, 4, 5, 8, 9, 10, 11, 12, 13]) WITH ORDINALITY AS chosen(place, tag)
        ON chosen.place = artifact.place
     ORDER BY artifact.id
    """,
    """
    INSERT INTO registries_manifestchild (
        parent_id, position, digest, media_type, artifact_type, size, os, architecture, variant,
        attests)
    SELECT parent.id, position, child.digest, child.media_type, '', 1200, 'linux',
           CASE position WHEN 0 THEN 'amd64' ELSE 'arm64' END,
           CASE position WHEN 0 THEN '' ELSE 'v8' END, ''
      FROM registries_manifest parent, generate_series(0, 1) AS position, registries_manifest child
     WHERE parent.kind = 'index' AND child.id = parent.id + 1 + position
    """,
    """
    INSERT INTO registries_manifestlayer (manifest_id, position, blob_id, media_type)
    SELECT manifest.id, position, first.id + CASE
               WHEN position < 2 THEN (manifest.id / 140 + position) %% 1000
               ELSE 1000 + manifest.id %% 1200000 END,
           'application/vnd.oci.image.layer.v1.tar+gzip'
      FROM registries_manifest manifest, generate_series(0, 2) AS position,
           (SELECT min(id) AS id FROM registries_blob) first
     WHERE manifest.kind = 'image'
    """,
    """
    INSERT INTO registries_imageconfig (digest, data)
    SELECT config_digest, jsonb_build_object(
        'os', 'linux', 'architecture', 'amd64', 'entrypoint', '["/app"]'::jsonb, 'cmd', '[]'::jsonb,
        'env', '["PATH=/usr/bin", "LANG=C.UTF-8"]'::jsonb, 'labels', '{"team": "x"}'::jsonb,
        'history', '[{"created_by": "COPY . /", "empty_layer": false}]'::jsonb)
      FROM registries_manifest WHERE config_digest <> '' AND id %% 7 = 0
    """,
    "INSERT INTO registries_tagname SELECT DISTINCT name FROM registries_tag",
    """
    INSERT INTO registries_tagmove (
        registry_id, repository_id, tag, old_digest, new_digest, at, source, actor_kind, actor_id,
        actor_label)
    SELECT registry_id, id, '1.1', '', 'sha256:' || repeat('0', 64), now(), 'sync', 'system', '',
           'Portolan'
      FROM registries_repository
    """,
)


# One repository that somebody never cleaned: 20,000 tags.
HUGE = "team-000/monolith"
HUGE_STATEMENTS = (
    """
    INSERT INTO registries_repository (
        registry_id, path, namespace, tag_count, artifact_count, logical_bytes, unique_bytes,
        pushed_at, first_seen_at, verified_at, missing_count, count_due)
    SELECT id, %(path)s, 'team-000', 20000, 20000, 1, 1, now(), now(), now(), 0, false
      FROM registries_registry WHERE name = 'scale'
    """,
    """
    INSERT INTO registries_artifact (
        repository_id, manifest_id, size, first_seen_at, pushed_at, pull_count, details)
    SELECT repository.id, manifest.id, total_size, now(), now(), 0, 'complete'
      FROM registries_repository repository,
           (SELECT id, total_size FROM registries_manifest ORDER BY id LIMIT 20000) manifest
     WHERE repository.path = %(path)s
    """,
    """
    INSERT INTO registries_tag (
        repository_id, name, artifact_id, version_key, size, dated_at, dated_by, first_seen_at,
        changed_at)
    SELECT repository.id, 'build-' || artifact.id, artifact.id, 'build!' || artifact.id,
           artifact.id * 7919 %% 90000000, now() - artifact.id * interval '20 seconds', 'pushed',
           now(), now()
      FROM registries_artifact artifact
      JOIN registries_repository repository ON repository.id = artifact.repository_id
     WHERE repository.path = %(path)s
    """,
)


def fill() -> None:
    """Put the catalog in, unless it is there; takes a few minutes."""
    from registries.models import Registry
    from registries.sync.counters import count_registry

    if Registry.objects.filter(name="scale").exists():
        return
    with transaction.atomic():  # all of it or nothing: the registry's row says that it is there
        for statement in STATEMENTS:
            with connection.cursor() as cursor:
                cursor.execute(statement, {"repositories": REPOSITORIES})
        for statement in HUGE_STATEMENTS:
            with connection.cursor() as cursor:
                cursor.execute(statement, {"path": HUGE})
        count_registry(Registry.objects.get(name="scale"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
