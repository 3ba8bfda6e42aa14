"""The clauses of a sentence that get a vector and a state each.

"No pleural effusion, but a small left pneumothorax persists." says two things, and one vector with one state would get
one of them wrong. A sentence is split only where its clauses differ in state; otherwise it stays whole, because an
encoder reads a whole sentence better than its parts.
"""

from __future__ import annotations

from text_conditioning.assertion import Assertion, Rules, classify, rules_for
from text_conditioning.assertion_scopes import read_assertions

Span = tuple[int, int]


def split_clauses(sentence: str, *, rules: Rules | None = None) -> tuple[Span, ...]:
    """Split a sentence where its clauses have different states.

    What connects two clauses ("but", "and") belongs to the second one, the comma before it to the first one. Each
    clause that is classified alone has the state that it has in the sentence; where that does not hold, the sentence
    stays whole.

    Args:
        sentence: One sentence of a report.
        rules: The rules of the sentence's language; English if not given.

    Returns:
        Spans in order; with the white space between them they cover the sentence from its first to its last character
        that is no white space. Empty where there is none.
    """
    rules = rules or rules_for("en")
    parts: list[tuple[int, int, Assertion | None]] = []
    for clause in read_assertions(sentence, rules).clauses:
        if parts and (clause.state is None or parts[-1][2] in (None, clause.state)):
            start, _, state = parts.pop()
            parts.append((start, clause.end, clause.state if state is None else state))
        else:
            parts.append((clause.start, clause.end, clause.state))
    whole = len(sentence) - len(sentence.lstrip()), len(sentence.rstrip())
    if len(parts) < 2:
        return (whole,) if whole[0] < whole[1] else ()
    if any(classify(sentence[start:end], rules=rules) is not state for start, end, state in parts):
        return (whole,)
    return (whole[0], parts[0][1]), *((start, end) for start, end, _ in parts[1:])
