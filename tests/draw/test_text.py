"""Texts are cut to the room that there is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dse.draw.text import fitted, text_width


@given(text=st.text(max_size=40), room=st.floats(20, 400), bold=st.booleans())
def test_what_is_fitted_fits(text: str, room: float, bold: bool) -> None:
    short = fitted(text, room, 13, bold)
    assert text_width(short, 13, bold) <= room
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert short == text or text_width(text, 13, bold) > room


def test_letters_are_as_wide_as_they_look() -> None:
    assert text_width("iii", 12) < text_width("aaa", 12) < text_width("mmm", 12)
    assert text_width("a", 24) == 2 * text_width("a", 12)
    assert text_width("a", 12, bold=True) > text_width("a", 12)
