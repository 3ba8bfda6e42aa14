"""Which statements about a side have no mirror image.

The body is not symmetric: there is no right lingula and no left middle lobe, the right and the left ventricle are
different organs, the liver lies on the right. The rules read sentences in which a mark stands for every side word, so a
sentence and its exchange are judged alike. A side counts for an organ when both stand in the same clause: "left
effusion at the spleen" has no mirror image, "the spleen is normal, and the left kidney is small" has one.
"""

from __future__ import annotations

import re

SIDE_MARK: str = "\u00a7"


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(alternatives) + ")", re.IGNORECASE)


# Found on one side only, or a statement about the body's own asymmetry: wherever it is named.
_ONE_SIDE_ONLY = _words(
    r"lingul\w*",
    rf"(?<={SIDE_MARK})ML\b",
    r"(?:mid|middle(?:\s*(?:,|/|-|&|and|or)?\s*(?:and\s+|or\s+)?(?:upper|lower))*)\s+lob(?!ul)\w+",
    r"(?:minor|horizontal|transverse)\s+fissures?\b",
    r"bronchus\s+intermedi\w+",
    r"intermedi\w+\s+bronch\w+",
    r"azyg(?:os|ous)\s+(?:lobe|fissure)s?\b",
    r"(?:dextro|levo|meso)(?:cardia|position)\b",
    r"situs\s+(?:inversus|ambiguus|solitus)\b",
    r"bilobectomy\b",
)
# Chambers and vessels of the heart in short. "RA" is also rheumatoid arthritis, "LAD" also lymphadenopathy.
_CORONARY = r"(?:plaque|calcif|coronar|stent|ather|stenos|circumflex|RCA)"
_HEART_IN_SHORT = re.compile(
    r"\b(?:[LR]V(?:H|EF|OT|AD|EDD)?s?|[LR]AA|[LR]BBB|LC[Xx]|RCA|LMCA)\b"
    r"|(?<!of )(?<!known )(?<!with )(?<!to )(?<!for )(?<!h/o )\b[LR]A\b"
    rf"|\bLAD\b(?=[^.]{{0,150}}{_CORONARY})|{_CORONARY}[^.]{{0,150}}\bLAD\b"
)
# Lies on one side of the body, or is another structure on the other side: with a side in the same clause.
_ONE_SIDED = _words(
    # heart and vessels ("lateral ventricle" is in the brain)
    r"(?<!lateral )ventric(?:le|ul)\w*",
    r"(?:bi)?atri(?:um|a|al)\b",
    r"(?:coronary|coronaries|circumflex|anterior\s+descending)\b",
    r"(?:brachiocephalic|innominate|aberrant|lusoria|nutcracker|(?:retro|circum)aortic|may-thurner)\b",
    r"(?:para|retro|pre|peri)caval\b",
    r"aort\w*-?pulmon\w+\s+window\b",
    r"shunt\w*",
    r"bundle\s+branch\b",
    r"virchow\w*",
    # lung segments that bear the name on one side, variants
    r"(?:apico-?posterior|antero-?medio-?basal|anteromedial\s+basal|tracheal\s+bronchus)\b",
    # abdomen
    r"(?:liver|(?:peri|sub|intra|extra|trans)?hepatic\w*|hepat(?:ectomy|is)|portal?|caudate|falciform)\b",
    r"(?:gall\s?(?:bladder|stones?)|cholecyst\w+|bile|biliary|choledoch\w+)\b",
    r"(?:spleen|(?:peri|sub)?splenic|splenules?|splenosis|splenorenal)\b",
    r"(?:stomach|(?:peri)?gastric|cardia|pylor\w+|duoden\w+)\b",
    r"(?:append(?:ix|ic\w+)|ca?ec(?:um|al)|ileoca?ecal|colon(?:ic)?|(?:hemi)?colectomy|sigmoid)\b",
    r"(?:peri)?pancrea\w+",
)
# With a side directly at it. Elsewhere the same words only say where something is ("at the level of the aortic arch").
_NAMED = re.compile(
    rf"{SIDE_MARK}(?:-?\s*sided?)?\s+(?:(?:border|contour|part|half)?\s*(?:of\s+the\s+))?"
    r"(?:heart\b|cardiac\b|(?:(?:descending|ascending|thoracic|antero\w+)\s+)?aort(?:a|ic)\b(?!\s+arch)|"
    r"(?:(?:superior|inferior)\s+)?vena\s+cava|svc\b|ivc\b|(?:hemi)?azyg)"
    rf"|{SIDE_MARK}\s+main\s+(?:(?:artery\s+)?(?:stenosis|disease|calcif|stent|plaque)|stem\s+(?!bronch)|trunk)"
    r"|\b(?:descending\s+aorta|heart|cardiac\s+apex)\s+"
    r"(?:on\s+the|(?:is|was|lies|runs|courses|descends|points)\s*(?:located|situated|seen|positioned)?\s*(?:in|on|to)?"
    rf"\s*(?:the)?)\s*{SIDE_MARK}(?!\w*ward)"
    r"|\bbetween\s+(?:the\s+)?(?:liver|spleen|stomach|gallbladder|pancreas|aorta|heart)\s+and\s+(?:the\s+)?"
    rf"{SIDE_MARK}"
    rf"|{SIDE_MARK}[^.;,:]{{0,100}}\b(?:adjacent|near|next\s+to|beside|abut\w*)\b[^.;,:]{{0,60}}\b(?:liver|spleen|stomach|"
    r"gallbladder|pancreas|aorta)\b"
    rf"|{SIDE_MARK}[^.;]{{0,60}}\b(?:aris|originat)\w*\s+(?:\w+ly\s+)?from\s+(?:the\s+)?(?:aortic\s+)?arch\b",
    re.IGNORECASE,
)
# A place described by a large vessel that runs on one side, with a side in the same clause.
_BESIDE = _words(
    r"(?:adjacent|next|close|lateral|medial|posterior|anterior|neighbou?r\w*|near|beside|behind|along|abut\w*|contact\w*|"
    r"touch\w*|border\w*|invad\w*|compress\w*|indent\w*)\b[^.;,]{0,30}?\b"
    r"(?:aort(?:a|ic)|vena\s+cava|svc|ivc|(?:hemi)?azygos)\b(?!\s*-?pulm)"
)
# Pain in a quadrant belongs to the organ that the rest of the sentence names: "RLQ pain, appendicitis."
_QUADRANT = re.compile(rf"{SIDE_MARK}(?:\s+(?:upper|lower)\s+quadrants?|[UL]Q)\b", re.IGNORECASE)
# "Right lobe" alone: the lung has none, the liver and the thyroid have.
_LOBE = re.compile(
    rf"{SIDE_MARK}(?:\s+(?:and|or)\s+{SIDE_MARK})?(?:-?\s*sided?)?\s+lobes?\b",
    re.IGNORECASE,
)
_LOBED_ALIKE = _words("thyroid", r"lungs?\b", "prostat", "thymus", "cerebell", "upper", "lower", "pulmon")
_LIVER = _words("liver", r"\w*hepat(?!osteat)")

