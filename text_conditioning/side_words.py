"""Where a text names a side: the words, adjectives and abbreviations for left and right.

One place for everything that reads or rewrites sides. The rules tell sides from other uses of the words ("was left
untreated", "right away", "all right") and letters that mean a side from those that do not ("L lung", but "L1", "2 L of
fluid", "RT-PCR"). All of them are one pattern that is read from left to right, so an article in front ("on the right
after drainage") wins over an idiom behind ("right after").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class SideWord:
    """One place where a side is named.

    Attributes:
        start: First character of what names the side: the word itself, or the letter of an abbreviation ("L" of "LUL").
        end: One past its last character.
        left: Whether it means left; right otherwise.
    """

    start: int
    end: int
    left: bool


# What a side stands in front of. Single letters count only there, and "all right" is none there.
_NEXT = (
    r"(?:lung|pulmon|upper|lower|mid|lob|hil[aiu]|pleur|ap(?:ex|ic)|bas(?:e|al|ilar|is)\b|kidney|renal|neph|ureter|adrenal|"
    r"breast|chest|thora|hemi|ventric|atri|side|[ul]l\b|axill|arms?\b|forearm|legs?\b|hand|hips?\b|knee|shoulder|fem|foot|"
    r"ankle|wrist|elbow|ribs?\b|clavic|scap|humer|ili[ao]|inguin|groin|neck|jugul|carotid|subclav|(?:supra|infra)|parotid|"
    r"sub|thyroid|para|peri|bronch|main|lateral|anter|poster|medial|superior|inferior|costo|diaphragm|cervical|ovar|adnex|"
    r"testi|scrot|eyes?\b|orbit|maxill|mast|tempor|frontal|pariet|occipit|cerebe|cerebr|psoas|glut|flank|abdom|pelv|colon|"
    r"hepat|effusion|pneumo|hydro|hemo|empyema|atelect|consolid|nod(?:e|ul)|mass|opaci|infiltr|lesion|cyst|fractur|retro|"
    r"pector|heart|cardi|common|external|internal|deep|tib|fib|port|picc|central|calf|thigh|ear\b|tonsil|salivary|"
    r"lymph|brachi|vertebral|extremit|limb|\d+(?:st|nd|rd|th)\b|\d+\s*-\s*\d+\s+ribs?\b|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth)"
)
# What stays behind, stays open, goes away: "left" as a verb without an article in front.
_LEFT_BEHIND = (
    r"(?:un(?:treated|repaired|attended|drained|touched|disturbed|opened|resected|closed|sutured|reported|addressed|"
    r"answered|corrected|explained|supervised|assessed|specified|reduced|covered)|alone|in\s+(?:place|situ)|behind|blank|"
    r"(?:open|intact)(?=\s*(?:[.,;)]|$|(?:and|to|for|with|after)\b))|as\s+is|over|out|indwelling|against\s+medical|"
    r"off(?!\s+(?:the\s+)?mid)|an?\b|to\s+(?:heal|drain|resolve|granulate|close|be|clinical|the\s+discretion)|ama\b|"
    r"(?:the|our)\s+(?:hospital|clinic|department|emergency|ward|room|scanner|table|unit|icu|facility|country|operating|"
    r"suite|study)|home\b|town\b|without\s+being|before\s+(?:the|being|contrast))"
)
_AFTER_WAS = (
    r"(?:in|on|at|within|inside|with(?:out)?|to(?!\s+right)|for|after|following|by|from|there|here|until|under|during|"
    r"between|near|across|unchanged|empty|clamped|the|a|an)\b"
)
_RIGHT_JUST = (
    r"(?:away|now|then|here|there(?!\s+(?:is|are|was|were)\b)|where|next\s+to|beneath|underneath|behind|up\s+to|at\s+the|in\s+(?:the\s+middle|front)|"
    r"after|before|on\s+(?:time|top)|under\s+the|(?:below|above|through)(?!-|\s+(?:knee|elbow)))\b"
)
_RIGHT_CORRECT = (
    r"(?:diagnosis|patient|person|time|moment|dose|choice|decision|answer|way|thing|treatment|technique|indication|"
    r"antibiotic|size|amount)\b"
)
_ARTICLE = r"(?:the|an?|his|her|their|its|this|that|each|either|on|to|towards?|from|than|patient's)"
_THERAPY = r"(?:after|post|s/p|received|receiving|underwent|undergone|had|prior|completed|adjuvant|of|with|chemo)"

# An underscore ends a word too: "kidney_left" in reports that were made from labels.
_WORD_START, _WORD_END = r"(?<![^\W_])", r"(?![^\W_])"
_JOINED = r"(?:kidney|lung|upper|lower|middle|lobe|breast|adrenal|pleura|hil[au]|pulmonary|hemithora)\w*"  # "leftlung"

_ANY = re.compile(r"left|right|levo|dextro|\b[lr](?:t|ul|ml|ll|uq|lq)\b|\b(?:\d+)?[LR](?:[A-Z]{1,2})?\b", re.IGNORECASE)
_EYE = re.compile(
    r"\b(?:eyes?|globes?|orbit\w*|lens|cataract|vis(?:ion|ual)|retina\w*|proptosis|exophthalmos|pseudophak\w+|enucleat\w+)\b",
    re.IGNORECASE,
)
_NODES = re.compile(r"\bstations?\b|\blymph|\bnod(?:e|al)|\bparatrach|\bLNs?\b", re.IGNORECASE)


@cache
def _sides() -> re.Pattern[str]:
    """Alternatives without a name are no sides; they come first and are skipped. Compiled on first use."""
    return re.compile(
        rf"{_WORD_START}(?:"
        + "|".join(
            (
                rf"(?i:all\s+right\b(?!-|\s+{_NEXT}))",
                rf"(?i:(?:{_ARTICLE}\s+)?(?:left|right)[\s-]?hand(?:ed(?:ness)?|ers?|\s+domina\w+)\b)",
                rf"(?i:(?:{_ARTICLE}\s+)?right[\s-]+angle[sd]?\b(?!\s+of))",
                r"(?i:(?:in|into)\s+the\s+right\s+(?:place|position|location|order|spot)\b)",
                rf"(?i:(?:the\s+)?right\s+{_RIGHT_CORRECT})",
                rf"(?i:(?:was|were|be|been|being)\s+(?:\w+ly\s+|not\s+|then\s+|all\s+)?left\s+{_AFTER_WAS})",
                r"(?i:(?:is|are)\s+left\s+with\b)",
                r"(?i:(?:remain(?:s|ed)?)\s+left\s+un\w+)",
                r"(?i:(?:what|whatever|nothing|little|none|much|anything)(?:(?:\s+(?:is|was|are|remains)|['\u2019]s))?\s+left\b)",
                r"(?i:(?:that|which)\s+(?:is|was|are|were)\s+left\s*(?=[.,;]|$|of\s+(?!(?:the\s+)?mid)|(?:in|after|behind|is|was|has)\b))",
                r"(?i:(?:patient|pt|he|she|they|who|family|surgeons?|team)\s+(?:(?:has|had|have|then|also)\s+)?left\s*"
                r"(?=[.,;]|$|(?:the|our|against|before|without|for|after|and)\b))",
                r"(?i:(?:tissue|days?|weeks?|hours?|doses?|time)\s+left\b(?!-))",
                r"(?i:(?:drain|tube|catheter|stent|sheath|wire|line|sponge|gauze|packing)s?\s+left\s+(?:in|on|at|within)\b)",
                rf"(?i:{_THERAPY}[\s-]+RT\b(?!\.?\s+(?:side|upper|lower|lung|kidney)))",
                rf"(?i:{_ARTICLE}\s+(?P<article>left|right)(?=(?:wards?|wardly|most|sided?)?\b))",
                rf"(?i:left\s+{_LEFT_BEHIND})",
                rf"(?i:right\s+{_RIGHT_JUST})",
                rf"(?i:(?P<word>left|right)(?=(?:wards?|wardly|most|sided?)?{_WORD_END}|{_JOINED}))",
                r"(?i:(?P<convex>levo|dextro)(?=-?(?:roto)?(?:scolio|convex|rotat|curv)))",
                rf"(?P<capitals>[LR])(?=T\b(?:(?i:\.?\s+{_NEXT})|(?i:\.?-?\s*sided?\b)))",
                r"(?<!&)(?P<short>[LRlr])(?=t\b(?!(?i:\s?-?(?:pcr|pa)\b)))",
                r"(?i:(?P<code>[lr])(?=(?:[um]l|ll|uq|lq)\b))",
                r"(?P<code2>[LR])(?=(?:[UL]E|[UML]Z|MB|IJ|PA|B\d{1,2})\b)",
                r"(?P<eye>[LR])(?=E\b)",
                r"(?P<pair>[LR]\s*(?:[>=</&+-]+|and|or|vs\.?|(?:greater|more|less|larger|smaller)\s+than)\s*[LR])\b",
                r"(?:(?<=[(\[])|(?<=[(\[]\s))(?P<bracket>[LR])(?=\s*[)\]])",
                rf"(?<![\d./-])(?<!\d\s)(?P<letter>[LR])(?=(?i:\.?\s+{_NEXT})|\s+(?:clear|normal)\b|(?i:[-\s]?sided\b))",
                r"(?i:(?:on|to)\s+(?:the\s+)?)(?P<alone>[LR])(?=\s*(?:[.,;)]|$|(?:side|than|more|and)\b))",
                r"(?<![\w.])(?P<colon>[LR])(?=:\s)",
                r"(?:2|4|1[0-4])(?P<station>[LR])\b(?!/|\s+(?:of|O2|oxygen|fluid)\b)",
            )
        )
        + ")"
    )


def _counts(kind: str, text: str) -> bool:
    """Tell whether an abbreviation that may mean something else names a side in this text."""
    if kind == "eye":  # LE alone is the lower extremity, RE: the subject of a letter
        return (re.search(r"\bLE\b", text) and re.search(r"\bRE\b", text)) is not None or _EYE.search(text) is not None
    if kind == "station":
        return _NODES.search(text) is not None
    if kind == "colon":
        return "L:" in text and "R:" in text
    return True


def find_side_words(text: str) -> list[SideWord]:
    """Find every place where a text names a side.

    Args:
        text: A sentence or a longer text.

    Returns:
        The places in order, none overlapping.
    """
    if _ANY.search(text) is None:
        return []
    found: list[SideWord] = []
    for match in _sides().finditer(text):
        kind = match.lastgroup
        if kind is None or not _counts(kind, text):
            continue
        start, end = match.span(kind)
        if kind == "pair":
            found += [
                SideWord(start, start + 1, text[start] == "L"),
                SideWord(end - 1, end, text[end - 1] == "L"),
            ]
        else:
            left = text[start].lower() == "l"
            found.append(SideWord(start, end, left))
    return found
