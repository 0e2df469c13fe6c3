import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci import untrusted
from registries.oci.configs import ImageConfig, parse_image_config
from registries.oci.errors import InvalidDocument
from tests.registries.oci.test_documents import JSON

FULL = {
    "os": "linux",
    "architecture": "arm64",
    "variant": "v8",
    "os.version": "1.2",
    "created": "2026-03-01T12:00:00.123456789+02:00",
    "author": "us",
    "config": {
        "Entrypoint": ["/bin/app"],
        "Cmd": "serve",
        "Env": ["A=b", "C=d"],
        "Labels": {"k": "v"},
        "WorkingDir": "/srv",
        "User": "1000",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
    },
    "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
    "history": [
        {"created": "2026-01-01T00:00:00Z", "created_by": "ADD", "comment": "c"},
        {"created_by": "ENV", "empty_layer": True},
    ],
}


def parse(document: object) -> ImageConfig:
    return parse_image_config(json.dumps(document).encode())


def test_a_config_says_what_runs_and_how_it_was_made() -> None:
    config = parse(FULL)
    assert (config.os, config.architecture, config.variant) == ("linux", "arm64", "v8")
    assert config.created == datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)
    assert (config.entrypoint, config.cmd) == (("/bin/app",), ("serve",))
    assert config.env == ("A=b", "C=d")
    assert config.exposed_ports == ("53/udp", "80/tcp")
    assert config.volumes == ("/data",)
    assert [(it.created_by, it.comment, it.empty_layer) for it in config.history] == [
        ("ADD", "c", False),
        ("ENV", None, True),
    ]
    assert config.diff_ids == ("sha256:1",)


def test_a_config_as_json_is_plain_and_whole() -> None:
    document = parse(FULL).as_json()
    assert orjson.loads(orjson.dumps(document)) == document
    assert document["labels"] == {"k": "v"}
    assert document["created"] == "2026-03-01T10:00:00.123456+00:00"
    assert set(document) == set(ImageConfig.__dataclass_fields__)


@pytest.mark.parametrize(
    "created",
    [
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:01Z",
        "",
        "now",
        None,
        5,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_time_that_says_nothing_is_none(created: object) -> None:
    assert parse({"created": created}).created is None


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-23, 23))
def test_any_real_time_comes_back_in_utc(moment: datetime, hours: int) -> None:
    try:
        local = moment.astimezone(timezone(timedelta(hours=hours)))
    except OverflowError:
        return
    assert untrusted.moment(local.isoformat()) == (moment if moment.year > 1970 else None)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff", b'{"fsLayers": []}'])
def test_what_is_no_config_is_an_invalid_document(raw: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_image_config(raw)


KEYS = st.sampled_from([*FULL, "Labels", "Env", "Cmd", "ExposedPorts", "diff_ids", "created_by"])


@given(
    st.dictionaries(
        KEYS, JSON | st.dictionaries(KEYS, JSON) | st.lists(st.dictionaries(KEYS, JSON))
    )
)
def test_any_object_gives_a_config_that_can_be_stored(document: dict[str, Any]) -> None:
    stored = orjson.dumps(parse(document).as_json())
    assert b"\\u0000" not in stored
