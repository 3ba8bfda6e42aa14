"""One mask for each finding: a folder for each case with a NIfTI file per finding and ``index.json``.

The encoder runs once for each tile, the decoder for some findings at a time (nnunet_reportseg.inference.multi_report).
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.configuration import default_num_processes
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.case_reports import CaseReport, parse_case_text, read_case_reports
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.credible_size import credible_mask
from nnunet_reportseg.errors import DatasetError, SidecarError
from nnunet_reportseg.finding_files import FINDING_ENDING, INDEX_JSON, INDEX_VERSION, finding_file_name, read_index
from nnunet_reportseg.image_errors import require_whole_images
from nnunet_reportseg.inference.combined_map import write_combined
from nnunet_reportseg.inference.dicom_seg import write_dicom_seg
from nnunet_reportseg.inference.finding_geometry import describe_mask
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.prediction_reports import PredictionVectors, bank_folders, embed_for_prediction
from nnunet_reportseg.missing_report import missing_report_policy
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.errors import ReportTextError
from text_conditioning.reports import parse_report

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """A finding that is asked for.

    Attributes:
        finding_id: of the sidecar, or ``asked_1``, ``asked_2``, ... for free text.
        text: its words.
        report: the case's report, with these words asked for.
    """

    finding_id: str
    text: str
    report: CaseReport


def questions_of(
    sidecar: Sidecar, cases: Sequence[str], texts: Sequence[str] | None
) -> dict[str, tuple[Question, ...]]:
    """What each case is asked for.

    Args:
        sidecar: reports, and the findings where ``texts`` is None.
        cases: the cases.
        texts: free text, the same for every case.

    Raises:
        SidecarError: a case without entry or, without ``texts``, without findings; a text that cannot be read, or
            is there twice.
    """
    for number, text in enumerate(texts or ()):
        _require_readable(text)
        if text in (texts or ())[:number]:
            raise SidecarError.about("the same is asked for twice", value=text[:40], fix="give --finding once for it")
    sidecar.require_cases(cases, missing_report=missing_report_policy())
    found = {}
    for case, report in read_case_reports(sidecar, list(cases)).items():
        asked = [(f"asked_{number}", text) for number, text in enumerate(texts or (), start=1)]
        if texts is None:
            asked = [(finding.id, finding.text) for finding in sidecar.findings(case)]
        if not asked:
            raise SidecarError.about(
                "the case has no findings to ask for",
                case=case,
                file=sidecar.path,
                fix='list them under "findings", or name what you look for with --finding',
            )
        found[case] = tuple(
            Question(name, text, report.asking(parse_case_text(text, sidecar, case).statements)) for name, text in asked
        )
    return found


def _require_readable(text: str) -> None:
    try:
        parse_report(text)
    except ReportTextError as error:
        raise SidecarError.about(
            f"what is asked for cannot be read ({error.problem})",
            value=text[:40],
            fix="name what to look for with --finding",
        ) from error


def predict_findings(
    predictor: MultiReportPredictor,
    files: Mapping[str, Sequence[str]],
    questions: Mapping[str, Sequence[Question]],
    out: Path,
    *,
    sidecar: Sidecar,
    encoder: str | None,
    overwrite: bool,
    combined: bool = False,
    series: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Predict the findings of some cases; a case is written when all its findings are there.

    Args:
        predictor: with a grounding model loaded.
        files: for each case its channel files.
        questions: for each case what it is asked for.
        out: folder for the cases' folders.
        sidecar: where the questions come from; a bank may lie beside it.
        encoder: for words that are in no bank; the model's own by default.
        overwrite: whether cases that are there, with the very findings and maps that are asked for, are predicted
            again.
        combined: whether all findings of a case are also written as one label map.
        series: for each case the files of its DICOM series, in order; a DICOM SEG is then also written.

    Raises:
        DatasetError: the images are no NIfTI, or have more or fewer channels than in training; an index that is there
            and to be kept cannot be read; something else than a prediction lies where one belongs; the header of a
            series does not do for a DICOM SEG.
        GeometryError: a header cannot be read, or patient left-right is another array axis than in training.
        ModelMismatchError: the encoder is needed and not there, or is another one.
    """
    writer = predictor.plans_manager.image_reader_writer_class()
    if FINDING_ENDING not in writer.supported_file_endings:
        raise DatasetError.about(
            f"masks of findings are written as {FINDING_ENDING}, which the reader of this dataset cannot",
            value=type(writer).__name__,
            fix="train on images in NIfTI",
        )
    axes = dict(zip(files, predictor.axes_of_files(list(files.values())), strict=True))
    vectors = _embed(predictor, questions, sidecar, encoder)
    maps = {*(["combined"] if combined else []), *(["dicom_seg"] if series else [])}
    pending = [case for case in files if overwrite or not _is_written(out / case, case, questions[case], maps)]
    for case in pending:
        _require_replaceable(out / case, case)
    out.mkdir(parents=True, exist_ok=True)
    preprocessor = predictor.configuration_manager.preprocessor_class(verbose=False)
    smallest = ReportConditioning.from_plans(predictor.plans_manager.plans).smallest_component_mm3
    for case in pending:
        _log.info("Predicting %s, %d findings", case, len(questions[case]))
        require_whole_images(files[case], case=case)
        image, _, properties = preprocessor.run_case(
            list(files[case]), None, predictor.plans_manager, predictor.configuration_manager, predictor.dataset_json
        )
        data = torch.from_numpy(image).to(dtype=torch.float32, memory_format=torch.contiguous_format)
        reports = [question.report for question in questions[case]]
        logits = predictor.predict_reports(data, reports, vectors, axes[case])
        partial = out / f".{case}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        entries: list[dict[str, Any]] = []
        while logits:  # each is let go once it is written
            question = questions[case][len(entries)]
            entries.append(_write(predictor, writer, logits.pop(0), properties, question, partial, smallest))
        index: dict[str, Any] = {"findings_version": INDEX_VERSION, "findings": entries}
        if combined:
            masks = {entry["id"]: partial / entry["file"] for entry in entries}
            index["combined"] = write_combined(partial, masks)
        if series:
            index["dicom_seg"] = write_dicom_seg(partial, entries, series[case], case=case)
        write_text(partial / INDEX_JSON, json.dumps(index, indent=1, ensure_ascii=False) + "\n")
        shutil.rmtree(out / case, ignore_errors=True)
        partial.rename(out / case)


