"""The rules by which a language says that something is present, absent, uncertain or past: one JSON file per language.

The file format is the trigger lexicon of NegEx (Chapman et al. 2001, doi 10.1006/jbin.2001.1029) with the directions of
ConText (Harkema et al. 2009, doi 10.1016/j.jbi.2009.05.002). We deviate in that a phrase is a regular expression and
that the order of the groups in the file decides between triggers.

A file `languages/<code>.json` holds:

- `format`: 1, `language`: the code, `sources`: free text, `words`: fragments by name; `{name}` stands for the
  alternatives of a fragment above, or in any phrase.
- `triggers`: groups, each with `state` ("present", "absent", "uncertain", "historical", or null: only looks like one),
  `concept` (the state of a concept that it reaches, where that is another one), `reach` (it acts on what comes "after"
  or "before" it, on "both", or on a finding in "itself"), `near` (true: not beyond the next comma), `phrases` and
  `marks` (punctuation, taken literally; what acts on what comes after must open a word: "?cyst"). Of two triggers that
  reach a finding, the group named first wins.
- `asides`: clauses inside another one, with the comma before and after; they are read by themselves, like brackets.
- `boundaries`: what separates clauses. The new clause begins at the first letter or digit of the match, or behind it.
- `predicates` and `joints`: finite verbs, and what may join two clauses that have one each.
- `dependents`: how a clause begins that only says more about the one before ("which is"); it gets no vector of its own.
- What a clause without trigger may be that names no finding: `openings` match a whole clause ("in the left lung,"),
  `normal` a phrase in it that says that all is well, and `light_words` are those of which it may consist.
- Phrases are matched, as whole words, against lower-case text with single spaces and straight quotes.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from text_conditioning.assertion_rules import NOTHING, Rules, TriggerGroup
from text_conditioning.assertion_states import Assertion
from text_conditioning.errors import AssertionRulesError

RULES_FORMAT: int = 1
LANGUAGES: Path = Path(__file__).with_name("languages")

_STATES: dict[str | None, Assertion | None] = {None: None, **{state.name.lower(): state for state in Assertion}}
_REACHES = ("after", "before", "both", "itself")
_FRAGMENT = re.compile(r"\{([a-z][a-z_]*)\}")
_START = r"(?:(?<!\w)(?=\w)|(?=[^\w\s]))"  # of a trigger; tried nowhere else, which takes half of the time
_LISTS = ("asides", "boundaries", "predicates", "joints", "dependents", "openings", "normal")
_WHOLE_WORDS = ("predicates", "dependents", "normal")


def load_rules(path: Path) -> Rules:
    """Read the rules of a language.

    Args:
        path: A JSON file as described above.

    Returns:
        The compiled rules.

    Raises:
        AssertionRulesError: If the file cannot be read or does not follow the format; it names the file and the entry.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssertionRulesError(f"{path}: cannot be read as JSON: {error}.") from error
    return _RulesFile(path, content).rules()


@cache
def rules_for(language: str) -> Rules:
    """Return the rules of a language that ship with the package.

    Args:
        language: Its code; of "en-GB" the first part counts.

    Returns:
        The rules; with `known` False where there are none.

    Raises:
        AssertionRulesError: If the code is no language code, or the file is damaged.
    """
    if not re.fullmatch(r"[a-z]{2,3}", code := re.split("[-_]", language.lower())[0]):
        raise AssertionRulesError(f"{language!r} is no language code. Give one of two or three letters, such as 'en'.")
    path = LANGUAGES / f"{code}.json"
    return load_rules(path) if path.is_file() else Rules(code)


