"""Which of the stated sizes a lesion has now, and which it had before.

"12 mm (previously 8 mm)" is one nodule of 12 mm. A size is prior where the words around it place it in an earlier
examination, in the same brackets or the same part of the sentence: the words behind it decide first ("8 mm in the
previous study"), then those in front ("previously 8 mm", "in the previous study it was 8 mm"). An earlier examination
that is only compared with ("stable compared with the previous examination", "also seen before") says nothing about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from text_conditioning.sizes import StatedSize, find_sizes


@dataclass(frozen=True)
class Sizes:
    """Lengths in mm in order of appearance, apart by when they were measured."""

    current: tuple[float, ...] = ()
    prior: tuple[float, ...] = ()


_STUDY = (
    r"(?:exam\w*|stud(?:y|ies)|c\.?t\.?|scans?|imag(?:es|ing)|reviews?|investigations?|mr[it]?|pet\S*|x-?rays?|"
    r"radiographs?|reports?|one)"
)
_OLD = r"(?:previous|prior|old(?:er)?|earlier|former|last|preceding|baseline|initial|outside|comparison|remote|past)"
_DATE = r"(?:(?:\d{1,2}[./-]){1,2}(?:19|20)?\d\d|(?:19|20)\d\d)\b"
# Places a measurement in an earlier examination.
_EARLIER = (
    rf"(?:(?:in|on|at|by)\s+(?:the\s+|an?\s+|his\s+|her\s+|their\s+)?(?:\w+\s+)?{_OLD}(?!\w)(?:\s+(?:\w+\s+){{0,3}}?{_STUDY}\b)?"
    rf"|(?:in|on|dated?|of)\s+(?:the\s+)?(?:\w+\s+)?{_DATE}"
    r"|(?:a|an|one|two|three|four|five|six|\d+)\s+(?:days?|weeks?|months?|years?)\s+(?:ago|earlier|before|prior)"
    r"|last\s+(?:week|month|year|time)|at\s+baseline)"
)
_NOW_STUDY = rf"(?:in|on|at)\s+(?:the\s+)?(?:current|present|today's|this)\s+(?:\w+\s+)?{_STUDY}\b"
_NOW = rf"(?:{_NOW_STUDY}|(?:current(?:ly)?|now|today|presently|at\s+present|at\s+this\s+time)\b)"
# An adverb or adjective beside a size: "previously 8 mm", "prior measurement: 8 mm", "8 mm before".
_KNOWN = (
    r"(?:seen|described|noted|reported|known|identified|detected|observed|existing|mentioned|demonstrated|visuali[sz]ed|"
    r"treated|biopsied)"
)
_ADVERB = (
    rf"(?:(?:previously|formerly|initially|originally|earlier|(?:used\s+to|had)\s+be(?:en)?|prev\b\.?)"
    rf"(?!\s+(?:{_KNOWN}|evaluated|thought|considered|interpreted|suspected|diagnosed)\b)"
    r"|before(?=\W*$|\s*[,;).]))"
)
_ADJECTIVE = (
    r"(?:previous|prior|former|old|earlier|initial|baseline)(?=\W*$|\W+(?:size|measure\w*|diameter|dimension|value|length|"
    r"thickness|axis|exam\w*|study|ct|scan))"
)
_CUES = re.compile(
    rf"\b(?:(?P<now_study>{_NOW_STUDY})|(?P<now>{_NOW})|(?P<earlier>{_EARLIER})|(?P<adverb>{_ADVERB})"
    rf"|(?P<adjective>{_ADJECTIVE}))",
    re.IGNORECASE,
)
# "also seen in the previous study" is said of the lesion, not of its size
_ALSO = re.compile(
    r"\b(?:not|no|also|which\s+(?:is|was|were|are)|that\s+(?:is|was|were|are)|(?:is|are|was|were)\s+(?:still\s+)?present|"
    r"unchanged|similar|stable|than|since|compar\w+|relative|respect)\b",
    re.IGNORECASE,
)
_SEEN = re.compile(rf"(?<!is )(?<!are )(?<!was )(?<!were )\b{_KNOWN}\b", re.IGNORECASE)
_GONE = re.compile(
    r"\b(?:no\s+longer|resolved|disappeared|not\s+(?:seen|observed|detected|visible|identified))\b", re.IGNORECASE
)
_LEADS = re.compile(r"^\W*(?:(?:and|but|while|whereas|however|where|it\s+(?:is|was)|was|as)\W+)*$", re.IGNORECASE)
_GLUE = re.compile(r"\W*(?:(?:and|x|by|or)\W*)?", re.IGNORECASE)
_PART = re.compile(r"[,;:]\s+|\.\s+|\s+(?:while|whereas|but|however)\s+", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(?:increas|decreas|grow|grew|enlarg|progress|regress|shr[aiu]nk|reduc|chang|declin|went|gone|diminish)\w*",
    re.IGNORECASE,
)
_APPROXIMATELY = (
    r"(?:\W|\b(?:approximately|about|nearly|almost|max(?:imum)?|up|to|as|at|in|size|diameter|measur\w+|the)\b)*"
)
_TO = re.compile(
    rf"(?:[^,;.]*\b(?:increas|grown|grew|enlarg|decreas|regress|shrunk|shrank|reduced)\w*)?[^,;.]{{0,20}}\bto{_APPROXIMATELY}",
    re.IGNORECASE,
)
_VERSUS = re.compile(rf"\b(?:vs\.?|versus|compared\s+(?:with|to)){_APPROXIMATELY}$", re.IGNORECASE)
_NOW_WORD = re.compile(rf"\b{_NOW}", re.IGNORECASE)
_KNOWN_BEFORE = re.compile(rf"\bpreviously\s+{_KNOWN}\W+(?:\w+\W+)?$", re.IGNORECASE)
_BRACKETS = re.compile(r"\([^)]*(?:\)|$)|^[^()]*\)")
_FROM = re.compile(rf"\bfrom{_APPROXIMATELY}$", re.IGNORECASE)
_WAS = re.compile(rf"\b(?:was|were|had\s+been){_APPROXIMATELY}$", re.IGNORECASE)
# "1.1 cm, was 0.8 cm"
_WAS_ALONE = re.compile(rf"[^,;.()]{{0,30}}[,;]\s*(?:it\s+)?(?:was|were){_APPROXIMATELY}", re.IGNORECASE)
_ARROW = re.compile(r"\s*(?:-+>|=+>|\u2192)\s*")
_BY = re.compile(
    rf"\b(?:increas\w+|decreas\w+|gr[eo]wn?|enlarged|shrunk|shrank|regressed|reduced)\s+(?:\w+ly\s+)?by{_APPROXIMATELY}$",
    re.IGNORECASE,
)


_MOST_STATEMENTS = 30  # of size in a sentence; what has more is a table, and its words are not looked at
_REACH = 80  # characters in front of a size that are looked at for "from", "was" and the like


def _before(sentence: str, size: StatedSize) -> str:
    return sentence[max(0, size.start - _REACH) : size.start]


def read_sizes(sentence: str) -> Sizes:
    """Tell current from prior sizes.

    "increased by 3 mm to 12 mm" states a difference and a size; the difference is left out.

    Args:
        sentence: One sentence of a report.

    Returns:
        Lengths in mm, current and prior.
    """
    found = find_sizes(sentence)
    if not found:
        return Sizes()
    if len(found) > _MOST_STATEMENTS:
        return Sizes(tuple(length for size in found for length in size.mm))
    if len(found) == 1 and _CUES.search(sentence) is None and _CHANGE.search(sentence) is None:
        return Sizes(found[0].mm)
    prior = _prior_by_words(sentence, found)
    current: list[float] = []
    former: list[float] = []
    for index, size in enumerate(found):
        lengths = size.mm
        if not prior[index] and len(found) > 1 and _is_difference(sentence, found, index):
            continue
        if not prior[index] and len(lengths) == 2 and _is_from_to(sentence, size):
            former.append(lengths[0])
            lengths = lengths[1:]
        (former if prior[index] else current).extend(lengths)
    return Sizes(tuple(current), tuple(former))


def _prior_by_words(sentence: str, found: list[StatedSize]) -> list[bool]:
    """Tell for each statement of size whether it is prior."""
    states: list[bool | None] = []
    for index, size in enumerate(found):
        behind_limit = found[index + 1].start if index + 1 < len(found) else len(sentence)
        front_limit = found[index - 1].end if index else 0
        behind, front = sentence[size.end : behind_limit], sentence[front_limit : size.start]
        opened = sentence.rfind("(", 0, size.start)
        closed = sentence.find(")", size.end)
        if 0 <= opened and closed >= 0 and sentence.rfind(")", 0, size.start) < opened:
            inside = sentence[max(opened + 1, front_limit) : size.start], sentence[size.end : min(closed, behind_limit)]
            states.append(_state_in_brackets(*inside))
        else:
            others = len(found) > 1 or _GONE.search(sentence) is not None
            states.append(
                _state(sentence, _outside_brackets(front), _outside_brackets(behind), others, index + 1 < len(found))
            )
        if index and states[index] is None and _WAS_ALONE.fullmatch(front):
            states[index] = True
    if len(found) > 1 and _CHANGE.search(sentence):
        _mark_changes(sentence, found, states)
    return _spread(sentence, found, states)


def _mark_changes(sentence: str, found: list[StatedSize], states: list[bool | None]) -> None:
    """Mark "from 6 mm to 9 mm", and "the 6 mm nodule has grown to 9 mm"."""
    for index, size in enumerate(found):
        if states[index] is None and _FROM.search(_before(sentence, size)):
            states[index] = True
        if index and _TO.fullmatch(sentence[found[index - 1].end : size.start]):
            between_from = states[index - 1] is True
            if between_from or _CHANGE.search(sentence[found[index - 1].end : size.start]):
                states[index - 1] = True
                states[index] = False


def _state_in_brackets(front: str, behind: str) -> bool | None:
    cue = _CUES.search(f"{front} {behind}")
    if cue is None:
        return True if re.search(rf"\b(?:was|vs|versus)\b|{_DATE}", front + behind) else None
    return cue.lastgroup not in ("now", "now_study")


def _outside_brackets(text: str) -> str:
    return _BRACKETS.sub(" ", text)


def _state(sentence: str, front: str, behind: str, others: bool, followed: bool) -> bool | None:
    """Tell whether the words around a size make it prior (True), current (False), or neither (None)."""
    parts = _PART.split(behind)
    reach = parts[0]
    if len(parts) > 1 and re.match(rf"(?:{_KNOWN}|located)\b", parts[1], re.IGNORECASE):
        reach += " " + parts[1]
    cue = _CUES.search(reach)
    kind = None if cue is None else cue.lastgroup
    if cue is not None and kind in ("now", "adverb") and followed and len(parts) == 1:
        kind = None if _is_for_the_next(reach[cue.end() :]) else kind
    if kind in ("now", "now_study", "adverb"):
        return kind == "adverb"
    if cue is not None and kind == "earlier" and not _ALSO.search(re.sub(r"\bas\s*$", "also", reach[: cue.start()])):
        return others or not _SEEN.search(reach[: cue.start()])
    return _state_from_front(sentence, front, others)


def _is_for_the_next(rest: str) -> bool:
    """Tell whether an adverb belongs to the size behind it: "8 mm and now 12 mm", but not "8 mm now and"."""
    return re.match(r"\W*(?:and|or|versus|vs)\b", rest) is None


def _state_from_front(sentence: str, front: str, others: bool) -> bool | None:
    if others and (
        _VERSUS.search(front[-_REACH:])
        or (_KNOWN_BEFORE.search(front[-_REACH:]) and (_NOW_WORD.search(sentence) or _GONE.search(sentence)))
    ):
        return True
    cues = list(_CUES.finditer(front))
    if not cues:
        return True if others and _WAS.search(front[-_REACH:]) and _NOW_WORD.search(sentence) else None
    last = cues[-1]
    rest = front[last.end() :]
    if last.lastgroup in ("now", "now_study"):
        return False
    if last.lastgroup in ("adverb", "adjective"):
        return None if re.search(r"[,;]\s", rest.lstrip(" ,:")) else True
    start = max((match.end() for match in _PART.finditer(front, 0, last.start())), default=0)
    return True if _LEADS.match(front[start : last.start()]) and not _ALSO.search(rest) else None


def _spread(sentence: str, found: list[StatedSize], states: list[bool | None]) -> list[bool]:
    """Give statements that are joined to another without words the state of that one."""
    glued = [
        _GLUE.fullmatch(sentence[left.end : right.start]) is not None
        and not set("()") & set(sentence[left.end : right.start])
        for left, right in pairwise(found)
    ]
    for index in range(len(found) - 2, -1, -1):
        if states[index] is None and glued[index] and "," not in sentence[found[index].end : found[index + 1].start]:
            states[index] = states[index + 1]
    for index in range(1, len(found)):
        if states[index] is None and glued[index - 1]:
            states[index] = states[index - 1]
    for index in range(len(found) - 1):
        if _ARROW.fullmatch(sentence[found[index].end : found[index + 1].start]):
            states[index] = True
    return [state is True for state in states]


def _is_from_to(sentence: str, size: StatedSize) -> bool:
    """Tell whether "6 to 9 mm" stands behind "increased from"."""
    between = sentence[size.start : size.last]
    return (
        re.search(r"\d\s*(?:mm|cm)?\s*(?:to|-+>|\u2192)\s*$", between) is not None
        and _FROM.search(_before(sentence, size)) is not None
        and _CHANGE.search(sentence) is not None
    )


def _is_difference(sentence: str, found: list[StatedSize], index: int) -> bool:
    """Tell whether a size is the amount of a change: "increased by 3 mm to 12 mm"."""
    if not _BY.search(_before(sentence, found[index])):
        return False
    if re.match(r"\s*(?:to|from|since|in)\b", sentence[found[index].end :]):
        return True
    return any(not _BY.search(_before(sentence, size)) for size in found[:index])
