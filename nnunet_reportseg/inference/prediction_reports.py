"""The reports of cases to predict: vectors from existing banks, the encoder only for sentences that are new."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.embedding import BANK_FOLDER, ENCODER_VARIABLE, sentences_of
from nnunet_reportseg.errors import ModelMismatchError
from nnunet_reportseg.missing_report import missing_report_policy
from nnunet_reportseg.paths import PREPROCESSED, unset_paths
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import EmbeddingBank
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.errors import BankError, EncoderError
from text_conditioning.registry import ENCODERS

_log = logging.getLogger(__name__)


class PredictionVectors:
    """Sentence vectors in memory."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.known: dict[str, NDArray[np.float32]] = {}

    def vectors(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """``(N, E)`` vectors of sentences that were added before."""
        return np.stack([self.known[sentence] for sentence in sentences])

    def add(self, sentences: Sequence[str], vectors: NDArray[np.floating]) -> None:
        """Remember vectors."""
        self.known.update(zip(sentences, vectors.astype(np.float32), strict=True))


def load_prediction_reports(
    sidecar: Sidecar,
    case_ids: Sequence[str],
    conditioning: ReportConditioning,
    *,
    bank_folders: Sequence[Path],
    encoder: str | None,
    device: str,
    vectors: PredictionVectors | None = None,
) -> tuple[Mapping[str, CaseReport], PredictionVectors]:
    """Read and embed the reports of cases to predict.

    Args:
        sidecar: their sidecar.
        case_ids: the cases.
        conditioning: of the trained model.
        bank_folders: folders in which a bank of the model's encoder may be.
        encoder: encoder to use for new sentences; the model's own by default.
        device: for the encoder.
        vectors: vectors of earlier cases, to add to.

    Returns:
        Report of each case, and the vectors of all their sentences.

    Raises:
        SidecarError: a case without entry.
        ModelMismatchError: the encoder is not the one that the model was trained with, or it is needed and not there.
    """
    sidecar.require_cases(case_ids, missing_report=missing_report_policy())
    reports = read_case_reports(sidecar, list(case_ids))
    found = embed_for_prediction(
        reports, conditioning, bank_folders=bank_folders, encoder=encoder, device=device, vectors=vectors
    )
    return reports, found


def embed_for_prediction(
    reports: Mapping[str, CaseReport],
    conditioning: ReportConditioning,
    *,
    bank_folders: Sequence[Path],
    encoder: str | None,
    device: str,
    vectors: PredictionVectors | None = None,
) -> PredictionVectors:
    """Vectors of all sentences of some reports, in the model's own embedding.

    Args:
        reports: the reports, by a name for messages.
        conditioning: of the trained model.
        bank_folders: folders in which a bank of the model's encoder may be.
        encoder: encoder to use for new sentences; the model's own by default.
        device: for the encoder.
        vectors: vectors of earlier reports, to add to.

    Raises:
        ModelMismatchError: the encoder is not the one that the model was trained with, or it is needed and not there.
    """
    vectors = PredictionVectors(conditioning.text_dim) if vectors is None else vectors
    read = with_twins(reports.values(), training=False) if conditioning.mirrors_patients else reports.values()
    missing = [sentence for sentence in sentences_of(read) if sentence not in vectors.known]
    fingerprint = conditioning.encoder_fingerprint
    damaged: list[BankError] = []
    for folder in bank_folders:
        if not missing or not EmbeddingBank.exists(folder, fingerprint):
            continue
        try:
            bank = EmbeddingBank.open(folder, fingerprint)
        except BankError as error:
            _log.warning("An embedding bank cannot be used: %s", error.problem)
            damaged.append(error)
            continue
        found = [sentence for sentence in missing if sentence in bank]
        if found:
            vectors.add(found, bank.vectors(found))
        missing = [sentence for sentence in missing if sentence not in vectors.known]
    if missing:
        name = encoder or os.environ.get(ENCODER_VARIABLE) or conditioning.encoder
        model = _load_encoder(name, conditioning, missing, reports, device, damaged)
        vectors.add(missing, model.encode(missing))
    return vectors


def sidecar_of(folder: Path) -> Sidecar:
    """The reports of an input folder; none for any case where that is wanted and there is no file.

    Raises:
        SidecarError: the file is missing or invalid.
    """
    file = folder / SIDECAR_NAME
    if not file.is_file() and missing_report_policy() == "null":
        return Sidecar({}, path=file)
    return Sidecar.load(file)


def bank_folders(sidecar: Sidecar, dataset_name: str) -> list[Path]:
    """Where a bank of a prediction's sentences may be: beside the sidecar, and in the preprocessed dataset."""
    folders = [bank_folder_of(sidecar.path.parent)] if sidecar.path else []
    if not unset_paths(PREPROCESSED):
        folders.append(bank_folder_of(Path(os.environ[PREPROCESSED]) / dataset_name))
    return folders


def bank_folder_of(folder: Path) -> Path:
    """Where a dataset or input folder keeps its banks."""
    return folder / BANK_FOLDER


def _load_encoder(
    name: str,
    conditioning: ReportConditioning,
    missing: Sequence[str],
    reports: Mapping[str, CaseReport],
    device: str,
    damaged: Sequence[BankError],
) -> FrozenTextEncoder:
    wanted = set(missing)
    case = next(case for case, report in reports.items() if any(s.text in wanted for s in report.read))
    another = partial(
        ModelMismatchError.about,
        f"the model was trained with encoder '{conditioning.encoder}' (fingerprint "
        f"{conditioning.encoder_fingerprint}), '{name}' is another one; its vectors mean nothing to the model",
        case=case,
        fix=f"use the encoder of the training, with --encoder or {ENCODER_VARIABLE}",
    )
    registered = {known: choice for choice in ENCODERS.values() for known in (choice.name, choice.hub_id)}
    trained_with = registered.get(conditioning.encoder)
    if trained_with and registered.get(name, trained_with) is not trained_with:
        raise another(value=name)  # without loading it, which may take gigabytes
    load: Callable[..., FrozenTextEncoder] = FrozenTextEncoder
    try:
        encoder = load(name, device=device)
    except EncoderError as error:
        banks = f" ({'; '.join(bank.problem for bank in damaged)})" if damaged else ""
        raise ModelMismatchError.about(
            f"{len(missing)} sentences are in no embedding bank{banks}, and the encoder for them cannot be loaded "
            f"({error.problem})",
            case=case,
            value=name,
            fix=f"name a local folder of the encoder with --encoder or {ENCODER_VARIABLE}, or embed the reports where "
            "the encoder is",
        ) from error
    if encoder.fingerprint != conditioning.encoder_fingerprint:
        raise another(value=encoder.fingerprint)
    return encoder
