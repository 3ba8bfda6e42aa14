"""Dataset, plan, preprocess, embed, train, predict, evaluate: the main job, through nnU-Net's own functions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.machine import describe_machine, package_versions
from nnunet_reportseg.demo.steps import plan_and_preprocess, seed_training, train
from nnunet_reportseg.demo.workspace import use_workspace
from nnunet_reportseg.errors import ReportSegError

GUIDED, PLAIN = "ReportGuidedTrainer", "nnUNetTrainer"


class Progress(Protocol):
    """Where the pipeline tells what it does."""

    def step(self, name: str, total: int | None = None) -> Callable[[int], None]:
        """Begin a step of ``total`` units; the result is called with the units done."""
        ...


@dataclass(frozen=True)
class PairedResults:
    """Means over the test cases (docs/data_generators.md).

    Attributes:
        blind_ceiling: best Dice possible without reading, by formula.
        blind_dice: plain nnUNetTrainer, same data, configuration and number of iterations.
        blind_follow_rate: its follow rate.
        guided_dice: ReportGuidedTrainer.
        follow_rate: part of the cases whose mask lies on the described lesion.
        null_dice: ReportGuidedTrainer's model without any report; blind, so not above the ceiling.
        swapped_own_dice: another report of the same image, scored against what that report describes.
        swapped_original_dice: the same masks scored against what the original report describes.
        seconds: whole run.
        training_seconds: of both trainings.
        test_cases: number of test cases.
        seed: of the trainings.
        machine: where it ran.
        versions: of the packages that matter.
    """

    blind_ceiling: float
    blind_dice: float
    blind_follow_rate: float
    guided_dice: float
    follow_rate: float
    null_dice: float
    swapped_own_dice: float
    swapped_original_dice: float
    seconds: float
    training_seconds: dict[str, float]
    test_cases: int
    seed: int
    machine: str
    versions: dict[str, str]


def run_job(job: Job, out: Path, work: Path, progress: Progress, *, seed: int = 0) -> PairedResults:
    """Run a job from the dataset to the picture.

    Args:
        job: the run.
        out: folder for ``results.json`` and ``overview.png``.
        work: workspace from prepare_workspace.
        progress: display.
        seed: of the trainings (nnU-Net's augmentation workers are not seeded).

    Returns:
        The results, also written to ``out/results.json``.
    """
    started = time.perf_counter()
    processes = max(2, min(8, (os.cpu_count() or 2)))
    use_workspace(work, processes)
    progress.step("Load nnU-Net")
    import torch

    from nnunet_reportseg.demo.picture import draw_overview
    from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
    from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)
    progress.step("Write the dataset")
    raw = job.write(Path(os.environ["nnUNet_raw"]))
    preprocessed = Path(os.environ["nnUNet_preprocessed"]) / raw.name
    progress.step("Plan and preprocess (nnU-Net)")
    plans = plan_and_preprocess(job.dataset_id, processes)
    add_configuration(preprocessed / f"{plans}.json", job)
    progress.step("Embed the reports")
    _embed(preprocessed, raw)
    seconds = {}
    for trainer in (PLAIN, GUIDED):
        seed_training(seed)
        begin = time.perf_counter()
        advance = progress.step(f"Train {trainer}", job.epochs * job.iterations)
        train(
            job.dataset_id,
            job.configuration,
            trainer,
            device,
            epochs=job.epochs,
            iterations=job.iterations,
            oversample_foreground=job.oversample_foreground,
            advance=advance,
        )
        seconds[trainer] = time.perf_counter() - begin
    tests = PairedTestSet(raw)
    images = raw / "imagesTs"
    sidecar = Sidecar.load(images / SIDECAR_NAME)
    swapped_to = {case: _next_sibling(tests, case) for case in tests.described}
    swapped = Sidecar.from_cases({c: {"report": sidecar.report_text(other)} for c, other in swapped_to.items()})
    folders = {name: work / "predictions" / name for name in ("blind", "guided", "swapped", "null")}
    for name, trainer, reports in (
        ("blind", PLAIN, None),
        ("guided", GUIDED, sidecar),
        ("swapped", GUIDED, swapped),
        ("null", GUIDED, Sidecar.from_cases({case: {"report": None} for case in tests.described})),
    ):
        progress.step(f"Predict: {name}")
        _predict(job, trainer, images, folders[name], device, reports)
    progress.step("Evaluate")
    blind, guided = tests.score(folders["blind"]), tests.score(folders["guided"])
    swapped_own = tests.score(folders["swapped"], {c: tests.described[o] for c, o in swapped_to.items()})
    swapped_original = tests.score(folders["swapped"])
    draw_overview(tests, folders["guided"], out / "overview.png")
    results = PairedResults(
        blind_ceiling=tests.blind_ceiling(),
        blind_dice=blind.dice,
        blind_follow_rate=blind.follow_rate,
        guided_dice=guided.dice,
        follow_rate=guided.follow_rate,
        null_dice=tests.score(folders["null"]).dice,
        swapped_own_dice=swapped_own.dice,
        swapped_original_dice=swapped_original.dice,
        seconds=time.perf_counter() - started,
        training_seconds=seconds,
        test_cases=len(tests.described),
        seed=seed,
        machine=describe_machine(device),
        versions=package_versions(),
    )
    write_text(out / "results.json", json.dumps(asdict(results), indent=1) + "\n")
    return results


def _embed(preprocessed: Path, raw: Path) -> None:
    from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
    from nnunet_reportseg.training_reports import load_training_reports

    load_training_reports(preprocessed, Sidecar.load(raw / SIDECAR_NAME).case_ids, build=True)


def _predict(job: Job, trainer: str, images: Path, folder: Path, device: Any, reports: Any) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.file_path_utilities import get_output_folder

    from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor

    folder.mkdir(parents=True)
    predictor: Any = (nnUNetPredictor if reports is None else ReportGuidedPredictor)(
        device=device, use_mirroring=job.mirroring, tile_step_size=job.step_size, allow_tqdm=False
    )
    model = get_output_folder(job.dataset_id, trainer, "nnUNetPlans", job.configuration)
    predictor.initialize_from_trained_model_folder(model, ("all",))
    if reports is not None:
        predictor.use_reports(reports)
    predictor.predict_from_files_sequential(str(images), str(folder))


def _next_sibling(tests: Any, case: str) -> str:
    siblings = tests.siblings(case)
    if len(siblings) < 2:
        raise ReportSegError(f"{case}: its volume has one report only, so there is none to swap it with.")
    return siblings[(siblings.index(case) + 1) % len(siblings)]
