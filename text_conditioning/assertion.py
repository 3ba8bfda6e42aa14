"""What a sentence says about its finding: present, absent, uncertain or historical.

Rules over trigger phrases in the manner of NegEx (Chapman et al. 2001, doi 10.1006/jbin.2001.1029) and ConText
(Harkema et al. 2009, doi 10.1016/j.jbi.2009.05.002). We deviate in two ways. The unit is the sentence, not a concept
inside it, because one sentence is one entry of the report memory. And a sentence with several clauses takes the state
of the clause that matters most for an image (present, uncertain, historical, absent): "8 mm nodule without
calcification" is a nodule that is there.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Assertion(IntEnum):
    """State of the finding a sentence speaks of. The values index an embedding table: do not renumber."""

    PRESENT = 0
    ABSENT = 1
    UNCERTAIN = 2
    HISTORICAL = 3


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(alternatives) + r")\b")


_DEGREE = (
    r"(?:(?:significant|interval|appreciable|definite|substantial|major|relevant|obvious|further|other|particular|real|"
    r"suspicious|overt|gross|notable|recent|marked|clear|apparent)(?:ly)?\s+)*"
)
_CHANGE = (
    r"(?:change[sd]?|increase[sd]?|decrease[sd]?|growth|grown|progress(?:ion|ed)|regress(?:ion|ed)|difference[s]?|"
    r"alteration[s]?|improve(?:ment|d)|enlarge(?:ment)?|interval\s+change)"
)
_SEEN = (
    r"(?:seen|observed|detected|identified|visuali[sz]ed|found|noted|noticed|demonstrated|appreciated|appreciable|evident|present|"
    r"shown|revealed|encountered|recogni[sz]ed|distinguished|distinguishable|apparent|visible|palpable|palpated|"
    r"selected|elicited|heard|known|remarkable|enlarged|dilated|thickened|distended)"
)

# Phrases that look like a negation and are none; they are removed before anything else is looked for.
_PSEUDO = _any(
    rf"(?:no|not|without|nor)\s+(?:any\s+)?{_DEGREE}{_CHANGE}",
    r"(?:has|have|had|did|does|do|is|was|are|were)\s+not\s+" + _DEGREE + _CHANGE,
    r"not\s+(?:only|just|merely|necessarily|causing|cause|drain(?:ed)?|extend(?:ing)?)",
    r"without\s+(?:(?:the\s+)?(?:use|administration|injection)\s+of\s+)?"
    r"(?:any\s+)?(?:intravenous\s+|iv\s+|oral\s+|i\.v\.\s+)*contrast(?:\s+(?:medium|agent|material|media|enhancement))?",
    r"with\s+(?:and|or)\s+without",
    r"(?:not|never)\s+(?:yet\s+)?(?:(?:completely|fully|entirely)\s+)?(?:resolved|cleared|disappeared)",
    r"(?:partial(?:ly)?|incompletely|nearly|almost|partly)\s+(?:resolved|cleared)",
    r"no\s+longer\s+(?:than|as)",
    rf"(?:not|never)\s+(?:be(?:en)?\s+)?(?:\w+ly\s+)?{_SEEN}\s+(?:in|on|at)\s+(?:the\s+|her\s+|his\s+)?"
    r"(?:previous|prior|earlier|old|last|preceding)",
    r"(?:lack|absence)\s+of\s+(?:\w+\s+)?contrast",
    r"gram\s+negative",
    r"no\s*\.?\s*(?:#|\d+)(?!\s*[-x]?\s*(?:mm|cm))",
)

# Doubt that is worded with a negation: decided before the negations.
_DOUBT = _any(
    r"(?:can\s?not|could\s+not|can't|couldn't|may\s+not|might\s+not|not)\s+(?:be\s+)?(?:\w+ly\s+)?(?:be\s+)?"
    r"(?:exclude[d]?|excluding|rule[d]?\s+out|differentiated|distinguished\s+from|evaluated|assessed|characteri[sz]ed|"
    r"clearly\s+(?:evaluated|assessed))",
    r"not\s+(?:certain|sure|clear|definite|definitive)(?:ly)?",
    r"(?:difficult|hard|unable|impossible|inability)\s+to\s+(?:exclude|rule\s+out|assess|evaluate)",
    r"(?:could|can|may|might)\s+be\s+(?:ruled\s+out|excluded)\s+(?:only|by)",
    r"(?:to|please)\s+(?:exclude|rule\s+out)",
    r"rule\s+out",
    r"r/o",
)

_NEGATION = _any(
    r"no",
    r"without",
    r"none(?=\s+(?:of|was|were|is|are|seen|identified)|$)",
    r"neither",
    r"nor",
    r"never",
    r"den(?:y|ies|ied|ying)",
    r"negative\s+for",
    r"free\s+of",
    r"clear\s+of",
    r"absent",
    r"absence\s+of",
    r"lack(?:s|ed|ing)?(?:\s+of)?",
    r"devoid\s+of",
    r"fail(?:s|ed)?\s+to\s+(?:reveal|show|demonstrate)",
    r"rather\s+than",
    r"(?:ruled|rules|ruling)\s+out",
    r"(?:is|was|are|were|been|be)\s+excluded",
    r"(?:resolved|disappeared|vanished|gone)",
    r"(?:completely|fully|totally|entirely)\s+regressed|regressed\s+(?:completely|fully|totally|entirely)",
    r"(?:complete|interval|full|total)\s+(?:resolution|disappearance|clearance|clearing|regression)",
    r"(?:has|have|had)\s+(?:completely\s+|fully\s+)?cleared",
    rf"(?:not|\w+n't|cannot)\s+(?:\w+ly\s+)?(?:be(?:en)?\s+)?(?:\w+ly\s+)?{_SEEN}",
    r"(?:not|\w+n't|cannot)\s+(?:\w+ly\s+)?(?:see|find|observe|detect|identify|visuali[sz]e|have|show|reveal|demonstrate|report|"
    r"complain|feel|appreciate|contain|exhibit|indicate|appear|represent)",
    r"(?:is|was|are|were)\s+not\s+(?:a|an|any)",
    r"un(?:detectable|identifiable)",
)

_HISTORY = _any(
    r"(?:history|histories)(?:\s+of|\s*:|\s+is|\s+includes?|\s+significant)?",
    r"h/o",
    r"hx",
    r"status\s+post",
    r"s/p",
    r"(?:in|from)\s+(?:the\s+)?(?:distant\s+|remote\s+)?past",
    r"past\s+(?:medical|surgical)",
    r"(?:years?|months?|weeks?)\s+ago",
    r"(?<!due to )(?<!secondary to )(?<!related to )(?<!changes from )(?<!after )"
    r"(?:prior|previous|former|remote)\s+(?:\w+\s+)?(?:surgery|resection|\w+ectomy|\w+otomy|radiotherapy|radiation|"
    r"chemotherapy|operation|infection|pneumonia|tuberculosis|smoker)",
    r"(?:was|were|had\s+been)\s+(?:previously|formerly)\s+(?:diagnosed|treated|operated)",
    r"previously\s+(?:diagnosed|treated|operated|resected)",
)

_UNCERTAIN = _any(
    r"(?:may|might|could)\s+(?:also\s+|possibly\s+|well\s+)?(?:represent|be(?!\s+(?:seen|observed|followed))|reflect|indicate|suggest|"
    r"correspond|belong|have|relate|mimic|signify|mean)",
    r"possib(?:le|ly|ility)",
    r"probab(?:le|ly|ility)",
    r"(?:un)?likely",
    r"presum(?:ed|ably|able|ptive)",
    r"perhaps",
    r"maybe",
    r"suspicious(?:\s+for)?",
    r"suspicion",
    r"suspect(?:ed|s)?",
    r"suggest(?:s|ed|ive|ing|ion)?",
    r"question(?:able|ed|\s+of)?",
    r"equivocal",
    r"indeterminate",
    r"uncertain",
    r"concern(?:ing|ed)?(?:\s+for|\s+of)?",
    r"worrisome",
    r"appears?\s+to\s+be",
    r"seems?",
    r"evaluated\s+in\s+favou?r\s+of",
    r"in\s+favou?r\s+of",
    r"compatible\s+with\s+or",
    r"versus",
    r"vs",
    r"differential",
    r"borderline",
)

# A clause that only says that all is well asserts no finding, and so must not outweigh a denial beside it.
_NORMAL = _any(
    r"normal(?:ly)?",
    r"unremarkable",
    r"natural",
    r"clear",
    r"patent",
    r"open",
    r"intact",
    r"preserved",
    r"within\s+(?:normal|physiological|natural)\s+limits",
    r"in\s+the\s+midline",
    r"symmetric(?:al)?",
)

# Where one clause ends and another begins.
_CLAUSES = re.compile(
    r"\s*;\s*"
    r"|[,\s]\s*\b(?:but|however|although|though|whereas|while|yet|except(?:\s+for)?|apart\s+from|aside\s+from|other\s+than|"
    r"besides|nevertheless)\b\s*"
    r"|,?\s+(?:with|and|but)\s+(?=(?:no|without|not|neither)\b)"
    r"|,\s*(?=(?:no|without|not|neither|nor|denies|there)\b)"
    r"|,\s*(?=(?:a|an|the|multiple|several|few|stable|unchanged)\s)"
    r"|,\s*(?=\d+(?:[.,]\d+)?\s*-?\s*(?:x|mm|cm)\b)"
    r"|,?\s+and\s+(?=(?:there|a|an|stable|unchanged)\s)"
    r"|(?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)(?<!\bor)(?<!\band)\s+(?=without\b)"
)
_SUBJECT_ONLY = re.compile(
    r"^(?:(?:the|this|that|a|an|his|her|patient|pt|he|she|they|i|we|is|are|was|were|it|there|and|or|in|on|of|as|far|can|"
    r"be|seen|both|lungs?|study|examination|section[s]?|also|when|examined|parenchyma|window|mediastinal)\s*)*$"
)
# "In the left lung, no mass is visible": the opening only says where.
_PLACE_ONLY = re.compile(
    r"^(?:in|within|at|on|of|inside|throughout)\s+(?:(?:the|both|either|its|left|right|bilateral|upper|lower|middle|mid|"
    r"basal|apical|posterior|anterior|lateral|medial|central|peripheral|lobes?|lungs?|zones?|half|halves|parts?|portions?|"
    r"regions?|fields?|sides?|segments?|bas(?:e|es)|ap(?:ex|ices)|of|and|or|chest|thorax|hemithorax|mediastinum|abdomen|"
    r"pelvis|liver|spleen|kidneys?|pancreas|other|remaining|sections?|images?|study|examination|window)\s*)+$"
)
_ORDER = (Assertion.PRESENT, Assertion.UNCERTAIN, Assertion.HISTORICAL, Assertion.ABSENT)


def _classify_clause(clause: str) -> Assertion | None:
    """Return the state of one clause, or None where it asserts no finding."""
    if _DOUBT.search(clause):
        return Assertion.UNCERTAIN
    if _NEGATION.search(clause):
        return Assertion.ABSENT
    if _HISTORY.search(clause):
        return Assertion.HISTORICAL
    if _UNCERTAIN.search(clause) or clause.rstrip(" .)").endswith("?"):
        return Assertion.UNCERTAIN
    if _NORMAL.search(clause) or _SUBJECT_ONLY.match(clause) or _PLACE_ONLY.match(clause):
        return None
    return Assertion.PRESENT


def classify(sentence: str) -> Assertion:
    """Tell what a sentence says about its finding.

    A sentence that only states something normal ("The heart is normal in size.") is PRESENT: it denies nothing.

    Args:
        sentence: One sentence of a report.

    Returns:
        The state of the clause that matters most: present, then uncertain, historical, absent.
    """
    text = " ".join(sentence.lower().replace("\u2019", "'").split())
    text = _PSEUDO.sub(" unchanged ", text)
    states = {_classify_clause(clause.strip(" ,.:")) for clause in _CLAUSES.split(text) if clause}
    return next((state for state in _ORDER if state in states), Assertion.PRESENT)
