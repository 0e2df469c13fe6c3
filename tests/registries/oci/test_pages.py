import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from registries.oci.errors import ForeignLink, InvalidDocument, RegistryError, TooManyPages
from registries.oci.pages import PageGuard, next_page, parse_links

REQUEST = URL("https://reg.example.com/v2/team/api/tags/list?n=2")
NEXT = "https://reg.example.com/v2/team/api/tags/list?last=b&n=2"


@pytest.mark.parametrize(
    "header",
    [
        '</v2/team/api/tags/list?last=b&n=2>; rel="next"',
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>; title="a, b"; REL="prev Next"',
        '<?last=b&n=2>;rel="next"',
        '</v2/team/api/tags/list?first>; rel="first", <?last=b&n=2>; rel="next"',
        # zot 1.0 leaves the brackets out.
        '/v2/team/api/tags/list?last=b&n=2; rel="next"',
        # A proxy that ends TLS, and one that strips a path prefix (Artifactory).
        '<http://reg.example.com/v2/team/api/tags/list?last=b&n=2>; rel="next"',
        '<http://reg.example.com:5000/api/tags/list?last=b&n=2>; rel="next"',
    ],
)
def test_every_form_of_link_leads_to_the_next_page_on_the_same_origin(header: str) -> None:
    assert str(next_page([header], REQUEST)) == NEXT


@pytest.mark.parametrize("header", ["", "<a>", '<a>; rel="prev"', '; rel="next"', "<a>; rel", "<a"])
def test_without_a_next_link_there_is_no_next_page(header: str) -> None:
    assert next_page([header], REQUEST) is None
    assert next_page([], REQUEST) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/v2/",
        "//evil.example/v2/",
        "https://reg.example.com.evil.example/",
        "https://reg.example.com@evil.example/",
        "http://169.254.169.254/?last=b",
    ],
)
def test_a_link_to_another_host_is_refused(target: str) -> None:
    with pytest.raises(ForeignLink):
        next_page([f'<{target}>; rel="next"'], REQUEST)


@pytest.mark.parametrize(
    "target",
    ["http://[::1", "?last=a\x01", "?last=a\tb", "?last=a b", "?last=\x7f", "?last=\udc80"],
)
def test_a_link_that_is_no_address_is_an_invalid_document(target: str) -> None:
    with pytest.raises(InvalidDocument):
        next_page([f'<{target}>; rel="next"'], REQUEST)


def test_a_quoted_cursor_stays_as_the_server_wrote_it() -> None:
    page = next_page(['<?last=a%2Fb%3D&n=2>; rel="next"'], REQUEST)
    assert page is not None
    assert page.raw_query_string == "last=a%2Fb%3D&n=2"


def test_pages_in_a_circle_are_noticed_though_each_differs_from_the_last() -> None:
    guard = PageGuard(100)
    guard.admit(REQUEST, b"a", holds_names=True)
    guard.admit(URL(NEXT), b"b", holds_names=True)
    with pytest.raises(TooManyPages):
        guard.admit(REQUEST, b"a", holds_names=True)


def test_empty_pages_alike_are_no_circle() -> None:
    guard = PageGuard(100)
    guard.admit(REQUEST, b"{}", holds_names=False)
    guard.admit(URL(NEXT), b"{}", holds_names=False)


def test_pages_that_are_too_large_together_are_given_up() -> None:
    guard = PageGuard(10_000)
    page = b" " * 32 * 1024**2
    for number in range(32):
        guard.admit(REQUEST.with_query(page=number), page, holds_names=False)
    with pytest.raises(TooManyPages, match="bytes"):
        guard.admit(REQUEST.with_query(page=32), page, holds_names=False)


@given(st.text())
def test_any_header_is_read_without_failing_and_never_leaves_the_origin(header: str) -> None:
    parse_links(header)
    try:
        page = next_page([header, f'<{header}>; rel="next"'], REQUEST)
    except RegistryError:
        return
    assert page is None or page.origin() == REQUEST.origin()
