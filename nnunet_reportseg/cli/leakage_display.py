"""What ``reportseg check --leakage`` prints: suspicions, then the figures that they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nnunet_reportseg.leakage.agreement import Agreement
    from nnunet_reportseg.leakage.case_groups import SharedGroup
    from nnunet_reportseg.leakage.leakage_check import LeakageReport
    from nnunet_reportseg.leakage.predictability import Predictability
    from nnunet_reportseg.leakage.suspicion import Suspicion

_MOST_ROWS = 50  # of one kind; a split that knows no patients may tear thousands apart


def show_leakage(name: str, report: LeakageReport, console: Console) -> None:
    """Print a result.

    Args:
        name: Of the dataset.
        report: What was found.
        console: Where to.
    """
    if report.suspicions:
        console.print(_suspicions(report.suspicions))
    for line in _facts(report):
        console.print(Text(line), soft_wrap=True)
    for title, agreements in (("lengths", report.lengths), ("volumes", report.volumes)):
        if agreements:
            console.print(_agreements(title, agreements))
        else:
            console.print(f"No finding with label_values states {title} finely enough.", highlight=False)
    if report.words:
        console.print(_words(report.words))
    else:
        console.print("What words alone predict was not measured: too few cases with a report and a mask.")
    kinds = ", ".join(dict.fromkeys(suspicion.kind for suspicion in report.suspicions))
    summary = f"suspicious: {kinds}" if kinds else "nothing suspicious"
    unseen = _not_looked_for(report)
    if unseen:
        summary += f"; could not be looked for: {', '.join(unseen)}"
    console.print(f"{name}, leakage: {summary}", markup=False, highlight=False, soft_wrap=True)


def _not_looked_for(report: LeakageReport) -> list[str]:
    """What the dataset gives no means to look for; "nothing suspicious" does not speak of it."""
    means = {
        "shared patients": report.patients.of_case,
        "shared reports": report.folds or report.test_reports,
        "lengths of the masks": report.lengths,
        "volumes of the masks": report.volumes,
        "what words predict": report.words,
    }
    return [what for what, found in means.items() if not found]


def _suspicions(suspicions: tuple[Suspicion, ...]) -> Table:
    from nnunet_reportseg.sidecar_format import name_some

    table = Table(show_lines=True)
    for title in ("suspicious", "cases", "what", "what to do"):
        table.add_column(title, overflow="fold")
    rows: dict[str, int] = {}
    for suspicion in suspicions:
        rows[suspicion.kind] = rows.get(suspicion.kind, 0) + 1
        if rows[suspicion.kind] <= _MOST_ROWS:
            names = Text(name_some(suspicion.cases) or "all")
            table.add_row(Text(suspicion.kind, style="yellow"), names, Text(suspicion.message), Text(suspicion.fix))
    for kind, count in rows.items():
        if count > _MOST_ROWS:
            table.add_row(Text(kind, style="yellow"), Text(f"and {count - _MOST_ROWS} more of this kind"), "", "")
    return table


def _facts(report: LeakageReport) -> list[str]:
    known, everyone = len(report.patients.of_case), report.cases + report.test_cases
    facts = [f"Folds: {report.folds}, {report.folds_from}"]
    if known:
        facts.append(f"Patients: known for {known} of {everyone} cases, from {report.patients.source}")
    else:
        facts.append(
            f"Patients: none is known ({report.patients.source}), so shared patients could not be looked for; name "
            "them with --patient-pattern"
        )
    with_reports = "with" if report.test_reports else "without"
    facts.append(f"Test set: {report.test_cases} cases in imagesTs, {with_reports} reports.json")
    facts.append(
        "The same report in training and validation or test: "
        f"{_count(report.repeated.with_findings)} with findings, {_count(report.repeated.short)} with findings but too "
        f"short to tell, {_count(report.repeated.without_findings)} without findings"
    )
    return facts


def _count(groups: tuple[SharedGroup, ...]) -> str:
    return f"{len(groups)} (in {sum(len(group.names) for group in groups)} cases)" if groups else "0"


def _agreements(title: str, agreements: tuple[Agreement, ...]) -> Table:
    table = Table(title=f"Stated {title} that are the mask's to the last digit")
    for name in ("measure of the mask", "agree", "of", "part", "by hand", "likely by hand"):
        table.add_column(name, justify="left" if name.startswith("measure") else "right")
    for agreement in agreements:
        table.add_row(
            agreement.measure,
            str(len(agreement.agreeing)),
            str(agreement.findings),
            Text(f"{agreement.part:.0%}", style="yellow" if agreement.suspicious else ""),
            f"{agreement.expected:.0%}",
            f"{agreement.by_chance:.2g}",
        )
    return table


def _words(words: tuple[Predictability, ...]) -> Table:
    table = Table(title=f"What words alone predict, {words[0].r2.cases} unseen cases")
    for name in ("of the mask", "R2, 95% interval", "rank correlation"):
        table.add_column(name, justify="left" if name == "of the mask" else "right")
    for score in words:
        r2 = score.r2
        table.add_row(
            score.target,
            Text(f"{r2.value:.2f} [{r2.low:.2f}, {r2.high:.2f}]", style="yellow" if score.suspicious else ""),
            "-" if score.rank_correlation is None else f"{score.rank_correlation:.2f}",
        )
    return table
