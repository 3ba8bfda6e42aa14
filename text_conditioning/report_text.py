"""Refuses text that is no report: binary data, wrong encodings, HTML and RTF.

Tags and control words inside a sentence would be encoded as words, and taking them out would break the promise that the
spans of the sentences reproduce the text. So such text is refused with a way to convert it, and never guessed at.
"""

from __future__ import annotations

import re

from text_conditioning.errors import ReportTextError

_UNUSABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff\ufffe\uffff]")
_LOST = "\ufffd"  # stands for bytes that could not be decoded
_MOST_LOST = 0.02  # part of the characters
_HTML = re.compile(
    r"</?(?:p|br|div|span|b|i|u|em|strong|font|html|head|body|meta|style|script|title|table|tbody|thead|tr|td|th|ul|ol|li|dl|dt|"
    r"dd|h[1-6]|hr|pre|sup|sub|center|a|img|blockquote|section|paragraph|content|text|item|list)(?:\s[^<>]{0,300})?/?>|<!--|<!DOCTYPE",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|deg|micro|plusmn|times|middot|bull|[nm]dash|[lr][sd]quo|hellip|sup[123]|frac1[24]|"
    r"[aeiouAEIOU](?:uml|acute|grave|circ)|szlig|ccedil|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});"
)
_RTF = re.compile(
    r"\{\\rtf|\\(?:par|pard|plain|fs\d+|f\d+|b0?|i0?|ul|ulnone|line|tab|cf\d+|lang\d+|qj|ql|sb\d+|sa\d+|fonttbl|colortbl)"
    r"(?=[\\{}\s;])|\\'[0-9a-f]{2}"
)
_FEWEST_RTF = 2  # control words; a single backslash may be a slip


def require_readable(text: str) -> None:
    """Make sure that a text can be a report.

    Args:
        text: The report.

    Raises:
        ReportTextError: If it holds no words, control characters or lone surrogates, many characters that could not be
            decoded, or remnants of HTML or RTF. The message says where, and how to convert it.
    """
    unusable = _UNUSABLE.search(text)
    if unusable:
        raise ReportTextError.about(
            f"The report holds U+{ord(unusable.group()):04X} at character {unusable.start()}, which no text holds: the "
            "file is binary or was decoded wrongly",
            fix="give plain text in UTF-8, or declare the report as null",
        )
    if text.count(_LOST) > max(2, _MOST_LOST * len(text)):
        raise ReportTextError.about(
            f"The report holds {text.count(_LOST)} characters that could not be decoded, the first at character "
            f"{text.index(_LOST)}",
            fix="decode the file with its own encoding, for example: iconv -f latin1 -t utf-8",
        )
    found = _markup(text)
    if found is not None:
        kind, match, fix = found
        raise ReportTextError.about(
            f"The report holds {kind} ({match.group()[:20]!r} at character {match.start()})",
            fix=f"give plain text, for example with {fix}",
        )
    if not any(character.isalpha() for character in text):
        raise ReportTextError.about(
            f"The report {text[:40]!r} holds no words",
            fix="give its text, or declare the report as null if there is none",
        )


def _markup(text: str) -> tuple[str, re.Match[str], str] | None:
    """Find remnants of a markup language: its name, the first place, and what converts it."""
    html = _HTML.search(text) if "<" in text else None
    if html:
        return "HTML tags", html, "html2text, or BeautifulSoup(text).get_text()"
    entity = _ENTITY.search(text) if "&" in text else None
    if entity:
        return "HTML entities", entity, "Python's html.unescape"
    if "\\" in text:
        first = _RTF.search(text)
        if first and (first.group().startswith("{") or sum(1 for _ in _RTF.finditer(text)) >= _FEWEST_RTF):
            return "RTF control words", first, "striprtf, or a word processor"
    return None
