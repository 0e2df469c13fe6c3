"""boto3 itself, which publishes no types: clients of its own that read nothing of the machine.

Imported when the first such registry is opened, since it takes half a second.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from registries.connectors.ecr.api import Keys
from registries.oci.transport import Answer, Sending

# The machine's own profile, configuration and credentials are nobody's business here.
_NOTHING_OF_THE_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    ignore_configured_endpoint_urls=True,
)
# What is known of Amazon's services, in files: read once, not for each session.
_LOADER = botocore.loaders.create_loader()


def make_client(
    service: str,
    region: str,
    endpoint: str,
    keys: Keys,
    carry: Callable[[str, str, Sending], Answer],
) -> Any:
    """Return a client that sends nothing by itself: `carry` (method, address, rest) answers for it."""

    def before_send(request: Any, **_: object) -> Any:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        answer = carry(request.method, request.url, Sending(_headers(request.headers), body))
        return AWSResponse(request.url, answer.status, answer.headers, _Body(answer.body))

    core = botocore.session.Session(session_vars=_NOTHING_OF_THE_MACHINE)
    core.register_component("data_loader", _LOADER)
    client = boto3.session.Session(
        aws_access_key_id=keys.key_id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.session_token,
        region_name=region,
        botocore_session=core,
    ).client(service, endpoint_url=endpoint, config=_CONFIG)
    client.meta.events.register("before-send", before_send)
    return client


class _Body:
    """A body as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        return [self._body]


def _headers(prepared: Mapping[str, str | bytes]) -> dict[str, str]:
    """Return what was signed; the length is counted and the program named by who carries it."""
    texts = {
        name: value.decode("ascii") if isinstance(value, bytes) else value
        for name, value in prepared.items()
    }
    return {
        name: value
        for name, value in texts.items()
        if name.lower() not in ("content-length", "user-agent")
    }
