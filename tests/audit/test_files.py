"""The files of an audit."""

from __future__ import annotations

import csv
import json

import pytest

from nnunet_reportseg.audit import figure
from nnunet_reportseg.audit.conditions.registry import CONDITIONS
from nnunet_reportseg.audit.files import require_place, write_audit
from nnunet_reportseg.audit.run import run_audit
from nnunet_reportseg.errors import DatasetError
from tests.audit import stub


@pytest.fixture(scope="module")
def audit():
    world = stub.findings_world(images=5, linked=False)
    return run_audit(world.cases, stub.LABELS, stub.Network(world, stub.follows), facts={"dataset": "D", "split": "s"})


def test_all_three_files(audit, tmp_path):
    files = write_audit(audit, tmp_path / "out")
    assert [file.name for file in files] == ["audit.json", "audit.csv", "audit.png"]
    content = json.loads(files[0].read_text())
    assert content["audit_version"] == 1
    assert content["verdict"]["verdict"] == audit.verdict.verdict
    assert content["verdict"]["thresholds"]["lost_known_target"] == 0.5
    assert list(content["conditions"]) == list(CONDITIONS)
    assert "nodule" not in files[0].read_text() + files[1].read_text(), "no report text in the results"
    rows = list(csv.DictReader(files[1].open()))
    assert len(rows) == 5 * len(CONDITIONS)
    assert {(row["case"], row["condition"]) for row in rows} == {(c, n) for c in audit.cases for n in CONDITIONS}
    skipped = [row for row in rows if row["skipped"]]
    assert len(skipped) == len(content["skipped"]) > 0
    assert all(row["dice_original"] == "" for row in skipped)
    assert files[2].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("place", ["file", "file/under", "taken"])
def test_a_place_that_cannot_hold_the_files_is_refused_beforehand(tmp_path, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "audit.png").mkdir(parents=True)
    with pytest.raises(DatasetError, match=f"{place}.*Fix: "):
        require_place(tmp_path / place)
    require_place(tmp_path / "new" / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]


def test_nothing_is_written_where_one_file_cannot_be_made(audit, tmp_path, monkeypatch):
    def fail(_):
        raise MemoryError

    monkeypatch.setattr(figure, "draw_audit", fail)
    with pytest.raises(MemoryError):
        write_audit(audit, tmp_path / "out")
    assert not (tmp_path / "out").exists()
