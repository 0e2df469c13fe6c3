from hypothesis import given
from hypothesis import strategies as st

from dashboard.browse.layers import Layer, align, readable


def layer(number: int, size: int = 10) -> Layer:
    return Layer(f"sha256:{number:064x}", size, "application/octet-stream")


def step(command: str, *, empty: bool = False) -> dict[str, object]:
    return {"created_by": command, "empty_layer": empty}


def test_each_layer_stands_beside_the_step_that_made_it() -> None:
    history = [step("ADD a"), step("ENV b=c", empty=True), step("COPY d")]
    found = align([layer(1, 100), layer(2, 25)], history)
    assert [(one.command, one.number) for one in found] == [
        ("ADD a", 1),
        ("ENV b=c", 0),
        ("COPY d", 2),
    ]
    assert found[1].layer is None
    assert [one.share for one in found] == [100, 0, 25]


def test_a_history_that_does_not_match_the_layers_is_not_believed() -> None:
    found = align([layer(1), layer(2)], [step("ADD a")])
    assert [one.command for one in found] == ["", ""]
    assert [one.layer for one in found] == [layer(1), layer(2)]


def test_an_image_of_empty_layers_has_bars_of_no_length() -> None:
    assert [one.share for one in align([layer(1, 0)], [])] == [0]


@given(st.lists(st.booleans()), st.integers(0, 8))
def test_no_layer_is_ever_lost(empties: list[bool], count: int) -> None:
    layers = [layer(number) for number in range(count)]
    found = align(layers, [step("x", empty=empty) for empty in empties])
    assert [one.layer for one in found if one.layer] == layers


def test_steps_read_as_their_dockerfile_had_them() -> None:
    assert readable('/bin/sh -c #(nop)  CMD ["bash"]') == 'CMD ["bash"]'
    assert readable("/bin/sh -c apt-get update") == "RUN apt-get update"
    assert readable("RUN /bin/sh -c make # buildkit") == "RUN make"
    assert readable("|1 VERSION=2 /bin/sh -c make") == "RUN make"
    assert readable("COPY . /srv # buildkit") == "COPY . /srv"
