"""Dataset, plan, preprocess, embed, train, predict, evaluate: the main job, through nnU-Net's own functions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.machine import describe_machine, package_versions
from nnunet_reportseg.demo.side_by_side import count_unit, side_by_side
from nnunet_reportseg.demo.steps import plan_and_preprocess, seed_training, train
from nnunet_reportseg.demo.workspace import use_workspace
from nnunet_reportseg.errors import ReportSegError
from nnunet_reportseg.trainer_folder import load_lazy_modules

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
        training_seconds: of both trainings, which run side by side.
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


@dataclass(frozen=True)
class _Trained:
    model: str
    seconds: float


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
    progress.step("Write the dataset")
    raw = job.write(Path(os.environ["nnUNet_raw"]))
    preprocessed = Path(os.environ["nnUNet_preprocessed"]) / raw.name
    progress.step("Plan and preprocess (nnU-Net)")
    plans = plan_and_preprocess(job.dataset_id, processes)
    add_configuration(preprocessed / f"{plans}.json", job)
    progress.step("Embed the reports")
    _embed(preprocessed, raw)
    tests = PairedTestSet(raw)
    images = raw / "imagesTs"
    sidecar = Sidecar.load(images / SIDECAR_NAME)
    swapped_to = {case: _next_sibling(tests, case) for case in tests.described}
    swapped = Sidecar.from_cases({c: {"report": sidecar.report_text(other)} for c, other in swapped_to.items()})
    null = Sidecar.from_cases({case: {"report": None} for case in tests.described})
    folders = {name: work / "predictions" / name for name in ("blind", "guided", "swapped", "null")}
    with side_by_side() as pair:
        advance = progress.step(f"Train {PLAIN} and {GUIDED} side by side", 2 * job.epochs * job.iterations)
        training = partial(
            _train,
            seed=seed,
            dataset_id=job.dataset_id,
            configuration=job.configuration,
            device=device,
            epochs=job.epochs,
            iterations=job.iterations,
            oversample_foreground=job.oversample_foreground,
        )
        plain, guided = pair.run([partial(training, trainer) for trainer in (PLAIN, GUIDED)], advance)
        advance = progress.step("Predict without reports, with the right ones, swapped ones, none", len(folders))
        prediction = partial(_predict, images=images, device=device, mirroring=job.mirroring, step_size=job.step_size)
        pair.run(
            [
                partial(prediction, plain.model, folders["blind"], reports=None),
                partial(prediction, guided.model, folders["guided"], reports=sidecar),
                partial(prediction, guided.model, folders["swapped"], reports=swapped),
                partial(prediction, guided.model, folders["null"], reports=null),
            ],
            advance,
        )
    progress.step("Evaluate")
    blind, correct = tests.score(folders["blind"]), tests.score(folders["guided"])
    swapped_own = tests.score(folders["swapped"], {c: tests.described[o] for c, o in swapped_to.items()})
    swapped_original = tests.score(folders["swapped"])
    draw_overview(tests, folders["guided"], out / "overview.png")
    results = PairedResults(
        blind_ceiling=tests.blind_ceiling(),
        blind_dice=blind.dice,
        blind_follow_rate=blind.follow_rate,
        guided_dice=correct.dice,
        follow_rate=correct.follow_rate,
        null_dice=tests.score(folders["null"]).dice,
        swapped_own_dice=swapped_own.dice,
        swapped_original_dice=swapped_original.dice,
        seconds=time.perf_counter() - started,
        training_seconds={PLAIN: plain.seconds, GUIDED: guided.seconds},
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


def _train(trainer: str, *, seed: int, **options: Any) -> _Trained:
    """Train in a worker process."""
    begin = time.perf_counter()
    seed_training(seed)
    model = train(trainer_name=trainer, **options, advance=lambda _: count_unit())
    return _Trained(model, time.perf_counter() - begin)


def _predict(
    model: str, folder: Path, *, images: Path, device: Any, mirroring: bool, step_size: float, reports: Any
) -> None:
    """Predict in a worker process."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor

    folder.mkdir(parents=True)
    predictor: Any = (nnUNetPredictor if reports is None else ReportGuidedPredictor)(
        device=device, use_mirroring=mirroring, tile_step_size=step_size, allow_tqdm=False
    )
    load_lazy_modules()
    predictor.initialize_from_trained_model_folder(model, ("all",))
    if reports is not None:
        predictor.use_reports(reports)
    predictor.predict_from_files_sequential(str(images), str(folder))
    count_unit()


def _next_sibling(tests: Any, case: str) -> str:
    siblings = tests.siblings(case)
    if len(siblings) < 2:
        raise ReportSegError(f"{case}: its volume has one report only, so there is none to swap it with.")
    return siblings[(siblings.index(case) + 1) % len(siblings)]
