r"""One mask for each finding: ReportGroundingTrainer beside plain nnU-Net, on a phantom or on implants.

    python benchmarks/grounding.py --out grounding_out
    python benchmarks/grounding.py --out implants_out --tasks implants --volumes chest.nii.gz --nodules lidc_nodules \
        --patch 16 32 32
    python benchmarks/grounding.py --out grounding_out --report-only

A finished run stays in the output folder and is not run again. Writes ``docs/results/grounding.md`` and ``.json``.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from pathlib import Path

from per_finding.tasks import FINDINGS, findings_task, implanted_task

from following.errors import BenchmarkError
from following.prepare import prepare
from following.runs import RunSpec, launch, run_all
from following.settings import Settings, keep_settings
from following.tasks import IMPLANTS, Task
from following.variants import MINILM
from nnunet_reportseg.demo.workspace import output_to, use_workspace
from nnunet_reportseg.errors import ReportSegError
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS

VARIANTS = ("grounding", "whole", "blind")


def main() -> None:
    """Run from the command line."""
    parser = _parser()
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    try:
        if not arguments.report_only:
            _run(arguments, out)
        from per_finding.page import publish

        for file in publish(out, arguments.docs):
            print(file)
    except (BenchmarkError, ReportSegError) as error:
        parser.error(str(error))


def _run(arguments: argparse.Namespace, out: Path) -> None:
    arguments.patch = tuple(arguments.patch)
    settings = Settings(**{f.name: getattr(arguments, f.name) for f in fields(Settings) if hasattr(arguments, f.name)})
    work = out / "nnunet"
    for name in (RAW, PREPROCESSED, RESULTS):
        (work / name).mkdir(parents=True, exist_ok=True)
    keep_settings(out, settings)
    cores = os.cpu_count() or 1
    processes = max(2, min(8, cores // arguments.at_once))
    use_workspace(work, processes)
    specs = []
    for name in arguments.tasks:
        task = _task(name, arguments, settings)
        with output_to(out / "prepare.log"):
            dataset = prepare(task, settings, processes, ()).name
        specs += [
            RunSpec(name, dataset, (), variant, seed, settings, out, threads=max(1, cores // arguments.at_once))
            for seed in arguments.seeds
            for variant in arguments.variants
        ]
    run_all(specs, _start, at_once=arguments.at_once, tell=lambda line: print(line, flush=True))


def _start(spec: RunSpec, log: Path) -> int:
    return launch(spec, log, module="per_finding.one_run", encoder=MINILM)


def _task(name: str, arguments: argparse.Namespace, settings: Settings) -> Task:
    if name == FINDINGS:
        return findings_task(settings)
    if not arguments.volumes or arguments.nodules is None:
        raise BenchmarkError("the task 'implants' needs --volumes and --nodules")
    return implanted_task(settings, [volume.resolve() for volume in arguments.volumes], arguments.nodules.resolve())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="datasets, models and runs; go on in it after a stop")
    parser.add_argument("--docs", type=Path, default=Path("docs/results"), help="folder of the page")
    parser.add_argument("--report-only", action="store_true", help="write the page from the runs that are there")
    parser.add_argument("--tasks", nargs="+", choices=[FINDINGS, IMPLANTS], default=[FINDINGS])
    parser.add_argument("--volumes", type=Path, nargs="+", help="CT volumes of the task 'implants'")
    parser.add_argument("--nodules", type=Path, help="folder with image/, mask/ and nodules.csv of the same")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--at-once", type=int, default=2, help="runs at the same time")
    parser.add_argument("--iterations", type=int, default=3000)
    parser.add_argument("--batch-size", type=int, default=6)
    parser.add_argument("--features", type=int, default=8, help="of the first stage")
    parser.add_argument("--stages", type=int, default=3, help="resolutions of the network")
    parser.add_argument("--patch", type=int, nargs=3, default=(8, 12, 12), help="voxels, z y x")
    parser.add_argument("--cases", type=int, default=40, help="training cases")
    parser.add_argument("--test-volumes", type=int, default=8)
    parser.add_argument("--step-size", type=float, default=0.75, help="of the sliding window, in tiles")
    parser.add_argument("--mirroring", action="store_true", help="average predictions over flips")
    return parser


if __name__ == "__main__":
    main()
