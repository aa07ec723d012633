"""W3C Trace Context, level 1: a well-formed `traceparent` is continued, anything else begins a new trace.

Rooms: authserver/trace.py
"""

import re

import pytest

from authserver import trace

ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "header", [f"00-{ID}-{PARENT}-01", f"00-{ID}-{PARENT}-ff", f"01-{ID}-{PARENT}-00", f"fe-{ID}-{PARENT}-00-later"]
)
def test_w3c_trace_context_3_2_a_trace_is_continued(header: str) -> None:
    assert trace.begin([header.encode()]).trace_id == ID


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [f"00-{ID}-{PARENT}-01"] * 2,
        [f"00-{ID}-{PARENT}-01", "x"],
        [f"00-{ID}-{PARENT}-01-more"],
        [f"00-{ID}-{PARENT}-01-"],
        [f"00-{ID}-{PARENT}-01\n"],
        [f" 00-{ID}-{PARENT}-01"],
        [f"01-{ID}-{PARENT}-00later"],
        [f"ff-{ID}-{PARENT}-01"],
        [f"00-{ID.upper()}-{PARENT}-01"],
        [f"00-{ID[:-1]}g-{PARENT}-01"],
        [f"00-{ID[:-1]}-{PARENT}-01"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{ID}-{'0' * 16}-01"],
        [f"00-{ID}-{PARENT}-1"],
        [f"00-{ID}-{PARENT}"],
        [f"00-{ID}-{PARENT}-01, 00-{ID}-{PARENT}-01"],
        ["\x00" * 55],
        ["A" * 65536],
        [""],
    ],
    ids=str,
)
def test_w3c_trace_context_3_2_or_a_new_one_begins(headers: list[str]) -> None:
    first, second = (trace.begin([header.encode() for header in headers]).trace_id for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert len({first, second, ID}) == 3
