"""Hostile and broken content: stored without what no column holds, and no run ends by it."""

from __future__ import annotations

import json

from registries.models import Blob, ImageConfig, Manifest, Registry
from tests.fakes import content, misbehaviour
from tests.fakes.misbehaviour import (
    path_has,
)
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.bad_days import MEGABYTE, fill
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, succeed, sync, theirs


def test_nul_and_broken_unicode_are_stored_without(fake: FakeRegistry, registry: Registry) -> None:
    labels = {"a\x00b": "c\x00d", "half": "\ud800", "fine": "ünïcode ☃"}
    image = content.image(labels=labels, annotations=labels)
    fake.push("app", image, "1")

    succeed(registry)

    manifest = Manifest.objects.get()
    expected = {"ab": "cd", "half": "", "fine": "ünïcode ☃"}
    assert manifest.annotations == expected
    stored = ImageConfig.objects.get(digest=manifest.config_digest).data["labels"]
    assert stored.items() >= expected.items()
    assert manifest.document == image.raw


def test_a_registry_may_say_nul_in_its_errors(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    document = {"errors": [{"code": "UNKNOWN\x00", "message": "a\x00b \ud800" + "x" * 10_000}]}
    fake.misbehave(path_has("app1/tags"), misbehaviour.answers_with(500, json.dumps(document)))

    run = sync(registry)

    assert run.state == "partial"
    problem = run.problems.get()
    assert "\x00" not in problem.message
    assert len(problem.message) < 1000


def test_absurdly_long_types_and_platforms_are_cut(fake: FakeRegistry, registry: Registry) -> None:
    long = "application/vnd." + "x" * 10_000
    fake.push("app", content.artifact(long, config=(b"{}", long)), "artifact")
    fake.push("app", content.typed_artifact(long), "layer")
    image = content.image(os="o" * 10_000, architecture="a" * 10_000)
    fake.push("app", image, "image")
    fake.push_index("app", [(image, "o" * 10_000, "a" * 10_000)], "index")

    succeed(registry)

    assert ours(registry) == theirs(fake)
    assert Manifest.objects.get(digest=image.digest).os == "o" * 64
    assert_counters_are_true(registry)


def test_claimed_sizes_that_no_column_holds_do_not_end_a_run(
    fake: FakeRegistry, registry: Registry
) -> None:
    largest = 2**63 - 1
    honest = content.image()
    document = honest.document
    for number, layer in enumerate(document["layers"]):
        layer |= {"size": largest, "digest": content.digest_of(b"liar%d" % number)}
    liar = content.Pushed(content.as_bytes(document), honest.media_type, honest.blobs)
    fake.push("team/app", liar, "1")
    fake.push("team/other", liar, "1")
    fake.push("team/app", honest, "2")
    fake.push_index("team/app", [(liar, "linux", "amd64")], "3")

    succeed(registry)

    assert ours(registry) == theirs(fake)
    assert registry.unique_bytes == largest
    assert Blob.objects.get(digest=content.digest_of(b"base")).size == 4


def test_more_layers_than_any_image_has_do_not_end_a_run(
    fake: FakeRegistry, registry: Registry
) -> None:
    layers = [{"digest": content.digest_of(b"x"), "size": 1} for _ in range(2**15 + 5)]
    document = content.image().document | {"layers": layers}
    monster = content.Pushed(json.dumps(document).encode(), content.image().media_type)
    assert len(monster.raw) < 4 * MEGABYTE
    fake.push("app", monster, "1")
    fake.push("app", content.image(), "2")

    sync(registry)

    assert ours(registry) == theirs(fake)
