"""Words that tell whether a stop or a line end in a report also ends a sentence: abbreviations, units and more."""

from __future__ import annotations

SIDES = frozenset("left right bilateral both".split())

# abbreviations that never end a sentence, and those that do so only before a capital
NEVER_LAST = frozenset("dr prof vs lt rt e.g i.e eg ie approx fig cf incl resp st mr mrs esp".split())
SELDOM_LAST = frozenset(
    (
        "ca min max no nr seg im img ser se diam bilat post ant sup inf lat med lab cor corr clin prev susp pt pts s/p "
        "h/o hx dx a.m p.m mo mos yr yrs wk wks hr hrs jan feb mar apr jun jul aug sep sept oct nov dec"
    ).split()
)
# a letter behind one of these is no initial: "hepatitis B."
LETTERED = frozenset("hepatitis vitamin type grade stage class group segment category influenza level point".split())
UNITS = frozenset("mm cm ml".split())
AFTER_UNIT = frozenset("in x by long thick wide sized nodule mass lesion diameter at on with and".split())
COUNTED = frozenset(
    "rib ribs costa costal intercostal vertebra vertebral thoracic lumbar segment and month week".split()
)
# Written small behind a full stop these go on with the sentence; the stop belongs to an abbreviation or is a slip.
GOES_ON = frozenset("is are was were recommended which".split())
# a line that ends on one of these goes on in the next line
OPEN_WORDS = frozenset(
    (
        "the a an of in on at to with without and or for from by is are was were no measuring measures than as which "
        "that be approximately"
    ).split()
)

_LONGEST_WORD = 40


def last_word(text: str, start: int, end: int) -> str:
    """The characters before ``end`` up to white space."""
    end_of_text = text[max(start, end - _LONGEST_WORD) : end]
    return "" if not end_of_text or end_of_text[-1].isspace() else end_of_text.split()[-1]
