"""Rows over seeds, bars, and the page that is written from handmade runs."""

from __future__ import annotations

import json

import pytest

from following.bars import bar_results
from following.errors import BenchmarkError
from following.publish import publish
from following.results import Figures, result_rows
from following.settings import Settings, keep_settings
from tests.benchmarks.rows import row, run, write_runs


def site_runs(dices=(0.94, 0.96, 0.98), device="cpu"):
    return [
        run(
            "site",
            "default",
            seed,
            row("correct", dice, 1.0, {"side": 0.9, "level": 1.0}),
            row("seen_wording", dice + 0.01, 1.0),
            row("long", dice - 0.02, 1.0),
            row("swapped_own", dice, 1.0),
            row("swapped_original", 0.0, 0.0),
            row("null", 0.4, 0.0),
            row("null_all_lesions", 0.9),
            device=device,
        )
        for seed, dice in enumerate(dices)
    ]


def plain(dice):
    rows = (row("correct", 0.3, 0.2), row("told", 0.85, 0.9), row("null_all_lesions", dice))
    return [run("site", "blind", seed, *rows) for seed in range(3)]


def bars_of(runs):
    figures = Figures(result_rows(runs), {r["benchmark"]: r["blind_ceiling"] for r in runs})
    return {bar.about.split(":")[0]: bar for bar in bar_results(figures)}


def test_means_over_seeds():
    figures = Figures(result_rows(site_runs()), {})
    spread = figures.spread("site", "default", "correct", "dice")
    assert (spread.mean, spread.low, spread.high, spread.seeds) == (pytest.approx(0.96), 0.94, 0.98, 3)
    assert figures.spread("site", "default", "correct", "follow_rate:side").mean == pytest.approx(0.9)
    assert figures.spread("site", "default", "correct", "follow_rate:size") is None
    assert figures.spread("site", "default", "null_all_lesions", "follow_rate") is None


def test_a_difference_is_taken_seed_by_seed():
    runs = [*site_runs()[:2], run("site", "blind", 1, row("null_all_lesions", 0.5))]
    figures = Figures(result_rows(runs), {})
    first, second = (("site", v, "null_all_lesions", "dice") for v in ("default", "blind"))
    assert figures.difference(first, second).seeds == 1
    assert figures.difference(first, second).mean == pytest.approx(0.4)


def test_a_bar_is_met_or_missed_by_the_mean():
    bars = bars_of(site_runs() + plain(0.905))
    assert bars["Dice"].verdict == "met"
    assert bars["follow rate"].verdict == "met"
    assert bars["Dice lost behind 600 tokens"].verdict == "missed"
    assert bars["Dice lost by held-out wording"].verdict == "met"
    assert bars["no report, all lesions"].verdict == "met"
    assert bars["without position"].verdict == "not run"
    assert bars_of(site_runs() + plain(0.92))["no report, all lesions"].verdict == "missed"
    assert bars_of(site_runs((0.90, 0.91, 0.99)))["Dice"].verdict == "missed"


def test_a_network_that_finds_nothing_meets_no_bar():
    bars = bars_of(site_runs((0.0, 0.1, 0.0)) + plain(0.1))
    verdicts = {about: bar.verdict for about, bar in bars.items()}
    assert verdicts.pop("without position") == "not run"
    assert verdicts.pop("follow rate") == "met"  # the rows say so
    assert set(verdicts.values()) == {"missed", "says nothing, too little learned"}


def test_too_few_seeds_are_said():
    assert bars_of(site_runs((0.97,)))["Dice"].verdict == "met (1 of 3 seeds)"


@pytest.mark.parametrize(
    ("dice", "verdict"), [(0.41, "met"), (0.9, "missed"), (0.0, "says nothing, too little learned")]
)
def test_a_network_that_needs_no_position_spoils_the_benchmark(dice, verdict):
    runs = site_runs() + [run("site", "no_position", seed, row("correct", dice, 0.3)) for seed in range(3)]
    assert bars_of(runs)["without position"].verdict == verdict


def test_false_positives_of_negation_have_a_bar():
    runs = [run("negation", "default", s, row("correct", 0.95, 1.0, false_positive_part=0.02)) for s in range(3)]
    assert bars_of(runs)["volume on denied lesions / lesion"].verdict == "missed"


