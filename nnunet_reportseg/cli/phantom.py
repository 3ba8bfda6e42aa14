"""``reportseg phantom``: write the synthetic dataset."""

from __future__ import annotations

from typing import Annotated

import typer

from nnunet_reportseg.cli.options import NewDataset, NewName, RawRoot, Seed, TestVolumes, TrainingCases
from nnunet_reportseg.data.phantom_task import PhantomTask


def command(
    out: RawRoot,
    dataset_id: NewDataset = 501,
    name: NewName = "ReportPhantom",
    cases: TrainingCases = 40,
    test_volumes: TestVolumes = 8,
    shape: Annotated[tuple[int, int, int], typer.Option("--shape", help="Voxels (z y x).")] = (16, 40, 40),
    spacing: Annotated[tuple[float, float, float], typer.Option("--spacing", help="Spacing in mm (z y x).")] = (
        10,
        8,
        8,
    ),
    lesions: Annotated[
        tuple[int, int] | None,
        typer.Option(
            "--lesions",
            help="Fewest and most lesions per volume, for findings occupied sites; 2 4 if left out, always 2 2 but for "
            "site and findings.",
        ),
    ] = None,
    task: Annotated[
        PhantomTask,
        typer.Option(
            "--task",
            help="What tells the lesions apart: site, side alone, size, or persists/has resolved; findings: kind and "
            "site of findings that overlap and are asked for one by one.",
        ),
    ] = PhantomTask.SITE,
    clear_margin: Annotated[
        tuple[int, int, int] | None,
        typer.Option(
            "--clear-margin",
            help="Voxels (z y x) around each voxel of a lesion that are lung only, so that a patch on it does not "
            "show where it lies: 7 11 11 for patches of 8 12 12.",
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Write a synthetic dataset whose lesions only the report can tell apart."""
    from nnunet_reportseg.data.phantom import write_phantom

    folder = write_phantom(
        out,
        dataset_id=dataset_id,
        name=name,
        num_training=cases,
        num_test_volumes=test_volumes,
        shape=shape,
        spacing_mm=spacing,
        seed=seed,
        lesions=lesions,
        task=task.value,
        clear_margin=clear_margin,
    )
    each = "volume" if task is PhantomTask.FINDINGS else "lesion"
    typer.echo(f"{folder}: {cases} training cases, {test_volumes} test volumes, one test case per {each}")
