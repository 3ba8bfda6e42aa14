"""``reportseg parse``: how a report, or the reports of a dataset, are read; without loading torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nnunet_reportseg.sidecar import Sidecar
    from text_conditioning.reports import Report, Sentence

FORMAT_VERSION = 1
STDIN = "-"


def command(
    file: Annotated[
        Path | None, typer.Argument(help="A report as plain text in UTF-8; - reads standard input.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", help="Dataset number or name: statistics of all its reports.")
    ] = None,
    case: Annotated[str | None, typer.Option("--case", help="With -d: show the report of this case.")] = None,
    reports: Annotated[
        Path | None, typer.Option("-r", "--reports", help="With -d: another sidecar than the dataset's reports.json.")
    ] = None,
    language: Annotated[str, typer.Option("--language", "-l", help="Language of the reports, such as en.")] = "en",
    encoder: Annotated[
        str | None, typer.Option("-e", "--encoder", help="Encoder whose window sentences are measured against.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Show a report as the model will see it: sections, sentences and their tags; or count those of a dataset."""
    if (file is None) == (dataset is None):
        raise typer.BadParameter("give either a file (or -) or a dataset with -d")
    if file is not None and (case, reports, encoder) != (None, None, None):
        raise typer.BadParameter("--case, --reports and --encoder need a dataset: give -d instead of a file")
    if file is not None:
        shown, name = _read_file(file, language), str(file)
    elif case is not None:
        shown, name = _read_case(_sidecar(str(dataset), reports), case, language), case
    else:
        _show_dataset(_sidecar(str(dataset), reports), language, encoder, as_json)
        return
    if as_json:
        print(json.dumps(as_document(shown, name), indent=1))
    else:
        from nnunet_reportseg.cli.parse_display import show_report

        show_report(shown)


def as_document(report: Report, name: str) -> dict[str, Any]:
    """A report that has been read, as plain JSON values; places count characters of the text."""
    from text_conditioning.reports import TEXT_PROCESSING_VERSION

    return {
        "parse_version": FORMAT_VERSION,
        "text_processing_version": TEXT_PROCESSING_VERSION,
        "source": name,
        "language": report.language,
        "language_known": report.language_known,
        "sentences": [_plain(sentence, report.language_known) for sentence in report.sentences],
        "markup": [list(span) for span in report.markup],
        "unknown_headings": list(report.unknown_headings),
    }


def _plain(sentence: Sentence, known: bool) -> dict[str, Any]:
    from text_conditioning.laterality_swap import swap_laterality

    return {
        "text": sentence.text,
        "start": sentence.start,
        "end": sentence.end,
        "section": sentence.section.name.lower(),
        "assertion": sentence.assertion.name.lower() if known else "unknown",
        "laterality": sentence.laterality.name.lower() if known else "unknown",
        "level": sentence.level.name.lower() if known else "unknown",
        "rank": sentence.rank.name.lower() if known else "unknown",
        "sizes_mm": list(sentence.sizes_mm),
        "prior_sizes_mm": list(sentence.prior_sizes_mm),
        "mirrored": swap_laterality(sentence.text) if known else None,
        "clauses": [_plain(clause, known) for clause in sentence.clauses],
    }


def _read_file(file: Path, language: str) -> Report:
    from nnunet_reportseg.errors import ReportFileError
    from nnunet_reportseg.text_file import decode_text, read_text
    from text_conditioning.errors import ReportTextError
    from text_conditioning.reports import parse_report

    if str(file) == STDIN:
        text = decode_text(sys.stdin.buffer.read(), ReportFileError, what="the report", file="standard input")
    else:
        text = read_text(file, ReportFileError, what="the report", absent="give a text file that can be read, or -")
    try:
        return parse_report(text, language)
    except ReportTextError as error:
        where = "standard input" if str(file) == STDIN else file
        raise ReportFileError(f"file {where}: {error}") from error


def _sidecar(dataset: str, reports: Path | None) -> Sidecar:
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths
    from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar

    (raw,) = require_paths(RAW)
    folder = raw / dataset_folder_name(dataset, raw)
    return Sidecar.load(reports if reports is not None else folder / SIDECAR_NAME)


def _read_case(sidecar: Sidecar, case: str, language: str) -> Report:
    from nnunet_reportseg.errors import SidecarError

    if case not in sidecar.case_ids:
        known = ", ".join(sidecar.case_ids[:5]) or "none"
        raise SidecarError.about(
            "there is no such case", case=case, file=sidecar.path, fix=f"choose one that the sidecar lists: {known}"
        )
    report = _read_all(sidecar, [case], language)[case]
    if report is None:
        raise SidecarError.about(
            "the sidecar declares that there is no report", case=case, file=sidecar.path, fix="choose another case"
        )
    return report


def _read_all(sidecar: Sidecar, cases: list[str], language: str) -> dict[str, Report | None]:
    from nnunet_reportseg.case_reports import parse_case_text

    texts = {case: sidecar.report_text(case) for case in cases}
    return {
        case: None if text is None else parse_case_text(text, sidecar, case, language=language)
        for case, text in texts.items()
    }


def _show_dataset(sidecar: Sidecar, language: str, encoder: str | None, as_json: bool) -> None:
    from nnunet_reportseg.report_statistics import count_reports
    from text_conditioning.registry import DEFAULT_ENCODER

    reports = _read_all(sidecar, list(sidecar.case_ids), language)
    counts = count_reports(reports, encoder=encoder or DEFAULT_ENCODER)
    if as_json:
        print(json.dumps({"parse_version": FORMAT_VERSION, "source": str(sidecar.path), **counts}, indent=1))
        return
    from nnunet_reportseg.cli.parse_display import show_counts

    show_counts(counts, str(sidecar.path))
