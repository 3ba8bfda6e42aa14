"""Rules of a language come from one file; a language without one denies nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from text_conditioning.assertion import Assertion, classify, load_rules, rules_for
from text_conditioning.errors import AssertionRulesError

GERMAN: dict[str, Any] = {
    "format": 1,
    "language": "de",
    "words": {"seen": ["nachweisbar", "zu sehen"]},
    "triggers": [
        {"state": None, "phrases": ["keine \u00e4nderung"]},
        {"state": "absent", "reach": "after", "phrases": ["keine?", "ohne"]},
        {"state": "absent", "reach": "before", "phrases": ["nicht {seen}"]},
        {"state": "historical", "reach": "itself", "phrases": ["lobektomie(?=\\W*$)"]},
        {"state": "uncertain", "reach": "after", "near": True, "marks": ["?"]},
        {"state": "uncertain", "reach": "before", "near": True, "marks": ["?"]},
    ],
    "boundaries": [", aber "],
}


def written(folder: Path, content: Any) -> Path:
    path = folder / "de.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_another_language_needs_only_a_file(tmp_path: Path) -> None:
    rules = load_rules(written(tmp_path, GERMAN))
    assert rules.known
    for sentence, word, state in (
        ("Kein Erguss, aber ein Rundherd.", "Erguss", Assertion.ABSENT),
        ("Kein Erguss, aber ein Rundherd.", "Rundherd", Assertion.PRESENT),
        ("Rundherd nicht zu sehen.", "Rundherd", Assertion.ABSENT),
        ("Keine \u00c4nderung des Rundherds.", "Rundherd", Assertion.PRESENT),
        ("Rundherd?", "Rundherd", Assertion.UNCERTAIN),
        ("Rundherd, ?Zyste links.", "Zyste", Assertion.UNCERTAIN),
        ("Rundherd, ?Zyste links.", "Rundherd", Assertion.PRESENT),
        ("Lobektomie.", "Lobektomie", Assertion.HISTORICAL),
    ):
        start = sentence.index(word)
        assert classify(sentence, (start, start + len(word)), rules=rules) is state, sentence


def test_a_language_without_rules_denies_nothing_and_says_so() -> None:
    rules = rules_for("xx")
    assert not rules.known
    assert classify("No effusion.", rules=rules) is Assertion.PRESENT


def test_english_is_known_under_its_regions_and_read_once() -> None:
    assert rules_for("en").known
    assert rules_for("en-GB").language == "en"
    assert rules_for("en") is rules_for("en")


@pytest.mark.parametrize("language", ["", "../en", "english", "e n"])
def test_what_is_no_language_code_is_refused(language: str) -> None:
    with pytest.raises(AssertionRulesError, match="no language code"):
        rules_for(language)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 2}, "format"),
        ({"language": None}, "language"),
        ({"trigger": []}, "trigger is unknown"),
        ({"words": ["seen"]}, "words"),
        ({"words": {"seen": "visible"}}, "words.seen"),
        ({"triggers": []}, "triggers"),
        ({"triggers": ["no"]}, r"triggers\[0\]"),
        ({"triggers": [{"phrases": ["no"]}]}, r"triggers\[0\].state"),
        ({"triggers": [{"state": "gone", "phrases": ["no"]}]}, r"triggers\[0\].state"),
        ({"triggers": [{"state": "absent", "concept": "gone", "phrases": ["no"]}]}, r"triggers\[0\].concept"),
        ({"triggers": [{"state": "absent", "reach": "left", "phrases": ["no"]}]}, r"triggers\[0\].reach"),
        ({"triggers": [{"state": "absent", "near": 1, "phrases": ["no"]}]}, r"triggers\[0\].near"),
        ({"triggers": [{"state": "absent"}]}, r"triggers\[0\] has neither"),
        ({"triggers": [{"state": "absent", "phrases": ["no", "(ohne"]}]}, r"'\(ohne'"),
        ({"triggers": [{"state": "absent", "phrases": ["(no)"]}]}, r"use \(\?:"),
        ({"triggers": [{"state": "absent", "phrases": ["x?"]}]}, "match nothing"),
        ({"triggers": [{"state": "absent", "phrases": ["not {see}"]}]}, r"no \{see\}"),
        ({"boundaries": [";", "*"]}, "boundaries"),
        ({"normal": [""]}, "normal"),
    ],
)
def test_a_damaged_file_is_refused_with_the_entry(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    path = written(tmp_path, GERMAN | change)
    with pytest.raises(AssertionRulesError, match=named) as error:
        load_rules(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(AssertionRulesError, match=r"de\.json"):
        load_rules(written(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionRulesError, match="cannot be read"):
        load_rules(tmp_path / "de.json")


def test_the_assertion_rules_need_the_standard_library_alone() -> None:
    code = "import sys, text_conditioning.clauses as c; print('torch' in sys.modules, 'numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
