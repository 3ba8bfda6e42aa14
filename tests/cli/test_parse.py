"""``reportseg parse`` shows how reports are read, and answers bad input with a message and exit code 2."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnunet_reportseg.cli.main import main
from tests.small_dataset import write_sidecar

TEXT = (
    "FINDINGS: LUNGS: There is a 1.5 cm nodule (previously 8 mm) in the left upper lobe. No right pleural effusion.\n"
    "IMPRESSION:\n1. Lingular nodule may represent metastasis.\n"
)
CASES: dict[str, Any] = {
    "case_001": {"report": TEXT},
    "case_002": {"report": None},
    "case_003": {"report": "PLEURA: No effusion."},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "report.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "report.txt"


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "Dataset501_Small"
    folder.mkdir()
    write_sidecar(folder / "reports.json", CASES)
    return folder


def _parse(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["parse", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert _parse(*arguments, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_json_has_every_sentence_with_its_place_and_tags(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _json(capsys, str(file))
    first = document["sentences"][0]
    assert first["text"] == "LUNGS: There is a 1.5 cm nodule (previously 8 mm) in the left upper lobe."
    assert (first["section"], first["assertion"]) == ("findings", "present")
    assert (first["laterality"], first["level"]) == ("left", "upper")
    assert (first["sizes_mm"], first["prior_sizes_mm"]) == ([15.0], [8.0])
    assert first["mirrored"] == first["text"].replace("left", "right")
    assert document["sentences"][-1]["mirrored"] is None
    assert document["unknown_headings"] == ["LUNGS"]
    spans = [(s["start"], s["end"]) for s in document["sentences"]] + [tuple(span) for span in document["markup"]]
    outside, position = "", 0
    for start, end in sorted(spans):
        outside, position = outside + TEXT[position:start], end
    assert (outside + TEXT[position:]).strip() == ""


def test_table_shows_one_line_per_statement(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert _parse(str(file)) == 0
    shown = capsys.readouterr().out
    for part in ("findings", "absent", "right", "15 (was 8)", "impression", "uncertain", "LUNGS", "3 statements"):
        assert part in shown


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Opacit\u00e9.".encode())))
    assert _json(capsys, "-")["sentences"][0]["text"] == "Opacit\u00e9."


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "No such file"),
        (b"", "no words"),
        (b"FINDINGS:", "headings only"),
        ("Opacit\u00e9".encode("latin1"), "not UTF-8"),
        ("Nodule".encode("utf-16"), "UTF-16"),
        (b"Nodule\0", "NUL"),
        (b"<p>Nodule</p>", "HTML"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
    ],
)
def test_bad_files_exit_with_2_and_are_named(
    content: bytes | None, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.txt"
    if content is not None:
        file.write_bytes(content)
    assert _parse(str(file)) == 2
    message = capsys.readouterr().err
    assert named in message
    assert "bad.txt" in message


def test_one_of_file_and_dataset_is_needed(file: Path, dataset: Path) -> None:
    assert _parse() == 2
    assert _parse(str(file), "-d", "501") == 2


def test_a_rank_is_shown_with_the_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.txt"
    file.write_text("The larger nodule measures 12 mm.")
    (sentence,) = _json(capsys, str(file))["sentences"]
    assert (sentence["rank"], sentence["sizes_mm"]) == ("larger", [12.0])
    assert _parse(str(file)) == 0
    assert "larger 12" in capsys.readouterr().out


def test_statistics_of_a_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = _json(capsys, "-d", "501")
    assert (counts["cases"], counts["reports"], counts["without_report"]) == (3, 2, ["case_002"])
    assert counts["sentences"] == 4
    assert counts["sentences_per_report"] == {"mean": 2.0, "min": 1, "max": 3}
    assert counts["assertions"] == {"present": 1, "absent": 2, "uncertain": 1, "historical": 0}
    assert counts["sides"] == {"none": 1, "left": 2, "right": 1, "bilateral": 0}
    assert counts["levels"]["upper"] == 2
    assert counts["ranks"] == {"none": 4, "larger": 0, "smaller": 0, "several": 0}
    assert counts["sections"]["impression"] == 1
    assert (counts["with_size"], counts["with_prior_size"]) == (1, 1)
    assert counts["unknown_headings"] == {"LUNGS": 1, "PLEURA": 1}
    assert counts["mirroring"] == {"sided_statements": 3, "sided_statements_refused": 1, "cases_not_mirrored": 1}


def test_table_of_a_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _parse("-d", "501") == 0
    shown = capsys.readouterr().out
    for part in ("3, of them 1 without report", "PLEURA 1", "1 of 3 statements with a side", "cut off"):
        assert part in shown


def test_one_case_of_a_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "-d", "501", "--case", "case_003")["sentences"][0]["assertion"] == "absent"
    assert _parse("-d", "501", "--case", "case_002") == 2
    assert "no report" in capsys.readouterr().err
    assert _parse("-d", "501", "--case", "case_009") == 2
    assert "case_009" in capsys.readouterr().err


def test_unknown_dataset_and_bad_reports_exit_with_2(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _parse("-d", "777") == 2
    assert "Dataset501_Small" in capsys.readouterr().err
    write_sidecar(dataset / "reports.json", {"case_001": {"report": "<b>Nodule</b>"}})
    assert _parse("-d", "501") == 2
    message = capsys.readouterr().err
    assert "case_001" in message
    assert "HTML" in message


def test_a_language_without_rules_passes_through_with_a_notice(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _parse(str(file), "--language", "xx") == 0
    shown = capsys.readouterr().out
    assert "unknown" in shown
    assert shown.count("no rules for the language 'xx'") == 1
    document = _json(capsys, str(file), "-l", "xx")
    assert document["language_known"] is False
    assert {s["assertion"] for s in document["sentences"]} == {"unknown"}
    assert len(document["sentences"]) == 3


def test_text_that_is_not_english_gets_a_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    german = "Rundherd im linken Oberlappen. Kein Pleuraerguss. Herz normal gro\u00df, keine Stauung. " * 8
    (tmp_path / "report.txt").write_text(german, encoding="utf-8")
    assert _parse(str(tmp_path / "report.txt")) == 0
    assert "does not look English" in capsys.readouterr().out


def test_does_not_load_torch(file: Path, dataset: Path) -> None:
    code = (
        "import sys\n"
        "from nnunet_reportseg.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "print('LOADED', *sorted({'torch', 'transformers', 'nnunetv2'} & set(sys.modules)))"
    )
    for arguments in (["parse", str(file)], ["parse", "-d", "501"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "LOADED"


def test_a_narrow_terminal_still_shows_the_text(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert _parse(str(file)) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "[findings] 10-" in shown
    assert "present left upper 15 (was 8) LUNGS: There is a 1.5 cm nodule" in shown


@pytest.mark.parametrize("option", [["--case", "case_001"], ["-r", "reports.json"], ["-e", "radbert"]])
def test_options_of_a_dataset_are_refused_for_a_file(
    file: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _parse(str(file), *option) == 2
    assert "-d" in capsys.readouterr().err


@pytest.mark.usefixtures("dataset")
def test_an_unknown_case_is_told_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert _parse("-d", "501", "--case", "case_999") == 2
    message = capsys.readouterr().err
    assert "there is no such case" in message
    assert "case_001, case_002, case_003" in message
