"""How wide text is, by a careful guess: a drawing does not know the reader's fonts."""

from __future__ import annotations

_EMS = {
    0.34: "ijlIJ|' .,:;/·",
    0.42: "ftr()[]-!",
    0.62: "acekosvxyzFLPTY_",
    0.70: "ABCKRVXZ",
    0.79: "DGHNOQU",
    0.87: "wM→−×",
    1.00: "mW…%@",
}
_EM = {letter: width for width, letters in _EMS.items() for letter in letters}
_OTHER, _FOREIGN = 0.64, 1.0  # other letters and digits; what is not ASCII
_BOLD = 1.15


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Pixels that `text` takes at a font size of `size` pixels, at most.

    The widths are those of DejaVu Sans by groups of letters, rounded up; it is wider than the
    system fonts of phones and desktops.
    """
    ems = sum(_EM.get(letter, _OTHER if letter.isascii() else _FOREIGN) for letter in text)
    return ems * size * (_BOLD if bold else 1)


def fitted(text: str, room: float, size: float, bold: bool = False) -> str:
    """`text`, or as much of it as fits into `room` pixels, with an ellipsis."""
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(f"{text}…", size, bold) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
