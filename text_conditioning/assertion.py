"""What a sentence says about its finding, or about one concept in it: present, absent, uncertain or historical.

Rules over trigger phrases in the manner of NegEx (Chapman et al. 2001, doi 10.1006/jbin.2001.1029) and ConText
(Harkema et al. 2009, doi 10.1016/j.jbi.2009.05.002). The triggers are data (`text_conditioning.assertion_languages`),
and how far they reach is decided in `text_conditioning.assertion_scopes`. We deviate in that a sentence has a state
too, because one clause is one entry of the report memory: the state of the clause that matters most for an image
(present, uncertain, historical, absent). "8 mm nodule without calcification" is a nodule that is there.
"""

from __future__ import annotations

from text_conditioning.assertion_languages import load_rules, rules_for
from text_conditioning.assertion_rules import Rules
from text_conditioning.assertion_scopes import read_assertions
from text_conditioning.assertion_states import Assertion
from text_conditioning.errors import ReportTextError

__all__ = ["Assertion", "Rules", "classify", "load_rules", "rules_for"]

_ORDER = (Assertion.PRESENT, Assertion.UNCERTAIN, Assertion.HISTORICAL, Assertion.ABSENT)


def classify(sentence: str, concept: tuple[int, int] | None = None, *, rules: Rules | None = None) -> Assertion:
    """Tell what a sentence says about its finding, or about one concept in it.

    A sentence that only states something normal ("The heart is normal in size.") is PRESENT: it denies nothing. What
    was there before and is gone ("has resolved") is HISTORICAL.

    Args:
        sentence: One sentence of a report.
        concept: First character and one past the last character of the concept in the sentence.
        rules: The rules of the sentence's language; English if not given.

    Returns:
        The state of the concept. Without one, the state of the clause that matters most: present, then uncertain,
        historical, absent.

    Raises:
        ReportTextError: If the concept is no span of the sentence.
    """
    reading = read_assertions(sentence, rules or rules_for("en"))
    if concept is not None:
        start, end = concept
        if not 0 <= start < end <= len(sentence):
            raise ReportTextError(f"The concept ({start}, {end}) is no span of the sentence {sentence[:40]!r}.")
        return reading.state_of(start, end)
    states = {clause.state for clause in reading.clauses}
    return next((state for state in _ORDER if state in states), Assertion.PRESENT)
