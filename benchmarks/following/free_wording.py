"""Findings in words written without knowledge of the templates of the datasets, read by a trained network.

``free_findings.json`` has 25 sentences for each of the four sites, written from knowledge of chest CT reports alone:
abbreviations, lung segments, sizes in mm and cm, telegraphic style. Each lesion of a test volume is told in some of
them, one at a time, between two fillers of the held-out wording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from following.conditions import FREE, Reading, report_key
from following.predict import image_masks, load_predictor
from following.scores import CaseScore, other_lesions, score_case, summary
from following.settings import Settings
from following.tasks import ATTRIBUTES
from following.variants import VARIANTS
from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.data.phantom_wording import TEST_WORDING
from nnunet_reportseg.embedding import BANK_FOLDER, sentences_of
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.bank import build_bank
from text_conditioning.encoders import FrozenTextEncoder

FILE = Path(__file__).with_name("free_findings.json")
PER_LESION = 3  # sentences


@dataclass(frozen=True)
class Told:
    """A lesion told in one sentence.

    Attributes:
        sentence: the sentence.
        reading: the report around it, and the test case whose lesion it is about.
    """

    sentence: str
    reading: Reading


def sentences_by_site() -> dict[str, list[str]]:
    """For each site ("left upper") its sentences."""
    found: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def tell(tests: PairedTestSet, sentences: Mapping[str, Sequence[str]]) -> dict[str, list[Told]]:
    """Tell each lesion of each test volume in some sentences, the sentences of a site taking turns.

    Args:
        tests: test cases of a task whose lesions lie at different sites, one case for each lesion.
        sentences: for each site.

    Returns:
        For each volume what is told of its lesions.
    """
    turns = {site: cycle(texts) for site, texts in sentences.items()}
    rng = np.random.default_rng(0)
    said: list[tuple[str, str]] = []
    texts: list[str] = []
    for case, value in tests.described.items():
        (lesion,) = [les for les in tests.volumes[tests.volume_of[case]]["lesions"] if les["value"] == value]
        for _ in range(PER_LESION):
            said.append((case, next(turns[f"{lesion['side']} {lesion['level']}"])))
            before, after = rng.choice(TEST_WORDING.fillers, size=2, replace=False)
            texts.append(f"{before} {said[-1][1]} {after}")
    sidecar = Sidecar.from_cases({str(n): {"report": text} for n, text in enumerate(texts)})
    reports = read_case_reports(sidecar, list(sidecar.case_ids))
    found: dict[str, list[Told]] = {}
    for n, (case, sentence) in enumerate(said):
        told = Told(sentence, Reading(case, FREE, reports[str(n)], case))
        found.setdefault(tests.volume_of[case], []).append(told)
    return found


def read_free_wording(
    run: Mapping[str, Any], raw: Path, preprocessed: Path, model: Path, settings: Settings
) -> dict[str, Any]:
    """Predict the test volumes of a finished run under all that is told, and score the masks.

    Args:
        run: of the default preset, as the benchmark keeps it.
        raw: raw dataset folder.
        preprocessed: its preprocessed folder; the bank in it gets the new sentences.
        model: folder of the run's model.
        settings: of the runs.

    Returns:
        The run's ``benchmark`` and ``seed``, scores as a row of the results has them, and each ``reading``.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    variant = VARIANTS[run["variant"]]
    tests = PairedTestSet(raw)
    told = tell(tests, sentences_by_site())
    everything = [t.reading.report for of_volume in told.values() for t in of_volume]
    build_bank(preprocessed / BANK_FOLDER, FrozenTextEncoder(variant.encoder), sentences_of(everything))
    predictor = load_predictor(
        model, device, variant=variant, step_size=settings.step_size, mirroring=settings.mirroring
    )
    scores: list[CaseScore] = []
    readings: list[dict[str, Any]] = []
    for volume, of_volume in told.items():
        first = of_volume[0].reading.case
        image = raw / "imagesTs" / f"{first}_0000.nii.gz"
        masks = image_masks(predictor, image, [t.reading for t in of_volume], preprocessed)
        lesions = tests.lesions(first)
        for t in of_volume:
            described = tests.described[t.reading.case]
            others = other_lesions(tests.volumes[volume]["lesions"], described, [], ATTRIBUTES[run["benchmark"]])
            score = score_case(masks[report_key(t.reading)], lesions, described, others=others)
            scores.append(score)
            readings.append(
                {"case": t.reading.case, "sentence": t.sentence, "dice": score.dice, "followed": score.followed}
            )
    return {"benchmark": run["benchmark"], "seed": run["seed"], **summary(scores), "readings": readings}
