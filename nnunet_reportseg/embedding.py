"""Embed the reports of a dataset: sidecar in, embedding bank and resolved sidecar in the preprocessed folder out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.errors import ReportSegError
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import BankIndex, EmbeddingBank, Team, build_bank
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.registry import DEFAULT_ENCODER

BANK_FOLDER = "report_embeddings"
ENCODER_VARIABLE = "REPORTSEG_ENCODER"

_log = logging.getLogger(__name__)


def sentences_of(reports: Iterable[CaseReport]) -> list[str]:
    """All sentence texts of some reports, each once, in order of appearance."""
    return list(dict.fromkeys(sentence.text for report in reports for sentence in report.read))


def embed_reports(
    folder: Path,
    sidecar: Sidecar,
    reports: Iterable[CaseReport],
    encoder: FrozenTextEncoder,
    *,
    progress: Callable[[int, int], None] | None = None,
    team: Team | None = None,
) -> EmbeddingBank:
    """Bring bank and sidecar copy of a preprocessed dataset up to date.

    Args:
        folder: ``nnUNet_preprocessed/DatasetXXX_Name``.
        sidecar: the dataset's sidecar; written to ``folder`` with all texts inlined.
        reports: the reports to embed.
        encoder: frozen encoder.
        progress: called with (sentences done, sentences to do).
        team: processes that do it together.

    Returns:
        The bank, complete for ``reports`` and the twins of their sentences.
    """
    sentences = sentences_of(with_twins(reports, training=True))
    bank = build_bank(folder / BANK_FOLDER, encoder, sentences, progress=progress, team=team)
    if team is None or team.rank == 0:
        sidecar.resolved().write(folder / SIDECAR_NAME)
    return bank


def choose_encoder(folder: Path, requested: str | None = None) -> str:
    """Which encoder a dataset is trained with.

    The request, else the variable ``REPORTSEG_ENCODER``, else the encoder of the dataset's only bank, else the default.

    Raises:
        ReportSegError: several banks and no choice, or a bank whose encoder cannot be told.
        EncoderError: only the default encoder can tell, and it cannot be loaded.
    """
    requested = requested or os.environ.get(ENCODER_VARIABLE)
    if requested:
        return requested
    banks = available_banks(folder)
    encoders = sorted({bank.encoder for bank in banks})
    if len(encoders) > 1:
        raise ReportSegError.about(
            "the folder holds banks of several encoders",
            file=folder / BANK_FOLDER,
            value=", ".join(encoders),
            fix=f"choose one, for example: export {ENCODER_VARIABLE}={encoders[0]}",
        )
    if not encoders:
        _require_default_encoder(folder / BANK_FOLDER)
    return encoders[0] if encoders else DEFAULT_ENCODER


def _require_default_encoder(folder: Path) -> None:
    """Refuse to replace a bank without a readable index by one of the default encoder, unless that encoder made it."""
    files = sorted(folder.glob("*.safetensors"))
    if files and FrozenTextEncoder(DEFAULT_ENCODER).fingerprint not in {file.stem for file in files}:
        raise ReportSegError.about(
            f"the index of this embedding bank is missing or damaged, and '{DEFAULT_ENCODER}' did not make it",
            file=files[0],
            fix=f"name its encoder (reportseg embed -e ENCODER or {ENCODER_VARIABLE}=ENCODER), or delete the file",
        )


def available_banks(folder: Path) -> list[BankIndex]:
    """Banks in a preprocessed dataset folder."""
    return EmbeddingBank.available(folder / BANK_FOLDER)
