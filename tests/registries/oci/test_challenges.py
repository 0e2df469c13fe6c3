import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci.challenges import Challenge, parse_challenges

DOCKER = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
    'scope="repository:library/alpine:pull,push repository:b:pull",error="insufficient_scope"'
)


def test_a_bearer_challenge_keeps_commas_inside_quotes() -> None:
    (challenge,) = parse_challenges([DOCKER])
    assert challenge.scheme == "bearer"
    assert challenge.params == {
        "realm": "https://auth.docker.io/token",
        "service": "registry.docker.io",
        "scope": "repository:library/alpine:pull,push repository:b:pull",
        "error": "insufficient_scope",
    }


@pytest.mark.parametrize(
    ("headers", "schemes"),
    [
        (['Basic realm="a", Bearer realm="b"'], ["basic", "bearer"]),
        (['Basic realm="a"', 'BEARER realm="b"'], ["basic", "bearer"]),
        (['Negotiate, Basic realm="a"'], ["negotiate", "basic"]),
        (['Negotiate YWJj==, Basic realm="a"'], ["negotiate", "basic"]),
        (['Digest qop="auth, auth-int", Basic realm="a"'], ["digest", "basic"]),
        ([" , ,Basic"], ["basic"]),
        ([], []),
        ([""], []),
        (['"Basic realm=x'], []),
    ],
)
def test_several_challenges_come_in_order(headers: list[str], schemes: list[str]) -> None:
    assert [it.scheme for it in parse_challenges(headers)] == schemes


def test_a_quoted_text_is_no_challenge() -> None:
    header = r'Basic realm="x, Bearer realm=\"https://evil.example\""'
    assert parse_challenges([header]) == (
        Challenge("basic", {"realm": 'x, Bearer realm="https://evil.example"'}),
    )


def test_the_first_of_a_repeated_parameter_counts() -> None:
    (challenge,) = parse_challenges(['Bearer realm="https://a", realm="https://b"'])
    assert challenge.params["realm"] == "https://a"


@pytest.mark.parametrize(
    "header",
    ["Bearer realm=https://a/token,service=b", 'Bearer REALM = "https://a/token" , service = b'],
)
def test_servers_that_do_not_quote_are_understood(header: str) -> None:
    (challenge,) = parse_challenges([header])
    assert challenge.params == {"realm": "https://a/token", "service": "b"}


VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_any_quoted_value_comes_back_as_it_was(values: list[str]) -> None:
    escaped = [value.replace("\\", r"\\").replace('"', r"\"") for value in values]
    header = ", ".join(f'k{number}="{value}"' for number, value in enumerate(escaped))
    (challenge,) = parse_challenges([f"Bearer {header}"])
    assert challenge.params == {f"k{number}": value for number, value in enumerate(values)}


@given(st.lists(st.text()))
def test_any_header_is_read_without_failing(headers: list[str]) -> None:
    for challenge in parse_challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()
