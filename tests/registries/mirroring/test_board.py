"""What a board says of each tag, and of whom it may be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.mirroring.board import Asked, Board, RepositoryRow, Side, State, TagRow, compare
from registries.models import Artifact, Registry, Repository
from tests import catalog

pytestmark = pytest.mark.django_db
NOON = catalog.NOON


@dataclass(frozen=True)
class Sight:
    whole: bool = False
    namespaces: Sequence[str] = ()
    repositories: Sequence[str] = ()


ALL = Sight(whole=True)


@pytest.fixture
def hub() -> Registry:
    return catalog.registry("hub")


@pytest.fixture
def harbour() -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def nginx(hub: Registry) -> Repository:
    return catalog.repository(hub, "library/nginx")


@pytest.fixture
def copy(harbour: Registry) -> Repository:
    return catalog.repository(harbour, "mirror/hub/nginx")


def board(
    source: Registry,
    target: Registry,
    *,
    paths: tuple[str, str] = ("library/*", "mirror/hub/*"),
    seen: tuple[Sight, Sight] = (ALL, ALL),
    **asked: Any,
) -> Board:
    ends = zip((source, target), paths, seen, strict=True)
    ours, theirs = (Side(registry.pk, path, sight) for registry, path, sight in ends)
    return compare(ours, theirs, Asked(**asked))


def states(found: Board) -> dict[str, str]:
    return {f"{row.rest}:{row.name}": row.state.value for row in found.tags}


def only(found: Board) -> TagRow:
    [row] = found.tags
    return row


def some(counts: Mapping[State, int]) -> dict[str, int]:
    return {state.value: number for state, number in counts.items() if number}


def at(hours: int) -> datetime:
    return NOON + timedelta(hours=hours)


# Each state -----------------------------------------------------------------------------------


def test_the_same_digest_is_the_same(nginx: Repository, copy: Repository) -> None:
    catalog.tag(nginx, "1.0", catalog.image(nginx))
    catalog.tag(copy, "1.0", catalog.image(copy))
    row = only(board(nginx.registry, copy.registry))
    assert (row.rest, row.name, row.state) == ("nginx", "1.0", State.SAME)
    assert row.source_digest == row.target_digest


def test_what_the_target_lacks_is_missing_since_the_source_has_it(
    nginx: Repository, copy: Repository
) -> None:
    catalog.tag(nginx, "1.0", catalog.image(nginx), at=at(5))
    row = only(board(nginx.registry, copy.registry))
    assert (row.state, row.since, row.target_digest) == (State.MISSING, at(5), "")


def test_a_repository_that_the_target_lacks_is_missing_tag_by_tag(
    nginx: Repository, harbour: Registry
) -> None:
    catalog.tag(nginx, "1.0", catalog.image(nginx))
    assert states(board(nginx.registry, harbour)) == {"nginx:1.0": "missing"}


def test_what_the_source_lacks_is_extra(nginx: Repository, copy: Repository) -> None:
    catalog.tag(copy, "1.0", catalog.image(copy), at=at(5))
    row = only(board(nginx.registry, copy.registry))
    assert (row.state, row.since, row.source_digest) == (State.EXTRA, at(5), "")


def test_what_the_source_had_before_is_behind_since_it_moved_on(
    nginx: Repository, copy: Repository
) -> None:
    old, middle, new = (catalog.image(nginx, name) for name in ("old", "middle", "new"))
    catalog.tag(nginx, "latest", new)
    catalog.move(nginx, "latest", old, middle, at=at(1))
    catalog.move(nginx, "latest", middle, new, at=at(2))
    catalog.tag(copy, "latest", catalog.image(copy, "old"))
    row = only(board(nginx.registry, copy.registry))
    assert (row.state, row.since) == (State.BEHIND, at(1))


def test_what_the_target_had_before_is_ahead_since_it_moved_on(
    nginx: Repository, copy: Repository
) -> None:
    catalog.tag(nginx, "latest", catalog.image(nginx, "old"))
    old, new = catalog.image(copy, "old"), catalog.image(copy, "new")
    catalog.tag(copy, "latest", new)
    catalog.move(copy, "latest", old, new, at=at(3))
    row = only(board(nginx.registry, copy.registry))
    assert (row.state, row.since) == (State.AHEAD, at(3))


@pytest.mark.parametrize(("source_at", "wanted"), [(5, "behind"), (1, "ahead")])
def test_where_each_had_the_others_who_moved_last_is_ahead(
    nginx: Repository, copy: Repository, source_at: int, wanted: str
) -> None:
    catalog.tag(nginx, "latest", catalog.image(nginx, "a"))
    catalog.move(
        nginx, "latest", catalog.image(nginx, "b"), catalog.image(nginx, "a"), at=at(source_at)
    )
    catalog.tag(copy, "latest", catalog.image(copy, "b"))
    catalog.move(copy, "latest", catalog.image(copy, "a"), catalog.image(copy, "b"), at=at(3))
    assert states(board(nginx.registry, copy.registry)) == {"nginx:latest": wanted}


def test_the_history_of_another_tag_or_repository_says_nothing(
    nginx: Repository, copy: Repository
) -> None:
    old, new = catalog.image(nginx, "old"), catalog.image(nginx, "new")
    catalog.tag(nginx, "latest", new)
    catalog.move(nginx, "stable", old, new)
    other = catalog.repository(nginx.registry, "library/other")
    catalog.move(other, "latest", old, new)
    catalog.tag(copy, "latest", catalog.image(copy, "old"))
    row = only(board(nginx.registry, copy.registry))
    assert (row.state, row.since) == (State.DIFFERENT, None)


def test_one_platform_of_an_index_is_told_apart(nginx: Repository, copy: Repository) -> None:
    images = [catalog.image(nginx, platform=name) for name in ("linux/amd64", "linux/arm64")]
    catalog.tag(nginx, "1.0", catalog.index(nginx, images, attested=True))
    catalog.tag(copy, "1.0", catalog.image(copy, platform="linux/arm64"))
    assert states(board(nginx.registry, copy.registry)) == {"nginx:1.0": "platform"}


def test_an_attestation_of_an_index_is_no_platform(nginx: Repository, copy: Repository) -> None:
    index = catalog.index(nginx, [catalog.image(nginx)], attested=True)
    catalog.tag(nginx, "1.0", index)
    attestation = Artifact.objects.get(manifest__kind="attestation").manifest
    catalog.tag(copy, "1.0", catalog.present(copy, attestation))
    assert states(board(nginx.registry, copy.registry)) == {"nginx:1.0": "different"}


def test_an_index_that_was_only_listed_is_compared_by_its_digest(
    nginx: Repository, copy: Repository
) -> None:
    index = catalog.index(nginx, [catalog.image(nginx)])
    index.manifest.children.all().delete()
    catalog.tag(nginx, "1.0", index)
    catalog.tag(nginx, "2.0", index)
    catalog.tag(copy, "1.0", catalog.present(copy, index.manifest))
    catalog.tag(copy, "2.0", catalog.image(copy))
    found = states(board(nginx.registry, copy.registry))
    assert found == {"nginx:1.0": "same", "nginx:2.0": "different"}


# Against a simple telling of the same ------------------------------------------------------------

CONTENT = st.sampled_from("abc")
HISTORY = st.lists(CONTENT, max_size=5)
TAGS = st.dictionaries(st.sampled_from(["1.0", "latest", "v2"]), st.tuples(HISTORY, HISTORY))


def put(repository: Repository, name: str, history: Sequence[str], offset: int) -> None:
    """A tag that had these one after the other, by the hour; the last it has now."""
    images = [catalog.image(repository, content) for content in history]
    for number, (old, new) in enumerate(pairwise(images)):
        if old != new:
            catalog.move(repository, name, old, new, at=at(2 * number + offset))
    if images:
        catalog.tag(repository, name, images[-1])


def left(history: Sequence[str], content: str, offset: int) -> int:
    """When the history last moved on from this, -1 for never."""
    steps = enumerate(pairwise(history))
    return max(
        (2 * number + offset for number, (old, new) in steps if old == content != new),
        default=-1,
    )


def told(ours: Sequence[str], theirs: Sequence[str]) -> str:
    if not theirs:
        return "missing"
    if not ours:
        return "extra"
    if ours[-1] == theirs[-1]:
        return "same"
    source_left, target_left = left(ours, theirs[-1], 0), left(theirs, ours[-1], 1)
    if source_left < 0 and target_left < 0:
        return "different"
    return "behind" if source_left > target_left else "ahead"


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tags=TAGS)
def test_any_history_is_judged_as_told(
    hub: Registry, harbour: Registry, tags: dict[str, tuple[list[str], list[str]]]
) -> None:
    name = f"r{Repository.objects.count()}"
    ours = catalog.repository(hub, f"library/{name}")
    theirs = catalog.repository(harbour, f"mirror/hub/{name}")
    for tag, (source, target) in tags.items():
        put(ours, tag, source, 0)
        put(theirs, tag, target, 1)
    found = states(board(hub, harbour, only=name))
    wanted = {
        f"{name}:{tag}": told(source, target)
        for tag, (source, target) in tags.items()
        if source or target
    }
    assert found == wanted


# What is paired -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "ours", "theirs", "rest"),
    [
        (("library/*", "mirror/hub/*"), "library/a/b", "mirror/hub/a/b", "a/b"),
        (("", "mirror/*"), "library/nginx", "mirror/library/nginx", "library/nginx"),
        (("library/*", ""), "library/nginx", "nginx", "nginx"),
        (("", ""), "library/nginx", "library/nginx", "library/nginx"),
        (("library/nginx", "web/server"), "library/nginx", "web/server", ""),
    ],
)
def test_paths_are_mapped(
    hub: Registry, harbour: Registry, paths: tuple[str, str], ours: str, theirs: str, rest: str
) -> None:
    for registry, path in ((hub, ours), (harbour, theirs)):
        one = catalog.repository(registry, path)
        catalog.tag(one, "1.0", catalog.image(one))
    found = board(hub, harbour, paths=paths)
    assert states(found) == {f"{rest}:1.0": "same"}


def test_what_lies_beside_a_path_is_not_compared(hub: Registry, harbour: Registry) -> None:
    for path in ("library-b/nginx", "library", "lib/nginx", "librar/y", "library0/x"):
        beside = catalog.repository(hub, path)
        catalog.tag(beside, "1.0", catalog.image(beside))
    assert board(hub, harbour).total == 0


def test_two_places_of_one_registry_are_compared(harbour: Registry) -> None:
    for path in ("staging/app", "prod/app"):
        one = catalog.repository(harbour, path)
        catalog.tag(one, "1.0", catalog.image(one))
    assert states(board(harbour, harbour, paths=("staging/*", "prod/*"))) == {"app:1.0": "same"}


def test_what_is_gone_from_its_registry_is_not_there(nginx: Repository, copy: Repository) -> None:
    catalog.tag(nginx, "1.0", catalog.image(nginx))
    catalog.tag(copy, "1.0", catalog.image(copy))
    copy.missing_since = NOON
    copy.save()
    assert states(board(nginx.registry, copy.registry)) == {"nginx:1.0": "missing"}


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("", {"v1.0", "v1_0", "v2.0", "V1.0"}),
        ("v1*", {"v1.0", "v1_0"}),
        ("v1_0", {"v1_0"}),
        ("v?.0", {"v1.0", "v2.0"}),
        ("*.0", {"v1.0", "v2.0", "V1.0"}),
    ],
)
def test_tags_are_chosen_by_a_pattern(
    nginx: Repository, harbour: Registry, pattern: str, wanted: set[str]
) -> None:
    image = catalog.image(nginx)
    for name in ("v1.0", "v1_0", "v2.0", "V1.0"):
        catalog.tag(nginx, name, image)
    found = board(nginx.registry, harbour, tags=pattern)
    assert {row.name for row in found.tags} == wanted


def test_tags_of_signatures_are_compared_only_if_asked_for(
    nginx: Repository, harbour: Registry
) -> None:
    image = catalog.image(nginx)
    for name in ("sha-1f2e3d", f"sha256-{'ab' * 32}.sig", f"sha256-{'ab' * 32}"):
        catalog.tag(nginx, name, image)
    assert {row.name for row in board(nginx.registry, harbour).tags} == {"sha-1f2e3d"}
    assert board(nginx.registry, harbour, with_referrers=True).total == 3


# Who is told ----------------------------------------------------------------------------------


@pytest.fixture
def three(hub: Registry, harbour: Registry) -> None:
    """a is on both sides, b in the source alone, c in the target alone."""
    for registry, paths in (
        (hub, ("library/a", "library/b")),
        (harbour, ("mirror/hub/a", "mirror/hub/c")),
    ):
        for path in paths:
            one = catalog.repository(registry, path)
            catalog.tag(one, "1.0", catalog.image(one))


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        (ALL, ALL, "abc"),
        (Sight(namespaces=["library"]), Sight(namespaces=["mirror/hub"]), "abc"),
        (Sight(namespaces=["library"]), Sight(namespaces=["mirror"]), "abc"),
        (Sight(namespaces=["lib"]), ALL, ""),
        (ALL, Sight(namespaces=["mirror/hub/a"]), ""),
        (ALL, Sight(), ""),
        (Sight(), ALL, ""),
        # Neither the copy that is there nor the one that is not, where that could not be seen.
        (ALL, Sight(repositories=["mirror/hub/b"]), "b"),
        (Sight(repositories=["library/c", "library/a"]), ALL, "ac"),
        (Sight(repositories=["library/a"]), Sight(repositories=["mirror/hub/a"]), "a"),
        (Sight(repositories=["library/a"]), Sight(repositories=["mirror/hub/b"]), ""),
    ],
)
def test_pairs_are_told_and_counted_to_who_may_see_both_ends(
    hub: Registry, harbour: Registry, three: None, source: Sight, target: Sight, wanted: str
) -> None:
    for by_repository in (False, True):
        found = board(hub, harbour, seen=(source, target), by_repository=by_repository)
        rows: Sequence[TagRow | RepositoryRow] = found.pairs if by_repository else found.tags
        assert "".join(row.rest for row in rows) == wanted
        assert found.total == found.repositories == len(wanted)


# Sums and pages -------------------------------------------------------------------------------


def test_repositories_are_summed_by_state(hub: Registry, harbour: Registry, three: None) -> None:
    catalog.tag(catalog.repository(hub, "library/d"), "x", Artifact.objects.all()[0])
    catalog.repository(harbour, "mirror/hub/empty", verified_at=None)
    found = board(hub, harbour, by_repository=True)
    assert [
        (row.rest, row.in_source, row.in_target, row.is_read, some(row.counts))
        for row in found.pairs
    ] == [
        ("a", True, True, True, {"same": 1}),
        ("b", True, False, True, {"missing": 1}),
        ("c", False, True, True, {"extra": 1}),
        ("d", True, False, True, {"missing": 1}),
        ("empty", False, True, False, {}),
    ]
    assert some(found.counts) == {"same": 1, "missing": 2, "extra": 1}
    assert (found.total, found.lacking, found.repositories) == (4, 2, 5)


def test_one_state_is_listed_and_all_are_counted(
    hub: Registry, harbour: Registry, three: None
) -> None:
    for by_repository in (False, True):
        found = board(hub, harbour, state="missing", by_repository=by_repository)
        rows: Sequence[TagRow | RepositoryRow] = found.pairs if by_repository else found.tags
        assert [row.rest for row in rows] == ["b"]
        assert some(found.counts) == {"same": 1, "missing": 1, "extra": 1}
    assert not board(hub, harbour, state="nonsense").tags


def test_pages_go_forwards_and_backwards_without_gaps(hub: Registry, harbour: Registry) -> None:
    for path in ("a", "b"):
        one = catalog.repository(hub, f"library/{path}")
        for number in (1, 10, 11, 2, 9):
            catalog.tag(one, f"1.{number}", catalog.image(one))
    everything = [(row.rest, row.name) for row in board(hub, harbour).tags]
    # As people read versions, as everywhere else.
    assert everything[:5] == [("a", f"1.{number}") for number in (1, 2, 9, 10, 11)]
    walked: list[tuple[str, str]] = []
    cursor, more = None, True
    while more:
        page = board(hub, harbour, size=3, cursor=cursor)
        walked += [(row.rest, row.name) for row in page.tags]
        cursor, more = walked[-1], page.more
    assert walked == everything
    back = board(hub, harbour, size=3, cursor=everything[6], backwards=True)
    assert [(row.rest, row.name) for row in back.tags] == everything[3:6]
    assert back.more
    first = board(hub, harbour, size=3, cursor=everything[2], backwards=True)
    assert [(row.rest, row.name) for row in first.tags] == everything[:2]
    assert not first.more
    pairs = board(hub, harbour, size=1, by_repository=True, cursor=("a", ""))
    assert [row.rest for row in pairs.pairs] == ["b"]


def test_a_board_of_very_much_comes_in_parts(hub: Registry, harbour: Registry) -> None:
    for path in ("a", "b", "c"):
        one = catalog.repository(hub, f"library/{path}")
        for number in range(4):
            catalog.tag(one, f"{number}", catalog.image(one))
    catalog.recount(hub)
    first = board(hub, harbour, limit=8, by_repository=True)
    assert ([row.rest for row in first.pairs], first.total, first.next_part) == (
        ["a", "b"],
        8,
        "c",
    )
    rest = board(hub, harbour, limit=8, begin="c", by_repository=True)
    assert ([row.rest for row in rest.pairs], rest.total, rest.next_part) == (["c"], 4, None)
    # A repository is never cut.
    assert board(hub, harbour, limit=1).total == 4


def test_a_page_is_one_statement(hub: Registry, harbour: Registry, three: None) -> None:
    for by_repository in (False, True):
        with CaptureQueriesContext(connection) as captured:
            board(hub, harbour, by_repository=by_repository)
        assert len(captured) == 1


def test_nothing_to_compare_is_no_error(hub: Registry, harbour: Registry) -> None:
    for by_repository in (False, True):
        found = board(hub, harbour, by_repository=by_repository)
        assert (found.total, found.repositories, found.next_part, found.more) == (0, 0, None, False)
