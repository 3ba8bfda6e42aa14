"""How far the triggers of a sentence reach: its clauses, and the state of every place in it.

As in NegEx and ConText a trigger acts on what stands before or after it, up to the end of its clause. We deviate in
where clauses end: next to the listed boundaries ("but", ";", ", and no") a joint between two finite verbs ends one ("no
effusion is seen and a nodule is present"), and what stands in brackets is read by itself first ("lesion (cyst?)").
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from text_conditioning.assertion_rules import Rules
from text_conditioning.assertion_states import Assertion
from text_conditioning.assertion_text import first_letter, normalised

_BRACKETS = re.compile(r"\([^()]{1,200}\)")
_WORD = re.compile(r"[^\W\d_]+")
_PUNCTUATION = re.compile(r"[^\w\s]")
_COMMA = re.compile(r"[,:](?= )")


@dataclass(frozen=True)
class Clause:
    """A clause of a sentence.

    Attributes:
        start: Its first character.
        end: One past its last character, without white space.
        state: Its state; None where it names no finding ("In the left lung,", "the heart is normal").
    """

    start: int
    end: int
    state: Assertion | None


@dataclass(frozen=True)
class _Trigger:
    start: int
    end: int
    rank: int


class Reading:
    """A sentence with its triggers and clauses.

    Attributes:
        clauses: The clauses in order.
    """

    def __init__(self, sentence: str, rules: Rules) -> None:
        self._rules = rules
        self._text, self._kept = normalised(sentence)
        self._asides: list[tuple[int, int, Reading]] = []
        self._mask_asides(_BRACKETS)
        self._mask_asides(rules.asides)
        self._triggers = self._find_triggers()
        self._commas = [match.start() for match in _COMMA.finditer(self._text)]
        self._starts = self._find_clauses()
        self._by_clause: list[list[_Trigger]] = [[] for _ in self._starts]
        for trigger in self._triggers:
            self._by_clause[bisect_right(self._starts, trigger.start) - 1].append(trigger)
        self.clauses: tuple[Clause, ...] = self._read_clauses(sentence)

    def state_of(self, start: int, end: int) -> Assertion:
        """Return the state of the concept at these characters of the sentence."""
        return self._reached_by(self._place(start), self._place(end)) or Assertion.PRESENT

    def _place(self, position: int) -> int:
        """Turn a place in the sentence into one in the normalised text."""
        return position if self._kept is None else bisect_right(self._kept, position - 1)

    def _reached_by(self, start: int, end: int) -> Assertion | None:
        for first, last, inside in self._asides:
            if first <= start < last:
                state = inside._reached_by(start - first, end - first)
                if state is not None:
                    return state
        found = [t.rank for t in self._by_clause[bisect_right(self._starts, start) - 1] if self._reaches(t, start, end)]
        for first, last in self._covered:
            if first < start < last and (match := self._rules.triggers.match(self._text, first, start)):
                found.append(_rank(match))  # "no change in vision" is no denial, unless the change is the concept
        return self._rules.groups[min(found)].concept_state if found else None

    def _reaches(self, trigger: _Trigger, start: int, end: int) -> bool:
        group = self._rules.groups[trigger.rank]
        if start >= trigger.end:
            return group.after and not (group.near and self._comma_between(trigger.end, start))
        if end <= trigger.start:
            return group.before and not (group.near and self._comma_between(end, trigger.start))
        return group.itself

    def _comma_between(self, start: int, end: int) -> bool:
        return bisect_left(self._commas, start) < bisect_left(self._commas, end)

    def _mask_asides(self, pattern: re.Pattern[str]) -> None:
        """Read what stands in brackets by itself and hide it, unless it speaks of what stands before: "(not seen)"."""
        parts, position = [], 0
        for match in pattern.finditer(self._text):
            start, end = match.start() + 1, match.end() - 1
            inside = Reading(self._text[start:end], self._rules)
            if inside._triggers and inside._begins_with_trigger():
                continue
            self._asides.append((start, end, inside))
            parts += [self._text[position:start], "~" * (end - start)]
            position = end
        if parts:
            self._text = "".join([*parts, self._text[position:]])

    def _begins_with_trigger(self) -> bool:
        first = self._triggers[0]
        return self._rules.groups[first.rank].before and not _WORD.search(self._text, 0, first.start)

    def _find_triggers(self) -> list[_Trigger]:
        found = []
        self._covered: list[tuple[int, int]] = []
        for match in self._rules.triggers.finditer(self._text):
            rank = _rank(match)
            self._covered.append(match.span())
            if self._rules.groups[rank].state is not None:
                found.append(_Trigger(match.start(), match.end(), rank))
        return found

    def _find_clauses(self) -> list[int]:
        """Return where the clauses begin, the first at 0."""
        text, rules = self._text, self._rules
        inside = {place for start, end in self._covered for place in range(start + 1, end)}
        first_words = {start for start, _ in self._covered} - {trigger.start for trigger in self._triggers}
        starts = {0}
        for match in rules.boundaries.finditer(text):
            start = first_letter(text, match)
            if start in first_words and not _PUNCTUATION.search(match.group()):
                continue  # "performed without contrast"
            if start not in inside and match.start() > 0:
                starts.add(start)
        bounds = sorted(starts)
        joints = [(joint, first_letter(text, joint)) for joint in rules.joints.finditer(text)]
        verbs = [match.span() for match in rules.predicates.finditer(text)]
        verb_starts = {start for start, _ in verbs}
        joint_starts = [joint.start() for joint, _ in joints]
        for (_, before), (after, _) in pairwise(verbs):
            if bisect_right(bounds, before) != bisect_right(bounds, after):
                continue
            between = [
                (joint, start)
                for joint, start in joints[bisect_left(joint_starts, before) : bisect_left(joint_starts, after)]
                if joint.end() not in verb_starts and start not in inside
            ]
            commas = [start for joint, start in between if joint.group().startswith(",")]
            if between:
                last, start = between[-1]
                starts.add(commas[0] if commas and last.group() != ", and " else start)
        return sorted(starts)

    def _read_clauses(self, sentence: str) -> tuple[Clause, ...]:
        clauses: list[Clause] = []
        for index, (start, end) in enumerate(zip(self._starts, [*self._starts[1:], len(self._text)], strict=True)):
            start += self._text.startswith(" ", start)
            text = self._text[start:end].rstrip()
            if not text:
                continue
            ranks = [trigger.rank for trigger in self._by_clause[index]]
            state = self._rules.groups[min(ranks)].state if ranks else self._plain_state(text)
            if clauses and self._rules.dependents.match(text):
                state = None
            last = start + len(text)
            if self._kept is not None:
                start, last = self._kept[start], self._kept[last - 1] + 1
            clauses.append(Clause(start, last, state))
        return tuple(clauses)

    def _plain_state(self, clause: str) -> Assertion | None:
        """Return the state of a clause without triggers: None where it names no finding."""
        rules = self._rules
        if rules.light_words.issuperset(_WORD.findall(clause)) or rules.normal.search(clause):
            return None
        return None if rules.openings.fullmatch(clause) else Assertion.PRESENT


@lru_cache(maxsize=64)  # states, clauses and concepts of one sentence are asked for one after the other
def read_assertions(sentence: str, rules: Rules) -> Reading:
    """Find the triggers and clauses of a sentence.

    Args:
        sentence: One sentence of a report.
        rules: The rules of its language.

    Returns:
        The sentence as the rules read it.
    """
    return Reading(sentence, rules)


def _rank(match: re.Match[str]) -> int:
    return int((match.lastgroup or "g0")[1:])