class _RulesFile:
    """One file on its way to `Rules`."""

    def __init__(self, path: Path, content: Any) -> None:
        self._path = path
        if not isinstance(content, dict):
            raise self._error("the file", "is no JSON object")
        self._content: dict[str, Any] = content
        self._words: dict[str, str] = {}

    def rules(self) -> Rules:
        content = self._content
        if content.get("format") != RULES_FORMAT:
            raise self._error("format", f"is {content.get('format')!r}, and this version reads {RULES_FORMAT}")
        if not isinstance(content.get("language"), str):
            raise self._error("language", "must be a language code, such as 'en'")
        known = {"format", "language", "sources", "words", "triggers", "light_words", *_LISTS}
        if unknown := sorted(set(content) - known):
            raise self._error(unknown[0], f"is unknown; there are {', '.join(sorted(known))}")
        words = content.get("words", {})
        if not isinstance(words, dict):
            raise self._error("words", "must map names to fragments")
        for name in words:
            self._words[name] = self._any_of(f"words.{name}", self._strings(f"words.{name}", words[name]), whole=False)
        groups = content.get("triggers")
        if not isinstance(groups, list) or not groups:
            raise self._error("triggers", "must be a list of groups")
        lists = {name: self._strings(name, content.get(name, [])) for name in _LISTS}
        return Rules(
            language=content["language"],
            known=True,
            groups=tuple(self._group(index, group) for index, group in enumerate(groups)),
            triggers=self._compile(
                {f"triggers[{index}].phrases": group.get("phrases", []) for index, group in enumerate(groups)},
                f"{_START}(?:{'|'.join(self._trigger(index, group) for index, group in enumerate(groups))})",
            ),
            **{name: self._compiled(name, lists[name], whole=name in _WHOLE_WORDS) for name in _LISTS},
            light_words=frozenset(" ".join(self._strings("light_words", content.get("light_words", []))).split()),
        )

    def _group(self, index: int, group: Any) -> TriggerGroup:
        where = f"triggers[{index}]"
        if not isinstance(group, dict):
            raise self._error(where, "must be an object")
        if unknown := sorted(set(group) - {"state", "concept", "reach", "near", "phrases", "marks", "about"}):
            raise self._error(f"{where}.{unknown[0]}", "is unknown")
        state, concept = group.get("state"), group.get("concept", group.get("state"))
        reach, near = group.get("reach", "both"), group.get("near", False)
        for key, value in (("state", state), ("concept", concept)):
            if "state" not in group or not isinstance(value, str | None) or value not in _STATES:
                raise self._error(f"{where}.{key}", f"must be null or one of {', '.join(filter(None, _STATES))}")
        if reach not in _REACHES:
            raise self._error(f"{where}.reach", f"must be one of {', '.join(_REACHES)}")
        if not isinstance(near, bool):
            raise self._error(f"{where}.near", "must be true or false")
        after, before = reach in ("after", "both"), reach in ("before", "both")
        return TriggerGroup(_STATES[state], _STATES[concept], after, before, reach == "itself", near)

    def _trigger(self, index: int, group: dict[str, Any]) -> str:
        where = f"triggers[{index}]"
        phrases = self._strings(f"{where}.phrases", group.get("phrases", []))
        marks = [re.escape(mark) for mark in self._strings(f"{where}.marks", group.get("marks", []))]
        if group.get("reach") == "after":
            marks = [rf"(?<!\w){mark}(?=\w)" for mark in marks]
        if not phrases and not marks:
            raise self._error(where, "has neither phrases nor marks")
        parts = [self._any_of(f"{where}.phrases", phrases, whole=False) + r"\b"] if phrases else []
        return f"(?P<g{index}>{'|'.join(parts + marks)})"

    def _compiled(self, where: str, phrases: list[str], *, whole: bool) -> re.Pattern[str]:
        return self._compile({where: phrases}, self._any_of(where, phrases, whole=whole)) if phrases else NOTHING

    def _compile(self, phrases: dict[str, list[str]], pattern: str) -> re.Pattern[str]:
        """Compile the phrases as one expression; one by one only to find the one to blame."""
        try:
            compiled = re.compile(pattern)
        except re.error:
            compiled = NOTHING
        named = len(compiled.groupindex)
        empty = compiled.search("a")
        if compiled is not NOTHING and compiled.groups == named and (empty is None or empty.end() > empty.start()):
            return compiled
        for where, entries in phrases.items():
            for phrase in entries:
                self._check(where, phrase)
        raise self._error(", ".join(phrases), "do not make one regular expression together")

    def _check(self, where: str, phrase: str) -> None:
        try:
            pattern = re.compile(self._filled(where, phrase))
        except re.error as error:
            raise self._error(where, f"holds {phrase!r}, which is no regular expression: {error}") from error
        if pattern.groups or pattern.match(""):
            raise self._error(where, f"holds {phrase!r}; use (?:...) for groups, and let no phrase match nothing")

    def _any_of(self, where: str, phrases: list[str], *, whole: bool) -> str:
        joined = "(?:" + "|".join(self._filled(where, phrase) for phrase in phrases) + ")"
        return rf"\b{joined}\b" if whole else joined

    def _filled(self, where: str, phrase: str) -> str:
        def fragment(match: re.Match[str]) -> str:
            if match.group(1) not in self._words:
                raise self._error(where, f"holds {phrase!r}, and there is no {match.group()} in `words` above it")
            return self._words[match.group(1)]

        return _FRAGMENT.sub(fragment, phrase)

    def _strings(self, where: str, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            raise self._error(where, "must be a list of strings that are not empty")
        return value

    def _error(self, where: str, problem: str) -> AssertionRulesError:
        return AssertionRulesError(f"{self._path}: {where} {problem}.")
