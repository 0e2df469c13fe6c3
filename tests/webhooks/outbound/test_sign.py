"""Standard Webhooks signatures, against the specification's own vector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.outbound import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def signed(*secrets: str, at: datetime = AT, body: bytes = BODY) -> dict[str, str]:
    return sign.headers([sign.key_of(secret) for secret in secrets], MESSAGE, at, body)


def test_the_vector_of_the_specification_is_met() -> None:
    assert signed(SECRET) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_while_a_secret_is_replaced_either_one_verifies() -> None:
    old, new = sign.make_secret(), sign.make_secret()
    headers = signed(new, old)
    assert len(headers["webhook-signature"].split()) == 2
    sign.verify(new, headers, BODY, at=AT)
    sign.verify(old, headers, BODY, at=AT)


def test_a_new_secret_has_the_length_that_the_specification_asks_for() -> None:
    secret = sign.make_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(sign.key_of(secret)) <= 64
    assert secret != sign.make_secret()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_message_and_one_from_the_future_are_refused(minutes: int) -> None:
    with pytest.raises(sign.BadSignature, match="too old, or too new"):
        sign.verify(SECRET, signed(SECRET), BODY, at=AT + timedelta(minutes=minutes))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_message_without_one_of_the_headers_is_refused(name: str) -> None:
    headers = signed(SECRET)
    del headers[name]
    with pytest.raises(sign.BadSignature, match="missing"):
        sign.verify(SECRET, headers, BODY, at=AT)


def test_what_is_no_secret_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign.key_of("whsec_not base64")


@given(st.binary(), st.binary())
def test_a_changed_body_does_not_verify(body: bytes, other: bytes) -> None:
    headers = signed(SECRET, body=body)
    sign.verify(SECRET, headers, body, at=AT)
    if other != body:
        with pytest.raises(sign.BadSignature, match="No signature"):
            sign.verify(SECRET, headers, other, at=AT)
