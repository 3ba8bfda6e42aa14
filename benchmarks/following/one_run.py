"""The process of one run: train a variant, predict the test split under all conditions, score, keep the result.

python -m following.one_run '{"benchmark": ...}'        # started by following.runs
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from following.conditions import CORRECT, TOLD, Reading, blind_readings, readings, report_key
from following.predict import image_masks, load_predictor
from following.runs import RunSpec
from following.scores import CaseScore, other_lesions, part_of, score_case, summary
from following.training_run import times, train_run
from following.variants import VARIANTS
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.evaluation.paired import dice
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet


def main(spec: RunSpec) -> None:
    """Do the run and write its result."""
    variant = VARIANTS[spec.variant]
    run = train_run(spec, variant, f"follow_{spec.variant}_s{spec.seed}")
    (run.model / "fold_all" / "checkpoint_best.pth").unlink(missing_ok=True)  # the final weights are those that count
    raw = run.raw
    tests = PairedTestSet(raw)
    volumes: dict[str, list[str]] = {}
    for case, volume in tests.volume_of.items():
        volumes.setdefault(volume, []).append(case)
    settings = spec.settings
    predictor = load_predictor(
        run.model, run.device, variant=variant, step_size=settings.step_size, mirroring=settings.mirroring
    )
    denied = _denied(raw)
    scores: dict[str, list[CaseScore]] = {}
    for volume, found in (readings(raw, volumes) if variant.guided else blind_readings(volumes)).items():
        image = raw / "imagesTs" / f"{volumes[volume][0]}_0000.nii.gz"
        masks = image_masks(predictor, image, found, run.preprocessed)
        lesions = tests.lesions(volumes[volume][0])
        for reading in found:
            mask = masks[report_key(reading)]
            score = _score(reading, mask, lesions, tests, denied, spec.attributes)
            scores.setdefault(reading.condition, []).append(score)
    rows = [{"condition": condition, **summary(cases)} for condition, cases in scores.items()]
    correct = next(row for row in rows if row["condition"] == CORRECT)
    facts = run.facts(spec)
    result = {
        **facts,
        "blind_ceiling": {"dice": tests.blind_ceiling(), "follow_rate": len(volumes) / len(tests.described)},
        "rows": rows,
        "line": f"Dice {correct['dice']:.3f}, follow rate {correct['follow_rate']:.2f}, {times(facts)}",
    }
    write_text(spec.result_file, json.dumps(result, indent=1) + "\n")


def _score(
    reading: Reading,
    mask: np.ndarray,
    lesions: np.ndarray,
    tests: PairedTestSet,
    denied: dict[str, list[int]],
    attributes: tuple[str, ...],
) -> CaseScore:
    if reading.target is None:
        return CaseScore(dice(mask, lesions))
    described, not_there = tests.described[reading.target], denied[reading.target]
    if reading.condition == TOLD:
        mask = part_of(mask, lesions, described)
    of_volume = tests.volumes[tests.volume_of[reading.case]]["lesions"]
    others = other_lesions(of_volume, described, not_there, attributes)
    return score_case(mask, lesions, described, denied=not_there, others=others)


def _denied(raw: Path) -> dict[str, list[int]]:
    """For each test case the lesions that its report denies."""
    (manifest,) = (file for name in ("phantom", "implants") if (file := raw / f"{name}.json").is_file())
    cases: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["test_cases"]
    return {case: [d["value"] for d in entry["denied"] if d["value"]] for case, entry in cases.items()}


if __name__ == "__main__":
    main(RunSpec.from_json(sys.argv[1]))
