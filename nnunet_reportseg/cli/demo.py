"""``reportseg demo``: the whole job on a synthetic dataset, in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATASET_ID = 501


def command(
    out: Annotated[
        Path, typer.Option(help="Folder for results.json, overview.png and the demo's nnU-Net folders.")
    ] = Path("demo_out"),
    seed: Annotated[int, typer.Option(help="Seed of the phantom and of the trainings.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where an earlier demo ran.")] = False,
) -> None:
    """Run the main job end to end on a phantom: plan, preprocess, embed, train, predict, evaluate."""
    from rich.console import Console

    from nnunet_reportseg.cli.paired_display import StepDisplay, show_results
    from nnunet_reportseg.data.phantom import write_phantom
    from nnunet_reportseg.demo.job import SHORT_TRAINING, Job
    from nnunet_reportseg.demo.pipeline import run_job
    from nnunet_reportseg.demo.workspace import output_to, prepare_workspace

    out = out.resolve()
    work = prepare_workspace(out, overwrite=overwrite)
    job = Job(
        dataset_id=DATASET_ID,
        write=lambda raw: write_phantom(raw, dataset_id=DATASET_ID, seed=seed),
        configuration="3d_demo",
        batch_size=6,
        patch_size=(16, 24, 24),
        epochs=7,
        iterations=150,
        recipe=SHORT_TRAINING,
        oversample_foreground=0.67,
    )
    log = out / "demo.log"
    try:
        with output_to(log) as terminal:
            console = Console(file=terminal)
            with StepDisplay(console) as display:
                results = run_job(job, out, work, display, seed=seed)
            show_results(console, results, out, title="Phantom")
    except Exception:
        print(f"The demo failed; what nnU-Net printed is in {log}")
        raise