_CLAUSES = re.compile(
    rf"[,;:()]\s*|[ \t]{{2,}}(?=[A-Z0-9{SIDE_MARK}])|\.(?:\s+|(?=[A-Z][a-z]))"
    r"|\s+(?:and|but|with|while|whereas|however|although|also|plus)\s+"
)
# A clause that says no more than a side belongs to the clause before it: "Liver cyst, right."
_BARE = re.compile(
    r"(?:\W|\b(?:in|on|at|of|to|the|an?|is|more|most(?:ly)?|predominantly|mainly|especially|prominent(?:ly)?|side|lobes?|"
    r"segments?|part|half|portion|aspect|posterior\w*|anterior\w*|superior\w*|inferior\w*|medial\w*|lateral\w*|both|"
    r"and|or|than|level|mm|cm|\d+\w?)\b)*",
    re.IGNORECASE,
)


def _clauses(sentence: str) -> list[str]:
    clauses: list[str] = []
    for part in _CLAUSES.split(sentence):
        if clauses and SIDE_MARK in part and _BARE.fullmatch(part):
            clauses[-1] += " " + part
        elif part:
            clauses.append(part)
    return clauses


def names_one_side(text: str) -> bool:
    """Tell whether a text names something that has a side although no side word stands there.

    Args:
        text: A text, side words marked or not.

    Returns:
        Whether the lingula, the middle lobe, a chamber of the heart in short or the like is named.
    """
    return _ONE_SIDE_ONLY.search(text) is not None or _HEART_IN_SHORT.search(text) is not None


def has_no_mirror_image(sentence: str) -> bool:
    """Tell whether exchanging the sides of a sentence would make it anatomically false.

    Args:
        sentence: One sentence with `SIDE_MARK` in the place of every side word.

    Returns:
        Whether the exchange would be false, or cannot be told to be true ("cyst in the right lobe").
    """
    if names_one_side(sentence):
        return True
    if SIDE_MARK not in sentence:
        return False
    if _NAMED.search(sentence) or (_QUADRANT.search(sentence) and _ONE_SIDED.search(sentence)):
        return True
    for clause in _clauses(sentence):
        if SIDE_MARK not in clause:
            continue
        if _ONE_SIDED.search(clause) or _BESIDE.search(clause):
            return True
        if _LOBE.search(clause) and not _LOBED_ALIKE.search(clause):
            return _LIVER.search(sentence) is not None or _LOBED_ALIKE.search(sentence) is None
    return False
