"""``reportseg implants``: put real nodules into real CT volumes and write the paired dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import Lesions, NewDataset, NewName, RawRoot, Seed, TestVolumes, TrainingCases


def command(
    volumes: Annotated[list[Path], typer.Option("--volumes", help="Chest CT file or folder of them; repeatable.")],
    nodules: Annotated[Path, typer.Option("--nodules", help="Folder with image/, mask/ and nodules.csv.")],
    out: RawRoot,
    lungs: Annotated[
        Path | None,
        typer.Option("--lungs", help="Folder of lung masks named like the volumes; found by threshold if left out."),
    ] = None,
    dataset_id: NewDataset = 502,
    name: NewName = "ReportImplants",
    cases: TrainingCases = 24,
    test_volumes: TestVolumes = 6,
    spacing: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--spacing", help="Spacing in mm (z y x) to resample to; the file's own if left out."),
    ] = None,
    lesions: Lesions = (2, 4),
    min_voxels: Annotated[int, typer.Option("--min-voxels", help="Leave out nodules with fewer voxels.")] = 20,
    seed: Seed = 0,
) -> None:
    """Write a dataset of real nodules in real CT volumes that only the report can tell apart."""
    from nnunet_reportseg.data.implants import write_implants

    folder = write_implants(
        out,
        volumes=volumes,
        nodules=nodules,
        lungs=lungs,
        dataset_id=dataset_id,
        name=name,
        num_training=cases,
        num_test_volumes=test_volumes,
        spacing_mm=spacing,
        seed=seed,
        lesions=lesions,
        min_voxels=min_voxels,
    )
    typer.echo(f"{folder}: {cases} training cases, {test_volumes} test volumes, one test case per nodule")
