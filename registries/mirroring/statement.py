"""The statement behind a page of a mirror's board.

It pairs repositories by the part of the path that both sides share, pairs their tags by name, judges
those that differ by what either tag pointed at before, counts, and cuts out the page. All of it once:
counting and cutting from two statements would judge every tag twice.
"""

from __future__ import annotations

_STATEMENT = """
WITH source AS (
    {source}
), target AS (
    {target}
), pair AS MATERIALIZED (
    SELECT rest, source.id AS source, target.id AS target,
           (source.id IS NULL OR source.verified_at IS NOT NULL)
               AND (target.id IS NULL OR target.verified_at IS NOT NULL) AS is_read,
           coalesce(source.tag_count, 0) + coalesce(target.tag_count, 0) AS tags
      FROM source FULL JOIN target USING (rest)
), numbered AS MATERIALIZED (
    SELECT *, sum(tags) OVER (ORDER BY rest) - tags AS before
      FROM pair WHERE rest >= %(begin)s {only}
), part AS MATERIALIZED (
    SELECT * FROM numbered WHERE before < %(limit)s
), ours AS (
    {ours}
), theirs AS (
    {theirs}
), paired AS MATERIALIZED (
    SELECT rest, name, coalesce(ours.version_key, theirs.version_key) AS version_key,
           ours.repository AS source, theirs.repository AS target,
           ours.manifest AS source_manifest, theirs.manifest AS target_manifest,
           ours.at AS source_at, theirs.at AS target_at,
           coalesce(ours.manifest <> theirs.manifest, FALSE) AS differs
      FROM ours FULL JOIN theirs USING (rest, name)
), judged AS MATERIALIZED (
    SELECT rest, name, version_key, source_manifest, target_manifest,
           CASE WHEN target_manifest IS NULL THEN 'missing'
                WHEN source_manifest IS NULL THEN 'extra'
                ELSE 'same' END AS state,
           CASE WHEN target_manifest IS NULL THEN source_at
                WHEN source_manifest IS NULL THEN target_at END AS since
      FROM paired WHERE NOT differs
     UNION ALL
    SELECT rest, name, version_key, source_manifest, target_manifest, history.state,
           CASE history.state WHEN 'behind' THEN source_left WHEN 'ahead' THEN target_left END
      FROM paired
      JOIN registries_manifest ours ON ours.id = source_manifest
      JOIN registries_manifest theirs ON theirs.id = target_manifest
     CROSS JOIN LATERAL (
           SELECT (SELECT max(move.at) FROM registries_tagmove move
                    WHERE move.repository_id = paired.source AND move.tag = paired.name
                      AND move.old_digest = theirs.digest) AS source_left,
                  (SELECT max(move.at) FROM registries_tagmove move
                    WHERE move.repository_id = paired.target AND move.tag = paired.name
                      AND move.old_digest = ours.digest) AS target_left,
                  EXISTS (SELECT FROM registries_manifestchild child
                           WHERE child.parent_id = source_manifest AND child.attests = ''
                             AND child.digest = theirs.digest) AS is_part
            OFFSET 0) known
     CROSS JOIN LATERAL (
           SELECT CASE WHEN is_part THEN 'platform'
                       -- Each may have had what the other has: who moved on last, is ahead.
                       WHEN source_left >= coalesce(target_left, '-infinity') THEN 'behind'
                       WHEN target_left IS NOT NULL THEN 'ahead'
                       ELSE 'different' END AS state) history
     WHERE differs
)
SELECT (SELECT json_object_agg(state, number)
          FROM (SELECT state, count(*) AS number FROM judged GROUP BY state) sums),
       (SELECT count(*) FROM part),
       (SELECT min(rest) FROM numbered WHERE before >= %(limit)s),
       (SELECT json_agg(json_build_array({columns})) FROM ({page}) page)
"""

