"""``reportseg implants``: put real nodules into real CT volumes and write the paired dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    volumes: Annotated[list[Path], typer.Option("--volumes", help="Chest CT file or folder of them; repeatable.")],
    nodules: Annotated[Path, typer.Option("--nodules", help="Folder with image/, mask/ and nodules.csv.")],
    out: Annotated[Path, typer.Option("--out", "-o", envvar="nnUNet_raw", help="Folder of raw datasets (nnUNet_raw).")],
    lungs: Annotated[
        Path | None,
        typer.Option("--lungs", help="Folder of lung masks named like the volumes; found by threshold if left out."),
    ] = None,
    dataset_id: Annotated[int, typer.Option("--dataset", "-d", help="Number of the new dataset.")] = 502,
    name: Annotated[str, typer.Option("--name", help="Name after the number.")] = "ReportImplants",
    cases: Annotated[int, typer.Option("--cases", help="Training cases.")] = 24,
    test_volumes: Annotated[
        int, typer.Option("--test-volumes", help="Test volumes; each gives one test case per nodule.")
    ] = 6,
    spacing: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--spacing", help="Spacing in mm (z y x) to resample to; the file's own if left out."),
    ] = None,
    lesions: Annotated[tuple[int, int], typer.Option("--lesions", help="Fewest and most nodules per volume.")] = (2, 4),
    min_voxels: Annotated[int, typer.Option("--min-voxels", help="Leave out nodules with fewer voxels.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="The same seed and input give the same dataset.")] = 0,
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
