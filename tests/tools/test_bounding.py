from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homarus.tools.bounding import bound_text


@given(st.text(max_size=500), st.integers(8, 300))
def test_a_bounded_text_is_short_and_has_both_ends(text: str, limit: int) -> None:
    bounded = bound_text(text, limit)
    if len(text) <= limit:
        assert bounded == text
    else:
        assert len(bounded) <= limit + 50
        assert bounded.startswith(text[: limit // 2])
        assert bounded.endswith(text[-(limit // 4) :])
        assert f"{len(text) - limit} characters left out" in bounded
