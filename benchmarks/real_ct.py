"""The paired job on real CT: real nodules implanted into real volumes (docs/data_generators.md).

    python benchmarks/real_ct.py --volumes chest.nii.gz --nodules lidc_nodules --out real_ct_out

Writes ``results.json`` and ``overview.png``. The defaults are for 2 CPU cores (about 40 minutes); raise ``--epochs``
and ``--features`` where there is a GPU. With one CT volume, training and test share it (nodules are always split by
patient).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from nnunet_reportseg.cli.paired_display import StepDisplay, show_results
from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.demo.job import SHORT_TRAINING, Job
from nnunet_reportseg.demo.pipeline import run_job
from nnunet_reportseg.demo.workspace import output_to, prepare_workspace

DATASET_ID = 502


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volumes", type=Path, nargs="+", required=True, help="CT volumes")
    parser.add_argument("--nodules", type=Path, required=True, help="folder with image/, mask/ and nodules.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spacing", type=float, nargs=3, default=(5.0, 2.5, 2.5), help="mm, z y x")
    parser.add_argument("--patch", type=int, nargs=3, default=(16, 32, 32), help="voxels, z y x")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--test-volumes", type=int, default=6)
    parser.add_argument("--min-voxels", type=int, default=40, help="leave out nodules with fewer voxels")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--iterations", type=int, default=250)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    volumes = [volume.resolve() for volume in arguments.volumes]
    job = Job(
        dataset_id=DATASET_ID,
        write=lambda raw: write_implants(
            raw,
            volumes=volumes,
            nodules=arguments.nodules.resolve(),
            dataset_id=DATASET_ID,
            num_training=arguments.cases,
            num_test_volumes=arguments.test_volumes,
            spacing_mm=tuple(arguments.spacing),
            min_voxels=arguments.min_voxels,
            seed=arguments.seed,
        ),
        configuration="3d_small",
        batch_size=arguments.batch_size,
        first_features=arguments.features,
        patch_size=tuple(arguments.patch),
        stages=3,
        epochs=arguments.epochs,
        iterations=arguments.iterations,
        recipe=SHORT_TRAINING,
        oversample_foreground=0.67,
        mirroring=False,
        step_size=0.75,
    )
    work = prepare_workspace(out, overwrite=True)
    with output_to(out / "run.log") as terminal:
        console = Console(file=terminal)
        with StepDisplay(console) as display:
            results = run_job(job, out, work, display, seed=arguments.seed)
        show_results(console, results, out, title="Real nodules in real CT")


if __name__ == "__main__":
    main()
