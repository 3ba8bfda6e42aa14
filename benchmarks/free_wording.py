r"""Do the networks of the benchmark read findings in words that none of its templates has?

    python benchmarks/text_following.py --out text_following_out --tasks site ...      # trains them
    python benchmarks/free_wording.py --out text_following_out

Reads the models of the default preset that are in the output folder, for the tasks "site" and "implants", under the
sentences of ``benchmarks/following/free_findings.json``. Writes ``docs/results/free_wording.md`` and ``.json``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from following.conditions import CORRECT
from following.errors import BenchmarkError
from following.free_wording import PER_LESION, read_free_wording, sentences_by_site
from following.prepare import CONFIGURATION
from following.results import Spread, load_runs
from following.settings import read_settings
from following.tasks import IMPLANTS
from following.variants import GUIDED
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.machine import describe_machine, package_versions
from nnunet_reportseg.demo.workspace import use_workspace
from nnunet_reportseg.errors import ReportSegError
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS

NAME = "free_wording"
RESULTS_VERSION = 1
TASKS = ("site", IMPLANTS)
WORST = 12  # sentences on the page
_PAGE = """# Findings in free wording

*Written by `benchmarks/free_wording.py`; all readings are in `{name}.json`.*

The reports of the benchmarks are made from templates, in training and test from different ones. Here the finding is
told in {count} sentences that were written as in chest CT reports and without knowledge of the templates: abbreviations
(RUL), segments, sizes in mm and cm, notes without a verb ([all](../../benchmarks/following/free_findings.json)).
Each lesion of the test volumes is read {each} times, with one such sentence between two fillers.

{machine}

| task | seeds | readings | Dice | follow rate | Dice, own report (templates) |
|---|---|---|---|---|---|
{rows}

Read worst, over all seeds (mean Dice, readings in which the mask lay on the described lesion):

| task | sentence | Dice | followed |
|---|---|---|---|
{worst}
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, nargs="+", help="output folders of text_following.py")
    parser.add_argument("--docs", type=Path, default=Path("docs/results"), help="folder of the page")
    arguments = parser.parse_args()
    try:
        found = [read for out in arguments.out for read in _read(out.resolve())]
        if not found:
            raise BenchmarkError(f"no finished run of the default preset in {' '.join(map(str, arguments.out))}")
        for file in publish(found, arguments.docs):
            print(file)
    except (BenchmarkError, ReportSegError) as error:
        parser.error(str(error))


def _read(out: Path) -> list[dict[str, Any]]:
    """Read with each model of the output folder."""
    settings = read_settings(out)
    use_workspace(out / "nnunet", max(2, min(8, os.cpu_count() or 1)))
    raw, preprocessed, results = (Path(os.environ[name]) for name in (RAW, PREPROCESSED, RESULTS))
    found = []
    for run in load_runs(out)[0]:
        if run["variant"] != "default" or run["benchmark"] not in TASKS:
            continue
        (dataset,) = [folder.name for folder in raw.glob(f"*_Follow{run['benchmark'].capitalize()}")]
        model = results / dataset / f"{GUIDED}__follow_default_s{run['seed']}__{CONFIGURATION}"
        read = read_free_wording(run, raw / dataset, preprocessed / dataset, model, settings)
        (templates,) = [row["dice"] for row in run["rows"] if row["condition"] == CORRECT]
        found.append({**read, "dice_templates": templates})
        print(f"{run['benchmark']}, seed {run['seed']}: Dice {read['dice']:.3f}, follow rate {read['follow_rate']:.3f}")
    return found


def publish(found: Sequence[Mapping[str, Any]], docs: Path) -> list[Path]:
    """Write the page and the JSON file; the files."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    machine, versions = describe_machine(device), package_versions()
    content = {"version": RESULTS_VERSION, "machine": machine, "versions": versions, "runs": list(found)}
    tasks = list(dict.fromkeys(run["benchmark"] for run in found))
    page = _PAGE.format(
        name=NAME,
        count=sum(map(len, sentences_by_site().values())),
        each=PER_LESION,
        machine=f"{machine}; {', '.join(f'{name} {version}' for name, version in versions.items())}.",
        rows="\n".join(_row(task, [run for run in found if run["benchmark"] == task]) for task in tasks),
        worst="\n".join(_worst(found)),
    )
    files = [docs / f"{NAME}.json", docs / f"{NAME}.md"]
    docs.mkdir(parents=True, exist_ok=True)
    write_text(files[0], json.dumps(content, indent=1) + "\n")
    write_text(files[1], page)
    return files


def _row(task: str, runs: Sequence[Mapping[str, Any]]) -> str:
    seeds = " ".join(str(run["seed"]) for run in runs)
    readings = sum(len(run["readings"]) for run in runs)
    figures = [_spread([run[name] for run in runs]) for name in ("dice", "follow_rate", "dice_templates")]
    return f"| {task} | {seeds} | {readings} | {' | '.join(figures)} |"


def _spread(values: Sequence[float]) -> str:
    spread = Spread.of(values)
    if spread is None:
        return "-"
    return f"{spread.mean:.3f}" + (f" ({spread.low:.3f} to {spread.high:.3f})" if spread.seeds > 1 else "")


def _worst(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sentences with the lowest mean Dice."""
    by_sentence: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for run in found:
        for reading in run["readings"]:
            by_sentence.setdefault((run["benchmark"], reading["sentence"]), []).append(reading)
    means = {key: sum(r["dice"] for r in read) / len(read) for key, read in by_sentence.items()}
    return [
        f"| {task} | {sentence} | {mean:.2f} | {sum(r['followed'] for r in read)} of {len(read)} |"
        for ((task, sentence), mean) in sorted(means.items(), key=lambda item: item[1])[:WORST]
        for read in (by_sentence[task, sentence],)
    ]


if __name__ == "__main__":
    main()
