"""``reportseg phantom``: write the synthetic paired dataset."""

from __future__ import annotations

from typing import Annotated

import typer

from nnunet_reportseg.cli.options import Lesions, NewDataset, NewName, RawRoot, Seed, TestVolumes, TrainingCases


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
    lesions: Lesions = (2, 4),
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
    )
    typer.echo(f"{folder}: {cases} training cases, {test_volumes} test volumes, one test case per lesion")
