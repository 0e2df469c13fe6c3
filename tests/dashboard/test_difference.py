from dashboard.browse.difference import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    LayerDifference,
    changed_values,
)
from dashboard.browse.layers import Layer, Step


def steps(*layers: tuple[str, int]) -> list[Step]:
    return [Step("", Layer(digest, size, "x")) for digest, size in layers]


def test_layers_are_shared_added_or_removed_and_their_bytes_are_counted() -> None:
    found = LayerDifference.between(steps(("a", 10), ("b", 5)), steps(("a", 10), ("c", 20)))
    assert [(one.state, one.step.layer.digest) for one in found.changes if one.step.layer] == [
        (REMOVED, "b"),
        (SAME, "a"),
        (ADDED, "c"),
    ]
    assert (found.shared_bytes, found.added_bytes, found.removed_bytes) == (10, 20, 5)
    assert [one.share for one in found.changes] == [25, 50, 100]


def test_a_layer_used_twice_is_pulled_once() -> None:
    found = LayerDifference.between([], steps(("a", 10), ("a", 10)))
    assert found.added_bytes == 10


def test_steps_without_a_layer_make_no_difference() -> None:
    assert not LayerDifference.between([Step("ENV a=b", None)], []).changes


def test_values_that_are_the_same_are_left_out() -> None:
    found = changed_values({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": ""})
    assert [(one.name, one.state) for one in found] == [
        ("b", CHANGED),
        ("c", REMOVED),
        ("d", ADDED),
    ]
