"""The process of one run: train, predict every finding of the test cases, score them, keep the result.

python -m per_finding.one_run '{"benchmark": ...}'        # started by following.runs
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from following.runs import RunSpec
from following.settings import Settings
from following.training_run import times, train_run
from following.variants import PLAIN, Variant
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
from nnunet_reportseg.evaluation.finding_evaluation import evaluate_findings
from nnunet_reportseg.finding_files import FINDING_ENDING, INDEX_JSON, INDEX_VERSION, finding_file_name
from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar

GROUNDING, WHOLE, BLIND = "grounding", "whole", "blind"
TRAINERS = {
    GROUNDING: Variant(
        "one finding at a time; all share the two finest decoder stages, of a network of three stages the finest",
        trainer="ReportGroundingTrainer",
    ),
    WHOLE: Variant("a whole decoder for each finding", trainer="ReportGroundingTrainer", adapter={"shared_stages": 0}),
    BLIND: Variant("plain nnU-Net: one mask, whatever is asked for", trainer=PLAIN),
}


def main(spec: RunSpec) -> None:
    """Do the run and write its result."""
    run = train_run(spec, TRAINERS[spec.variant], f"ground_{spec.variant}_s{spec.seed}")
    raw, settings = run.raw, spec.settings
    images, sidecar = raw / "imagesTs", Sidecar.load(raw / "imagesTs" / SIDECAR_NAME)
    masks = spec.out / "masks" / spec.benchmark / f"{spec.variant}_s{spec.seed}"
    shutil.rmtree(masks, ignore_errors=True)
    if spec.variant == BLIND:
        _predict_blind(run.model, images, masks, sidecar, run.device, settings)
    else:
        options = PredictionOptions(
            folds=("all",),
            step_size=settings.step_size,
            mirroring=settings.mirroring,
            preprocessing_threads=1,
            export_threads=1,
        )
        predict_folder(images, masks, model=run.model, reports=images / SIDECAR_NAME, options=options)
    facts = run.facts(spec)
    scored = evaluate_findings(masks, raw / "labelsTs", sidecar, read_label_set(raw / DATASET_JSON), "rexgroundingct")
    estimates = scored.overall.estimates
    row = {name: None if found is None else round(found.value, 4) for name, found in estimates.items()}
    result = {
        **facts,
        "findings": scored.overall.findings,
        "cases": scored.overall.cases,
        "row": row,
        "line": f"{row}, {times(facts)}",
    }
    write_text(spec.result_file, json.dumps(result, indent=1) + "\n")


def _predict_blind(
    model: Path, images: Path, masks: Path, sidecar: Sidecar, device: torch.device, settings: Settings
) -> None:
    """Predict with plain nnU-Net; its mask of a case stands for every finding."""
    predictor: Any = nnUNetPredictor(
        device=device, use_mirroring=settings.mirroring, tile_step_size=settings.step_size, allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(model), ("all",))
    masks.mkdir(parents=True)
    predictor.predict_from_files_sequential(str(images), str(masks))
    for case in sidecar.case_ids:
        mask = masks / f"{case}{FINDING_ENDING}"
        (masks / case).mkdir()
        entries = []
        for finding in sidecar.findings(case):
            file = masks / case / finding_file_name(finding.id)
            shutil.copyfile(mask, file)
            entries.append({"id": finding.id, "text": finding.text, "file": file.name})
        index = {"findings_version": INDEX_VERSION, "findings": entries}
        write_text(masks / case / INDEX_JSON, json.dumps(index, indent=1) + "\n")
        mask.unlink()


if __name__ == "__main__":
    main(RunSpec.from_json(sys.argv[1]))