def _require_replaceable(folder: Path, case: str) -> None:
    """Whatever lies where a case is written goes; only an earlier prediction may."""
    if folder.is_dir() and ((folder / INDEX_JSON).is_file() or not any(folder.iterdir())):
        return
    if folder.exists() or folder.is_symlink():
        raise DatasetError.about(
            f"what lies where the masks of the case belong is no prediction (it has no {INDEX_JSON})",
            case=case,
            file=folder,
            fix="name another output folder (-o), or move it away",
        )


def _is_written(folder: Path, case: str, questions: Sequence[Question], maps: Set[str]) -> bool:
    """Whether the folder of a case holds the answers to these very questions, and these maps of all of them."""
    if not (folder / INDEX_JSON).is_file():
        return False
    index = read_index(folder, case=case)
    entries = index.get("findings")
    answered = [(entry.get("id"), entry.get("text")) for entry in entries] if isinstance(entries, list) else []
    return answered == [(question.finding_id, question.text) for question in questions] and maps <= set(index)


def _embed(
    predictor: MultiReportPredictor,
    questions: Mapping[str, Sequence[Question]],
    sidecar: Sidecar,
    encoder: str | None,
) -> PredictionVectors:
    return embed_for_prediction(
        {f"{case}, finding {q.finding_id}": q.report for case, asked in questions.items() for q in asked},
        ReportConditioning.from_plans(predictor.plans_manager.plans),
        bank_folders=bank_folders(sidecar, predictor.plans_manager.dataset_name),
        encoder=encoder,
        device=predictor.device.type,
    )


def _write(
    predictor: MultiReportPredictor,
    writer: Any,
    logits: torch.Tensor,
    properties: dict[str, Any],
    question: Question,
    folder: Path,
    smallest_mm3: float | None,
) -> dict[str, Any]:
    """Write the mask of a finding; its entry of the index."""
    segmentation, probabilities = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits,
        predictor.plans_manager,
        predictor.configuration_manager,
        predictor.label_manager,
        properties,
        return_probabilities=True,
        num_threads_torch=min(default_num_processes, torch.get_num_threads()),
    )
    mask, removed = credible_mask(np.asarray(segmentation) != 0, smallest_mm3, properties["spacing"])
    file = folder / finding_file_name(question.finding_id)
    writer.write_seg(mask.astype(np.uint8), str(file), properties)
    inside = np.asarray(probabilities)[-1][mask]
    return {
        "id": question.finding_id,
        "text": question.text,
        "file": file.name,
        **describe_mask(file),
        "confidence": float(inside.mean()) if inside.size else None,
        "removed_components": removed,
    }
