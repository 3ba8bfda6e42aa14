"""Data: rule-based rewording. Synonyms and sentence frames that keep what a sentence says.

This is no test of free language: a network that passes has shown that it does not hang on single templates, no more.
Frames are tried in order and the first that fits is used; of the synonyms all that fit are.
"""

from __future__ import annotations

# Patterns match the whole sentence; {what} begins with an article, {where} with "the".
FRAMES: tuple[tuple[str, str], ...] = (
    (
        r"(?:in|within) (?P<where>the [^,]+?),? (?:there is )?(?P<what>an? [^,]+?)"
        r"(?: is (?:seen|visible|present|noted|found|identified))?\.",
        "There is {what} in {where}.",
    ),
    (r"there is (?P<what>an? .+?) (?:in|within) (?P<where>the .+?)\.", "{what} is seen in {where}."),
    (
        r"(?P<what>an? .+?) (?:is|can be) (?:seen|visible|present|noted|found|identified) (?:in|within) "
        r"(?P<where>the .+?)\.",
        "In {where}, there is {what}.",
    ),
    (
        r"(?P<where>the .+?) (?:contains|shows|harbou?rs|demonstrates) (?P<what>an? .+?)\.",
        "There is {what} in {where}.",
    ),
    (
        r"(?:imaging|ct|the scan|the examination) (?:shows|demonstrates|reveals) (?P<what>an? .+?) (?:in|within) "
        r"(?P<where>the .+?)\.",
        "{what} is seen in {where}.",
    ),
)

SYNONYMS: tuple[tuple[str, str], ...] = (
    (r"(left|right) (upper|middle|lower) lobe", r"\2 lobe of the \1 lung"),
    (r"(left|right) (upper|middle|lower) lung zone", r"\2 zone of the \1 lung"),
    (r"nodules", "nodular lesions"),
    (r"nodule", "nodular lesion"),
    (r"mass(?! lesion| effect)", "mass lesion"),
    (r"opacity", "opacification"),
    (r"rounded", "round"),
    (r"well-circumscribed", "sharply marginated"),
    (r"well-defined", "sharply defined"),
    (r"pleural effusion", "pleural fluid"),
    (r"pericardial effusion", "pericardial fluid"),
    (r"cardiomegaly", "enlargement of the heart"),
    (r"calcification", "calcified focus"),
    (r"measuring", "with a size of"),
    (r"adjacent to", "next to"),
    (r"no evidence of", "no sign of"),
    (r"consolidation", "consolidated area"),
    (r"hepatic(?! flexure)", "liver"),
    (r"pulmonary(?= (?:nodul|mass|lesion|metastas|parenchym|infiltrat))", "lung"),
    (r"renal(?= (?:mass|lesion|cyst|stone|tumou?r|cortex))", "kidney"),
)
