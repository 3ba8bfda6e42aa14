"""The sidecar keeps what it is given, and names case, file, value and fix where it is wrong."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from nnunet_reportseg.errors import SidecarError
from nnunet_reportseg.sidecar import CaseEntry, Finding, Sidecar
from tests.bad_sidecars import BAD_REPORT_FILES, BAD_SIDECARS, BadSidecar
from tests.small_dataset import REPORTS, write_sidecar


@pytest.fixture
def sidecar(tmp_path: Path) -> Sidecar:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "b.txt").write_text("\ufeffOpacité à gauche.\r\nCœur normal.\n", encoding="utf-8")
    cases = {
        "a": {
            "report": "A nodule.",
            "findings": [{"id": "1", "text": "A nodule.", "label_values": [1, 3]}, {"id": "x", "text": "Heart"}],
        },
        "b": {"report_file": "texts/b.txt"},
        "c": {"report": None},
    }
    return Sidecar.load(write_sidecar(tmp_path / "reports.json", cases))


def test_keeps_reports_and_findings(sidecar: Sidecar) -> None:
    assert sidecar.case_ids == ("a", "b", "c")
    assert sidecar.report_text("a") == "A nodule."
    assert sidecar.report_text("c") is None
    assert sidecar.findings("a") == (
        Finding(id="1", text="A nodule.", label_values=(1, 3)),
        Finding(id="x", text="Heart", label_values=()),
    )
    assert sidecar.findings("b") == ()


def test_the_origin_of_a_text_stays_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("BI-RADS category 3.")
    cases = {"a": {"report_file": "a.txt", "origin": "template"}, "b": {"report": "A nodule."}}
    Sidecar.load(write_sidecar(tmp_path / "reports.json", cases)).resolved().write(tmp_path / "copy" / "reports.json")
    copy = Sidecar.load(tmp_path / "copy" / "reports.json")
    assert (copy.entry("a").origin, copy.entry("b").origin) == ("template", None)


def test_findings_are_exhaustive_unless_they_say_no_and_files_say_only_that(tmp_path: Path) -> None:
    findings = [{"id": "1", "text": "Nodules.", "exhaustive": False}, {"id": "2", "text": "Heart", "exhaustive": True}]
    file = write_sidecar(tmp_path / "reports.json", {"a": {"report": "Nodules. Heart.", "findings": findings}})
    Sidecar.load(file).resolved().write(tmp_path / "copy.json")
    assert [finding.exhaustive for finding in Sidecar.load(tmp_path / "copy.json").findings("a")] == [False, True]
    written = json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))["cases"]["a"]["findings"]
    assert [finding.get("exhaustive") for finding in written] == [False, None]


def test_reads_text_files_relative_to_itself_as_utf8(
    sidecar: Sidecar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert sidecar.report_text("b") == "Opacité à gauche.\r\nCœur normal.\n"


@pytest.mark.parametrize("bad", BAD_SIDECARS)
def test_names_what_is_wrong_on_loading(bad: BadSidecar, tmp_path: Path) -> None:
    file = bad.write(tmp_path)
    with pytest.raises(SidecarError) as caught:
        Sidecar.load(file)
    bad.assert_named_in(str(caught.value))


@pytest.mark.parametrize("bad", BAD_REPORT_FILES)
def test_names_what_is_wrong_with_a_text_file(bad: BadSidecar, tmp_path: Path) -> None:
    loaded = Sidecar.load(bad.write(tmp_path))
    with pytest.raises(SidecarError) as caught:
        loaded.require_cases(["case_001"])
    bad.assert_named_in(str(caught.value))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable for root")
def test_names_a_text_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A nodule.")
    (tmp_path / "a.txt").chmod(0)
    loaded = Sidecar.load(write_sidecar(tmp_path / "reports.json", {"a": {"report_file": "a.txt"}}))
    with pytest.raises(SidecarError, match=r"case 'a', file .*a\.txt: the report file cannot be read: Permission"):
        loaded.report_text("a")


def test_names_a_folder_in_place_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    loaded = Sidecar.load(write_sidecar(tmp_path / "reports.json", {"a": {"report_file": "a.txt"}}))
    with pytest.raises(SidecarError, match=r"case 'a', file .*a\.txt: the report file cannot be read"):
        loaded.report_text("a")


def test_names_every_violation_of_the_schema_at_once(tmp_path: Path) -> None:
    cases = {"a": {}, "b": {"report": "x", "report_file": "y"}, "c": {"report": ""}}
    file = write_sidecar(tmp_path / "reports.json", cases)
    with pytest.raises(SidecarError) as caught:
        Sidecar.load(file)
    lines = str(caught.value).splitlines()
    assert [line.split(",")[0] for line in lines] == ["case 'a'", "case 'b'", "case 'c'"]


def test_absent_case_is_an_error_that_names_it(sidecar: Sidecar) -> None:
    for ask in (sidecar.entry, sidecar.report_text, sidecar.findings, lambda case: sidecar.require_cases(["a", case])):
        with pytest.raises(SidecarError, match=r"case 'd', file .*reports\.json: .*no entry.*Fix: add each case"):
            ask("d")


def test_absent_cases_become_null_on_request_and_are_logged_once_each(
    sidecar: Sidecar, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        sidecar.require_cases(["a", "d", "e", "d"], missing_report="null")
        sidecar.require_cases(["a", "d", "e"], missing_report="null")
    assert sidecar.report_text("d") is None
    assert [record.args[0] for record in caplog.records if record.args] == ["d", "e"]


def test_case_without_an_image_is_an_error_that_names_it(sidecar: Sidecar) -> None:
    with pytest.raises(SidecarError, match=r"case 'b', file .*reports\.json: 1 case.*no image: b.*Fix: correct"):
        sidecar.require_known(["a", "c", "d"])
    sidecar.require_known(["a", "b", "c", "d"])


def test_resolved_sidecar_can_be_written_elsewhere(sidecar: Sidecar, tmp_path: Path) -> None:
    target = tmp_path / "other" / "reports.json"
    with pytest.raises(SidecarError, match=r"case 'b', file .*: report_file is relative"):
        sidecar.write(target)
    assert not target.exists()
    sidecar.resolved().write(target)
    copy = Sidecar.load(target)
    assert [copy.report_text(case) for case in copy.case_ids] == [sidecar.report_text(case) for case in "abc"]
    assert copy.findings("a") == sidecar.findings("a")


def test_writing_in_place_keeps_references_to_text_files(sidecar: Sidecar, tmp_path: Path) -> None:
    sidecar.write(tmp_path / "reports.json")
    assert Sidecar.load(tmp_path / "reports.json").entry("b") == CaseEntry(report_file="texts/b.txt")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "reports.json"
    Sidecar.from_cases({"a": {"report": "old"}}).write(file)

    def fail(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        Sidecar.from_cases({"a": {"report": "new"}}).write(file)
    assert Sidecar.load(file).report_text("a") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["reports.json"]


def test_from_cases_validates_like_a_file() -> None:
    built = Sidecar.from_cases({"a": CaseEntry(report="x"), "b": {"report": None}})
    assert built.report_text("a") == "x"
    with pytest.raises(SidecarError, match=r"case 'a', file reports\.json: neither"):
        Sidecar.from_cases({"a": {}})


def test_published_schema_is_the_one_in_the_code() -> None:
    published = Path(__file__).parents[1] / "docs" / "reports.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == Sidecar.json_schema()


def test_schema_says_exactly_one_source() -> None:
    schema = Sidecar.json_schema()
    assert schema["$defs"]["CaseEntry"]["oneOf"] == [{"required": ["report"]}, {"required": ["report_file"]}]
    assert schema["additionalProperties"] is False
    assert set(REPORTS["case_001"]) <= set(schema["$defs"]["CaseEntry"]["properties"])
