"""``reportseg phantom``: write the synthetic paired dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[Path, typer.Option("--out", "-o", envvar="nnUNet_raw", help="Folder of raw datasets (nnUNet_raw).")],
    dataset_id: Annotated[int, typer.Option("--dataset", "-d", help="Number of the new dataset.")] = 501,
    name: Annotated[str, typer.Option("--name", help="Name after the number.")] = "ReportPhantom",
    cases: Annotated[int, typer.Option("--cases", help="Training cases.")] = 40,
    test_volumes: Annotated[
        int, typer.Option("--test-volumes", help="Test volumes; each gives one test case per lesion.")
    ] = 8,
    shape: Annotated[tuple[int, int, int], typer.Option("--shape", help="Voxels (z y x).")] = (16, 40, 40),
    spacing: Annotated[tuple[float, float, float], typer.Option("--spacing", help="Spacing in mm (z y x).")] = (
        10,
        8,
        8,
    ),
    lesions: Annotated[tuple[int, int], typer.Option("--lesions", help="Fewest and most lesions per volume.")] = (2, 4),
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same dataset.")] = 0,
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
    )
    typer.echo(f"{folder}: {cases} training cases, {test_volumes} test volumes, one test case per lesion")
