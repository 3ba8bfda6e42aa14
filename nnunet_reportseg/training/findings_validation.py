"""The final validation of grounding: every finding of the validation cases is asked for, and so is what they deny.

``validation/findings.json`` takes the place of nnU-Net's ``summary.json``, whose one mask for each case would mean
nothing here. Scores are on the images' own grid. A finding that is not exhaustive is scored, where the dataset has an
ignore label, on the voxels that are known for it (nnunet_reportseg.training.known_voxels), and its row says so
(``known_voxels_only``); voxels that the label files ignore count for no finding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.case_reports import CaseFinding
from nnunet_reportseg.credible_size import credible_mask
from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
from nnunet_reportseg.evaluation.paired import dice
from nnunet_reportseg.evaluation.rexgroundingct import HIT_DICE
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.label_map import LabelMap, read_label_map
from nnunet_reportseg.network.report_guided_unet import unwrap
from nnunet_reportseg.training.known_voxels import known_voxels, margin_in_voxels
from text_conditioning.assertion import Assertion

FINDINGS_JSON = "findings.json"
MOST_DENIALS = 4  # of a report that are asked for


def validate_findings(trainer: Any) -> Path | None:
    """Predict and score the findings of a trainer's validation cases.

    Args:
        trainer: an initialised ReportGroundingTrainer, after training.

    Returns:
        The file written; None in processes other than the first, and where there are no validation cases.
    """
    _, cases = trainer.do_split()
    if trainer.local_rank != 0 or not cases:
        return None
    trainer.set_deep_supervision_enabled(False)
    network = unwrap(trainer.network)
    trained = network.training
    network.eval()
    try:
        predictor = MultiReportPredictor.of_trainer(trainer, tile_step_size=0.5, mirroring=True)
        rows = [row for case in cases for row in _score_case(trainer, predictor, case)]
    finally:
        network.train(trained)
        trainer.set_deep_supervision_enabled(trainer.enable_deep_supervision)
    summary = _summary(rows)
    file = Path(trainer.output_folder) / "validation" / FINDINGS_JSON
    file.parent.mkdir(exist_ok=True)
    write_text(file, json.dumps({"summary": summary, "findings": rows}, indent=1) + "\n")
    trainer.print_to_log_file(f"Findings: {summary}; {file}")
    return file


def _score_case(trainer: Any, predictor: MultiReportPredictor, case: str) -> list[dict[str, Any]]:
    report = trainer.reports.cases[case]
    denied = [s for s in report.sentences if s.assertion is Assertion.ABSENT][:MOST_DENIALS]
    asked = [*report.findings]
    asked += [CaseFinding(f"denied {n}", (), (), (sentence,)) for n, sentence in enumerate(denied, start=1)]
    if not asked:
        return []
    dataset = trainer.dataset_class(trainer.preprocessed_dataset_folder, [case])
    data, _, _, properties = dataset.load_case(case)
    masks = predictor.segment_reports(
        torch.from_numpy(np.ascontiguousarray(data[:])).float(),
        [report.asking(finding.words) for finding in asked],
        trainer.reports.bank,
        patient_axes(properties, trainer.plans_manager.transpose_forward),
        properties,
    )
    base = Path(trainer.preprocessed_dataset_folder_base)
    labels = read_label_set(base / DATASET_JSON)
    file = base / "gt_segmentations" / f"{case}{labels.file_ending}"
    reference = read_label_map(file, labels.reader, case=case)
    smallest = trainer.conditioning.smallest_component_mm3
    rows = []
    for number, (finding, mask) in enumerate(zip(asked, masks, strict=True)):
        counted = _counted(asked, number, reference, labels.ignore_label)
        wanted = np.isin(reference.voxels, finding.label_values) & counted
        found = credible_mask(mask != 0, smallest, reference.grid.parts["spacing"])[0] & counted
        rows.append(
            {
                "case": case,
                "finding": finding.finding_id,
                "dice": dice(found, wanted),
                "n_ref": int(wanted.sum()),
                "n_pred": int(found.sum()),
                "known_voxels_only": labels.ignore_label is not None and not finding.exhaustive,
            }
        )
    return rows


def _counted(
    findings: Sequence[CaseFinding], number: int, reference: LabelMap, ignore_label: int | None
) -> NDArray[np.bool_]:
    """Voxels that a finding is scored on."""
    if ignore_label is None:
        return np.ones_like(reference.voxels, dtype=bool)
    counted = reference.voxels != ignore_label
    if findings[number].exhaustive:
        return counted
    values = [finding.label_values for finding in findings]
    return counted & known_voxels(reference.voxels, values, number, margin_in_voxels(reference.grid.parts["spacing"]))


def _summary(rows: list[dict[str, Any]]) -> dict[str, float | int | None]:
    there = [row for row in rows if row["n_ref"]]
    absent = [row for row in rows if not row["n_ref"]]
    return {
        "findings": len(there),
        "dice": float(np.mean([row["dice"] for row in there])) if there else None,
        "hit_rate": float(np.mean([row["dice"] >= HIT_DICE for row in there])) if there else None,
        "absent": len(absent),
        "empty_rate": float(np.mean([row["n_pred"] == 0 for row in absent])) if absent else None,
        "known_voxels_only": sum(row["known_voxels_only"] for row in rows),
    }