def test_the_page_says_what_was_found_and_where(tmp_path):
    failure = {"benchmark": "site", "variant": "film", "seed": 0, "exit_code": 1, "message": "Traceback\nKeyError: 'x'"}
    write_runs(tmp_path / "out", site_runs() + plain(0.9), [failure])
    files = publish(tmp_path / "out", tmp_path / "docs")
    assert [file.name for file in files] == ["text_following.json", "text_following.md", "text_following.png"]
    page = files[1].read_text()
    assert "| site | Dice | >= 0.95 | 0.960 (0.94 to 0.98) | met |" in page
    assert "CPU: 6 runs (site) on Some CPU" in page
    assert "| *blind ceiling* | 0.400 | 0.250 |" in page
    assert "| *`blind`, told* | 0.850 (0.85 to 0.85) | 0.900 (0.90 to 0.90) |" in page
    assert "no averaging over flips" in page
    assert "--no-mirroring" in page
    assert "`film`, seed 0: `KeyError: 'x'`" in page
    assert "--tasks site --seeds 0 1 2" in page
    assert "--variants default blind" in page
    assert str(tmp_path) not in page
    content = json.loads(files[0].read_text())
    first = content["rows"][0]
    assert {"benchmark", "variant", "seed", "condition", "dice", "follow_rate", "training_seconds"} <= first.keys()
    assert len(content["rows"]) == 3 * 7 + 3 * 3
    assert files[2].stat().st_size > 1000


def test_the_commands_give_the_runs_and_no_others(tmp_path):
    more = [run(task, "film", 1, row("correct", 0.9, 1.0)) for task in ("site", "size")]
    write_runs(tmp_path, site_runs() + plain(0.9) + more)
    page = publish(tmp_path, tmp_path)[1].read_text()
    calls = page.split('python benchmarks/text_following.py --out text_following_out "${SCALE[@]}"')[1:]
    assert [" ".join(call.split("`")[0].replace("\\", "").split()) for call in calls] == [
        "--tasks site --seeds 0 1 2 --variants default blind",
        "--tasks site size --seeds 1 --variants film",
    ]


def test_the_page_tells_a_gpu_from_a_cpu(tmp_path):
    write_runs(tmp_path, site_runs((0.9,), device="cuda"))
    assert "- GPU: 1 runs" in publish(tmp_path, tmp_path)[1].read_text()


def test_the_page_names_the_tasks_with_iterations_of_their_own(tmp_path):
    write_runs(tmp_path, [*site_runs((0.9,)), run("laterality", "default", 0, row("correct", 0.9, 1.0))])
    assert "600 iterations (laterality 500, site 500) of" in publish(tmp_path, tmp_path)[1].read_text()
    write_runs(tmp_path / "same", site_runs((0.9,)), settings=Settings(iterations=500))
    assert "500 iterations of" in publish(tmp_path / "same", tmp_path)[1].read_text()


def test_without_runs_there_is_no_page(tmp_path):
    with pytest.raises(BenchmarkError, match="no output folder"):
        publish(tmp_path, tmp_path / "docs")
    keep_settings(tmp_path, Settings())
    with pytest.raises(BenchmarkError, match="no finished run"):
        publish(tmp_path, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_the_page_of_implants_names_their_command_and_claims_nothing_of_the_phantom(tmp_path):
    out, docs = tmp_path / "out", tmp_path / "docs"
    runs = [run("implants", "default", 0, row("correct", 0.8, 0.9), row("null_all_lesions", 0.7))]
    write_runs(out, runs, settings=Settings(patch=(16, 32, 32), mirroring=True, step_size=0.5))
    text = publish(out, docs)[1].read_text()
    assert "--patch 16 32 32" in text
    assert "predictions averaged over flips, tiles 0.5 of a patch apart" in text
    assert "--step-size 0.5 --data-seed 0 --mirroring" in text
    assert "told*" not in text  # no run of plain nnU-Net
    assert "--volumes VOLUMES --nodules NODULES" in text
    assert "--clear-margin" not in text
    assert "| implants | Dice | >= 0.70 | 0.800 |" in text
