r"""Does the network follow its report? The phantom in four tasks, presets and ablations, seeds, conditions.

    python benchmarks/text_following.py --out text_following_out --small     # 2 CPU cores, under 30 minutes
    python benchmarks/text_following.py --out text_following_out --full      # a GPU, all variants, 3 seeds
    python benchmarks/text_following.py --out text_following_out --report-only
    python benchmarks/text_following.py --out implants_out --tasks implants --volumes chest.nii.gz \
        --nodules lidc_nodules --patch 16 32 32

Every option can be given beside ``--small`` or ``--full``. A finished run stays in the output folder and is not run
again; ``docs/results/text_following.md`` and ``.json`` are written from whatever runs are there.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import fields, replace
from pathlib import Path

from following.errors import BenchmarkError
from following.prepare import prepare
from following.publish import publish
from following.runs import RunSpec, launch, run_all
from following.scale import FULL, SCALES, SMALL, Scale
from following.settings import Settings, keep_settings
from following.tasks import IMPLANTS, SHAPES, Task, implants_task, phantom_tasks
from following.variants import VARIANTS
from nnunet_reportseg.demo.workspace import output_to, use_workspace
from nnunet_reportseg.errors import ReportSegError
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS


def main() -> None:
    """Run from the command line."""
    parser = _parser()
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    try:
        if not arguments.report_only:
            _run(arguments, SCALES[arguments.scale], out)
        for file in publish(out, arguments.docs):
            print(file)
    except (BenchmarkError, ReportSegError) as error:
        parser.error(str(error))


def _run(arguments: argparse.Namespace, scale: Scale, out: Path) -> None:
    arguments.patch = arguments.patch and tuple(arguments.patch)
    settings = scale.with_options({f.name: getattr(arguments, f.name, None) for f in fields(Settings)})
    work = out / "nnunet"
    for name in (RAW, PREPROCESSED, RESULTS):
        (work / name).mkdir(parents=True, exist_ok=True)
    keep_settings(out, settings)
    cores = os.cpu_count() or 1
    at_once = arguments.at_once or scale.at_once
    processes = max(2, min(8, cores // at_once))
    use_workspace(work, processes)
    chosen = _tasks(arguments, scale, settings)
    variants = arguments.variants or scale.variants
    encoders = [VARIANTS[variant].encoder for variant in variants]
    with output_to(out / "prepare.log"):
        folders = {task.name: prepare(task, settings, processes, encoders).name for task in chosen}
    specs = [
        RunSpec(
            benchmark=task.name,
            dataset=folders[task.name],
            attributes=task.attributes,
            variant=variant,
            seed=seed,
            settings=replace(settings, iterations=settings.iterations * task.budget),
            out=out,
            threads=max(1, cores // at_once),
        )
        for seed in arguments.seeds or scale.seeds
        for task in chosen
        for variant in variants
    ]
    run_all(specs, _start, at_once=at_once, tell=lambda line: print(line, flush=True))


def _start(spec: RunSpec, log: Path) -> int:
    return launch(spec, log, module="following.one_run", encoder=VARIANTS[spec.variant].encoder)


def _tasks(arguments: argparse.Namespace, scale: Scale, settings: Settings) -> list[Task]:
    tasks = phantom_tasks(settings)
    names = arguments.tasks or scale.tasks
    if IMPLANTS in names:
        if not arguments.volumes or arguments.nodules is None:
            raise BenchmarkError("the task 'implants' needs --volumes and --nodules")
        volumes = [volume.resolve() for volume in arguments.volumes]
        tasks[IMPLANTS] = implants_task(settings, volumes, arguments.nodules.resolve())
    return [tasks[name] for name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="datasets, models and runs; go on in it after a stop")
    parser.add_argument("--docs", type=Path, default=Path("docs/results"), help="folder of the page")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--small", dest="scale", action="store_const", const=SMALL, help="the default")
    scale.add_argument("--full", dest="scale", action="store_const", const=FULL)
    parser.set_defaults(scale=SMALL)
    parser.add_argument("--report-only", action="store_true", help="write the page from the runs that are there")
    parser.add_argument("--tasks", nargs="+", choices=[*SHAPES, IMPLANTS])
    parser.add_argument("--volumes", type=Path, nargs="+", help="CT volumes of the task 'implants'")
    parser.add_argument("--nodules", type=Path, help="folder with image/, mask/ and nodules.csv of the same")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--at-once", type=int, help="runs at the same time")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--features", type=int, help="of the first stage")
    parser.add_argument("--patch", type=int, nargs=3, help="voxels, z y x")
    parser.add_argument("--cases", type=int, help="training cases")
    parser.add_argument("--test-volumes", type=int)
    parser.add_argument("--step-size", type=float, help="of the sliding window, in tiles")
    parser.add_argument(
        "--mirroring", action=argparse.BooleanOptionalAction, default=None, help="average predictions over flips"
    )
    parser.add_argument("--short-recipe", action=argparse.BooleanOptionalAction, default=None, help="AdamW for all")
    parser.add_argument("--data-seed", type=int, help="of the datasets")
    return parser


if __name__ == "__main__":
    main()
