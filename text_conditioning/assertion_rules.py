"""The compiled rules by which a language says that something is present, absent, uncertain or past.

They come from one file per language: `text_conditioning.assertion_languages`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from text_conditioning.assertion_states import Assertion

NOTHING: re.Pattern[str] = re.compile(r"(?!)")


@dataclass(frozen=True)
class TriggerGroup:
    """Phrases that say the same of what they reach.

    Attributes:
        state: The state they give to their clause; None for phrases that only look like a trigger.
        concept_state: The state they give to a concept that they reach.
        after: Whether they act on what follows.
        before: Whether they act on what precedes.
        itself: Whether they act on a finding among their own words.
        near: Whether a comma ends their reach.
    """

    state: Assertion | None
    concept_state: Assertion | None
    after: bool
    before: bool
    itself: bool
    near: bool


@dataclass(frozen=True, eq=False)
class Rules:
    """The compiled rules of a language.

    Attributes:
        language: Code of the language, such as "en".
        known: False where there is no file for the language; then nothing is denied, and every state is PRESENT.
        groups: Groups of triggers; the first one that reaches a finding gives its state.
        triggers: Matches any trigger; the name of the matching group is "g" and its index in `groups`.
        asides: Matches a clause inside another one, commas included.
        boundaries: Matches what separates two clauses.
        predicates: Matches a finite verb.
        joints: Matches what may join two clauses.
        dependents: Matches the beginning of a clause that belongs to the one before.
        openings: Matches a whole clause that names no finding.
        normal: Matches a phrase that says that all is well.
        light_words: Words that name no finding.
    """

    language: str
    known: bool = False
    groups: tuple[TriggerGroup, ...] = ()
    triggers: re.Pattern[str] = field(default=NOTHING, repr=False)
    asides: re.Pattern[str] = field(default=NOTHING, repr=False)
    boundaries: re.Pattern[str] = field(default=NOTHING, repr=False)
    predicates: re.Pattern[str] = field(default=NOTHING, repr=False)
    joints: re.Pattern[str] = field(default=NOTHING, repr=False)
    dependents: re.Pattern[str] = field(default=NOTHING, repr=False)
    openings: re.Pattern[str] = field(default=NOTHING, repr=False)
    normal: re.Pattern[str] = field(default=NOTHING, repr=False)
    light_words: frozenset[str] = field(default=frozenset(), repr=False)
