"""The final validation of grounding: every finding of the validation cases is asked for, and so is what they deny.

``validation/findings.json`` takes the place of nnU-Net's ``summary.json``, whose one mask for each case would mean
nothing here. Scores are on the images' own grid.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
from nnunet_reportseg.evaluation.paired import dice
from nnunet_reportseg.evaluation.rexgroundingct import HIT_DICE
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.label_map import read_label_map
from nnunet_reportseg.network.report_guided_unet import unwrap
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
        predictor = _predictor(trainer, network)
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


def _predictor(trainer: Any, network: Any) -> MultiReportPredictor:
    predictor = MultiReportPredictor(use_mirroring=True, device=trainer.device, allow_tqdm=False)
    predictor.manual_initialization(
        network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [network.state_dict()],
        trainer.dataset_json,
        type(trainer).__name__,
        trainer.inference_allowed_mirroring_axes,
    )
    return predictor


def _score_case(trainer: Any, predictor: MultiReportPredictor, case: str) -> list[dict[str, Any]]:
    report = trainer.reports.cases[case]
    denied = [s for s in report.sentences if s.assertion is Assertion.ABSENT][:MOST_DENIALS]
    asked = [(f.finding_id, f.label_values, f.words) for f in report.findings]
    asked += [(f"denied {number}", (), (sentence,)) for number, sentence in enumerate(denied, start=1)]
    if not asked:
        return []
    dataset = trainer.dataset_class(trainer.preprocessed_dataset_folder, [case])
    data, _, _, properties = dataset.load_case(case)
    masks = predictor.segment_reports(
        torch.from_numpy(np.ascontiguousarray(data[:])).float(),
        [report.asking(words) for _, _, words in asked],
        trainer.reports.bank,
        patient_axes(properties, trainer.plans_manager.transpose_forward),
        properties,
    )
    base = Path(trainer.preprocessed_dataset_folder_base)
    labels = read_label_set(base / DATASET_JSON)
    file = base / "gt_segmentations" / f"{case}{labels.file_ending}"
    reference = read_label_map(file, labels.reader, case=case).voxels
    rows = []
    for (finding, values, _), mask in zip(asked, masks, strict=True):
        wanted = np.isin(reference, values)
        rows.append(
            {
                "case": case,
                "finding": finding,
                "dice": dice(mask, wanted),
                "n_ref": int(wanted.sum()),
                "n_pred": int((mask != 0).sum()),
            }
        )
    return rows


def _summary(rows: list[dict[str, Any]]) -> dict[str, float | int | None]:
    there = [row for row in rows if row["n_ref"]]
    absent = [row for row in rows if not row["n_ref"]]
    return {
        "findings": len(there),
        "dice": float(np.mean([row["dice"] for row in there])) if there else None,
        "hit_rate": float(np.mean([row["dice"] >= HIT_DICE for row in there])) if there else None,
        "absent": len(absent),
        "empty_rate": float(np.mean([row["n_pred"] == 0 for row in absent])) if absent else None,
    }