# Each end: only what lies below its path, and is seen at both ends, there or not.
_END = """
    SELECT id, rest, tag_count, verified_at
      FROM (SELECT id, path, substr(path, %({here}_length)s + 1) AS rest, tag_count, verified_at
              FROM registries_repository
             WHERE registry_id = %({here}_registry)s AND missing_since IS NULL
               AND {inside}) inside
     WHERE {seen_here} AND {seen_there}
"""
_INSIDE = {
    "registry": "TRUE",
    "pattern": "path >= %({here}_prefix)s AND path < %({here}_before)s",
    "repository": "path = %({here}_prefix)s",
}
_SEEN = """
    ({path} = ANY(%({side}_paths)s::text[])
     OR EXISTS (SELECT FROM unnest(%({side}_below)s::text[]) AS below
                 WHERE starts_with({path}, below)))
"""
_TAGS = """
    SELECT part.rest, tag.name, tag.version_key, tag.repository_id AS repository,
           tag.first_seen_at AS at, artifact.manifest_id AS manifest
      FROM part
      JOIN registries_tag tag ON tag.repository_id = part.{here}
      JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
     WHERE TRUE {filters}
"""

_TAG_COLUMNS = "rest, name, state, since, source_digest, target_digest"
_TAG_PAGE = """
    SELECT rest, name, state, since, ours.digest AS source_digest, theirs.digest AS target_digest
      FROM (SELECT * FROM judged
             WHERE (%(state)s = '' OR state = %(state)s) {cursor}
             ORDER BY rest {order}, version_key {order}, name {order} LIMIT %(rows)s) page
      LEFT JOIN registries_manifest ours ON ours.id = source_manifest
      LEFT JOIN registries_manifest theirs ON theirs.id = target_manifest
     ORDER BY rest {order}, version_key {order}, name {order}
"""
_PAIR_COLUMNS = "rest, in_source, in_target, is_read, counts"
_PAIR_PAGE = """
    SELECT rest, source IS NOT NULL AS in_source, target IS NOT NULL AS in_target, is_read, counts
      FROM part
      LEFT JOIN (SELECT rest, json_object_agg(state, number) AS counts,
                        bool_or(state = %(state)s) AS fits
                   FROM (SELECT rest, state, count(*) AS number FROM judged GROUP BY rest, state) one
                  GROUP BY rest) sums USING (rest)
     WHERE (%(state)s = '' OR fits) {cursor}
     ORDER BY rest {order} LIMIT %(rows)s
"""


def statement(
    *,
    source: str,
    target: str,
    source_whole: bool,
    target_whole: bool,
    only: bool,
    tags: bool,
    with_referrers: bool,
    by_repository: bool,
    cursor: str,
) -> str:
    """The text. `source` and `target` are "registry", "pattern" or "repository"; `cursor` is how a
    row compares with it, "<" for a page read backwards. Values are parameters, none is in it."""
    whole = {"source": source_whole, "target": target_whole}
    filters = "AND tag.name LIKE %(tags)s" if tags else ""
    if not with_referrers:
        # The first is cheap, and holds of hardly any.
        filters += " AND NOT (starts_with(tag.name, 'sha') AND tag.name ~ %(referring)s)"
    page, columns, key, edge = (
        (_PAIR_PAGE, _PAIR_COLUMNS, "rest", "%(rest)s")
        if by_repository
        else (
            _TAG_PAGE,
            _TAG_COLUMNS,
            "(rest, version_key, name)",
            "(%(rest)s, %(version_key)s, %(name)s)",
        )
    )
    return _STATEMENT.format(
        source=_end("source", "target", source, whole),
        target=_end("target", "source", target, whole),
        only="AND rest = %(only)s" if only else "",
        ours=_TAGS.format(here="source", filters=filters),
        theirs=_TAGS.format(here="target", filters=filters),
        columns=columns,
        page=page.format(
            cursor=f"AND {key} {cursor} {edge}" if cursor else "",
            order="DESC" if cursor == "<" else "ASC",
        ),
    )


def _end(here: str, there: str, extent: str, whole: dict[str, bool]) -> str:
    seen_here = "TRUE" if whole[here] else _SEEN.format(path="path", side=here)
    path = f"(%({there}_prefix)s || rest)"
    seen_there = "TRUE" if whole[there] else _SEEN.format(path=path, side=there)
    return _END.format(
        here=here,
        inside=_INSIDE[extent].format(here=here),
        seen_here=seen_here,
        seen_there=seen_there,
    )
