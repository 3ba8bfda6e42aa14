"""A sentence that says that something is there, turned into one that says that it is not.

Rules in the order in which they are tried; what they give is kept only where it reads as a denial and still names the
same side and sizes.
"""

from __future__ import annotations

import re

from text_conditioning.assertion import Assertion, classify
from text_conditioning.laterality import tag
from text_conditioning.sizes import read_sizes_mm

_SEEN = (
    r"seen|identified|observed|visible|present|found|noted|located|detected|visuali[sz]ed|demonstrated|shown|evident"
)
_ONE = r"(?:an?|one|the|some|multiple|several|few|two|three)"
_RULES = (
    # it says that its finding is there
    (re.compile(r"^(?:there\s+(?:is|are|has\s+been)\s+)?no\s+change\s+(?:of|in)\s+", re.IGNORECASE), "No evidence of "),
    (
        # "In the left lung, a mass is visible.": the place goes to the end, else it reads as a clause of its own
        re.compile(rf"^(?:in|within) (the [^,]+?), {_ONE} ([^,]+?) (?:is|are|can be) (?:{_SEEN})\b", re.IGNORECASE),
        r"There is no \2 in \1",
    ),
    (re.compile(rf"\b(there\s+(?:is|are|was|were))\s+(?:{_ONE}\s+)?", re.IGNORECASE), r"\1 no "),
    (re.compile(r"^(?:an?|one)\s+", re.IGNORECASE), "No "),
    (re.compile(rf"\b(?:can|could)\s+be\s+({_SEEN})\b", re.IGNORECASE), r"cannot be \1"),
    (re.compile(rf"\b(is|are|was|were)\s+((?:\w+ly\s+)?(?:{_SEEN}))\b", re.IGNORECASE), r"\1 not \2"),
    (
        re.compile(
            rf"\b(shows?|contains?|harbou?rs?|demonstrates?|reveals?|has|have|notes?|sees?)\s+{_ONE}\s+", re.IGNORECASE
        ),
        r"\1 no ",
    ),
    (
        re.compile(
            r"^(.*\b(?:ct|scan|imaging|examination|study|lungs?|lobes?)\s+(?:shows?|demonstrates?|reveals?))\s+(?!no)",
            re.IGNORECASE,
        ),
        r"\1 no ",
    ),
)
# An opening before a comma reads as a clause of its own.
_OPENING = re.compile(r"^(?:once more|again|as before|still|today),\s*", re.IGNORECASE)
# Such a sentence already denies a part of what it says, or says how a finding has changed: denied by rule it would not
# say that the finding is absent ("No nodule has grown", "There is no mass without calcification").
_MIXED = re.compile(
    r"\b(?:resolved|no longer|disappeared|neither|nor|without|grown|increas\w+|decreas\w+|enlarg(?:ed|ing)|progress\w+|"
    r"regress\w+|(?:which|that) (?:was|were|has|have|had)|"
    r"(?:is|are|was|were|has become|remains?) (?:larger|smaller|new))\b"
    r"|,\s*one\b|\band\s+(?:an?|another|several|multiple|two|three|has|have|shows?|contains?|there)\b",
    re.IGNORECASE,
)
_NONE_UNCHANGED = re.compile(r"no (?!evidence of).*\b(?:unchanged|stable|changed)\b", re.IGNORECASE)


def deny(sentence: str) -> str | None:
    """The denial of a sentence; None where the rules find none."""
    if classify(sentence) is Assertion.ABSENT:
        return sentence
    if _MIXED.search(sentence):
        return None
    sentence = _OPENING.sub("", sentence)
    sentence = sentence[0].upper() + sentence[1:]
    attempts = [rule.sub(replacement, sentence, count=1) for rule, replacement in _RULES]
    attempts.append("No evidence of " + _uncapitalised(sentence))
    for text in attempts:
        if _NONE_UNCHANGED.match(text):
            continue
        same = tag(text) == tag(sentence) and read_sizes_mm(text) == read_sizes_mm(sentence)
        if same and classify(text) is Assertion.ABSENT:
            return text
    return None


def _uncapitalised(sentence: str) -> str:
    first = sentence.split(maxsplit=1)[0]
    is_name = first[1:] != first[1:].lower() or any(character.isdigit() for character in first)
    return sentence if is_name else sentence[0].lower() + sentence[1:]
