"""The page with the results, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from following.bars import BLIND, SEEDS_WANTED, BarResult
from following.conditions import (
    CONDITIONS,
    CORRECT,
    LONG_REPORT,
    NULL,
    NULL_ALL,
    SEEN,
    SWAPPED_ORIGINAL,
    SWAPPED_OWN,
    TOLD,
)
from following.results import Figures, Spread
from following.settings import EPOCHS, Settings
from following.tasks import IMPLANTS, TEST_VOLUMES
from following.variants import VARIANTS

FIGURE = "text_following.png"
OTHERS = (SEEN, LONG_REPORT, SWAPPED_OWN, SWAPPED_ORIGINAL, NULL, NULL_ALL)


def page(
    figures: Figures,
    bars: Sequence[BarResult],
    runs: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, Any]],
    settings: Settings,
    commands: str,
) -> str:
    """The whole page; figures are means over seeds, with the least and the greatest in brackets."""
    parts = [
        "# Does the network follow its report?",
        "*Written by `benchmarks/text_following.py` from its runs; all rows are in `text_following.json`.*",
        _where(runs),
        _scale(settings, runs, phantom=any(name != IMPLANTS for name in figures.benchmarks())),
        "## Bars",
        f"Means over seeds of the default preset, on the test split; at least {SEEDS_WANTED} seeds are wanted.",
        _bars(bars),
        "## Figures",
        f"![Dice and follow rate of each variant]({FIGURE})",
        "The case's own report, in wording that training never saw. Dotted: the most that a network can reach that "
        "does not read, by formula (`nnunet_reportseg.evaluation.paired.blind_ceiling`). *Told*: what plain nnU-Net "
        "finds of the described lesion, as if it were told without a mistake which one that is.",
    ]
    for benchmark in figures.benchmarks():
        parts += [f"### {benchmark}", _table(figures, benchmark)]
    parts += ["## Conditions", _list(CONDITIONS), _READING, "## Variants", _variants(figures)]
    if failures:
        parts += ["## Failed runs", _failures(failures)]
    parts += ["## Commands", f"```bash\n{commands}\n```", _OTHER_COMMANDS]
    return "\n\n".join(parts) + "\n"


def text_of(spread: Spread | None) -> str:
    """Mean, and the extremes where there are several seeds."""
    if spread is None:
        return "-"
    mean = f"{spread.mean:.3f}"
    return mean if spread.seeds == 1 else f"{mean} ({spread.low:.2f} to {spread.high:.2f})"


def _where(runs: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for machine in dict.fromkeys((run["device"], run["machine"]) for run in runs):
        own = [run for run in runs if (run["device"], run["machine"]) == machine]
        versions = "; ".join(dict.fromkeys(", ".join(f"{k} {v}" for k, v in r["versions"].items()) for r in own))
        tasks = ", ".join(dict.fromkeys(run["benchmark"] for run in own))
        kind = "GPU" if machine[0] == "cuda" else machine[0].upper()
        seconds = sum(run["training_seconds"] + run["prediction_seconds"] for run in own)
        lines.append(f"- {kind}: {len(own)} runs ({tasks}) on {machine[1]}, {seconds / 60:.0f} minutes; {versions}")
    return "\n".join(lines)


def _scale(settings: Settings, runs: Sequence[Mapping[str, Any]], *, phantom: bool) -> str:
    usual = settings.epoch_iterations * EPOCHS
    others = {run["benchmark"]: run["iterations"] for run in runs if run["iterations"] != usual}
    longer = f" ({', '.join(f'{task} {count}' for task, count in others.items())})" if others else ""
    volumes = settings.test_volumes * (TEST_VOLUMES if phantom else 1)
    patch = " x ".join(map(str, settings.patch))
    recipe = "AdamW at 2e-3 for all of the network" if settings.short_recipe else "the default recipe"
    flips = "predictions averaged over flips" if settings.mirroring else "no averaging over flips"
    return (
        f"Scale: {usual} iterations{longer} of {settings.batch_size} patches of {patch} voxels, {settings.stages} "
        f"stages from {settings.features} features, {recipe} (`sgd_only` and plain nnU-Net: nnU-Net's SGD); "
        f"{settings.cases} training cases, {volumes} test volumes with one case per lesion. Final weights, not "
        f"chosen by test results, {flips}, tiles {settings.step_size:g} of a patch apart. Volumes are larger "
        "than patches." + (_MARGIN if phantom else "")
    )


def _bars(bars: Sequence[BarResult]) -> str:
    lines = ["| task | | bar | found | |", "|---|---|---|---|---|"]
    for bar in bars:
        sign = ">=" if bar.at_least else "<="
        lines.append(
            f"| {bar.benchmark} | {bar.about} | {sign} {bar.limit:.2f} | {text_of(bar.found)} | {bar.verdict} |"
        )
    return "\n".join(lines)


def _table(figures: Figures, benchmark: str) -> str:
    attributes = figures.attributes(benchmark)
    metrics = ["dice", "follow_rate", *(f"follow_rate:{name}" for name in attributes), "false_positive_part"]
    heads = ["variant", "Dice", "follow rate", *(f"... {name}" for name in attributes), "on denied lesions", *OTHERS]
    ceiling = figures.ceilings[benchmark]
    blank = [""] * (len(heads) - 3)
    lines = [_line(heads), _line(["---"] * len(heads))]
    lines.append(_line(["*blind ceiling*", f"{ceiling['dice']:.3f}", f"{ceiling['follow_rate']:.3f}", *blank]))
    told = [figures.spread(benchmark, BLIND, TOLD, metric) for metric in ("dice", "follow_rate")]
    if any(told):
        lines.append(_line([f"*`{BLIND}`, told*", *map(text_of, told), *blank]))
    for variant in (name for name in VARIANTS if name in figures.variants(benchmark)):
        cells = [text_of(figures.spread(benchmark, variant, CORRECT, metric)) for metric in metrics]
        others = [text_of(figures.spread(benchmark, variant, condition, "dice")) for condition in OTHERS]
        lines.append(_line([f"`{variant}`", *cells, *others]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(items: Mapping[str, str]) -> str:
    return "\n".join(f"- `{name}`: {about}" for name, about in items.items())


def _variants(figures: Figures) -> str:
    shown = {name for benchmark in figures.benchmarks() for name in figures.variants(benchmark)}
    return _list({name: variant.about for name, variant in VARIANTS.items() if name in shown})


def _failures(failures: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"- {f['benchmark']}, `{f['variant']}`, seed {f['seed']}: `{(f['message'].splitlines() or ['no message'])[-1]}`"
        for f in failures
    )


_MARGIN = (
    " In the phantom a patch on a lesion shows nothing that gives its place away (`reportseg phantom --clear-margin`)."
)
_READING = (
    "The last six columns of the tables are Dice under these conditions. The follow rate of an attribute counts pairs "
    "of lesions of one image that differ in it alone: the mask must overlap the described one better. *On denied "
    "lesions*: voxels of the mask that are nearest to a denied lesion, as a part of that lesion's voxels."
)
_OTHER_COMMANDS = (
    "`--small` is for two CPU cores, `--full` for a GPU (all tasks and variants, three seeds; `--at-once` for several "
    "runs at the same time). Finished runs are not run again; `--report-only` writes this page from those that are "
    "there. The process of a training is seeded, nnU-Net's augmentation workers are not."
)
