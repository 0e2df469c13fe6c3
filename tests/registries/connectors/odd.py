"""What a vendor may send in place of what its documentation says."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    1e300,
    "",
    "x",
    "12",
    "-7",
    "\x00",
    "\ud800",
    "2026-02-30T99:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "sha256:" + "0" * 64,
    "UPPER/case",
    [],
    ["x", None, {}],
    [[]],
    {},
    {"a": 1},
    {"name": None},
)
odd = st.sampled_from(ODD_VALUES)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
digests = st.sampled_from(["sha256:" + "a" * 64, "sha256:" + "b" * 64])

# Hypothesis's very first draw searches every module there is for constants, which takes seconds on a
# busy machine and says nothing of the test.
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
