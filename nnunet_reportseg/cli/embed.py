"""``reportseg embed``: the reports of a dataset through a frozen encoder, into the embedding bank."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import MissingReport, MissingReportOption


def command(
    dataset: Annotated[str, typer.Option("-d", "--dataset", help="Dataset number or name, for example 501.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            "-e", "--encoder", help="Name (see 'reportseg info'), hub id or folder of a Hugging Face encoder."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; by default cuda where there is one.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences in one forward pass.")] = 64,
    missing_report: MissingReportOption = MissingReport.ERROR,
) -> None:
    """Encode every sentence once and keep the vectors in the preprocessed dataset; run again to go on or to update.

    With several GPUs: torchrun --nproc_per_node N --no-python reportseg embed ...
    """
    from rich.console import Console

    from nnunet_reportseg.case_reports import read_case_reports
    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.embedding import choose_encoder, embed_reports
    from nnunet_reportseg.paths import PREPROCESSED, RAW, dataset_folder_name, require_paths
    from nnunet_reportseg.raw_dataset import RawDataset
    from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar

    raw, preprocessed = require_paths(RAW, PREPROCESSED)
    name = dataset_folder_name(dataset, raw)
    folder = preprocessed / dataset_folder_name(name, preprocessed)
    sidecar = Sidecar.load(raw / name / SIDECAR_NAME)
    cases = list(RawDataset(raw / name).cases)
    sidecar.require_known(cases).require_cases(cases, missing_report=missing_report.choice)
    reports = read_case_reports(sidecar, cases)

    import torch

    from nnunet_reportseg.torchrun import torchrun_processes
    from text_conditioning.encoders import FrozenTextEncoder

    with torchrun_processes() as processes:
        place = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if processes is not None and place == "cuda":
            place = f"cuda:{processes.local_rank}"
        model = FrozenTextEncoder(choose_encoder(folder, encoder), device=place, batch_size=batch_size)
        first = processes is None or processes.rank == 0
        new = 0
        with cases_progress("Embedding sentences") if first else nullcontext() as progress:

            def count(done: int, total: int) -> None:
                nonlocal new
                new = total
                if progress is not None:
                    progress(done, total)

            bank = embed_reports(folder, sidecar, reports.values(), model, progress=count, team=processes)
    if not first:
        return
    Console().print(
        f"{name}: {len(cases)} cases, {len(bank)} sentences with mirrored and denied forms ({new or 'none'} new), "
        f"encoder {bank.encoder} ({bank.fingerprint}, {bank.dim} numbers per sentence) in {bank.folder}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
