"""The page with the figures of time and size beside their bars, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Bar(NamedTuple):
    """A figure and its bar.

    Attributes:
        part: where it was measured.
        path: to it in there.
        about: for the page.
        limit: its bar.
        at_least: whether the figure shall not be below the bar, rather than not above it.
    """

    part: str
    path: tuple[str, ...]
    about: str
    limit: float
    at_least: bool = False

    @property
    def name(self) -> str:
        """Of the figure in ``performance.json``; nnU-Net's default plans are not named."""
        return "_".join(key for key in self.path if key != "default")

    def found(self, parts: Mapping[str, Any]) -> Any:
        """The figure, or None where it was not measured."""
        found: Any = parts.get(self.part)
        for key in self.path:
            found = None if found is None else found.get(key)
        return found


_SIZE = "adapters_only_parameters"
BARS = (
    Bar("training_cuda", ("default", "train_step_ratio_gpu"), "training step, with reports / stock, GPU", 1.03),
    Bar("training_cuda", ("default", "vram_ratio"), "... peak memory of the GPU", 1.03),
    Bar("training_cuda", ("resenc", "train_step_ratio_gpu"), "training step, GPU, residual encoder plans", 1.03),
    Bar("training_cuda", ("resenc", "vram_ratio"), "... peak memory of the GPU", 1.03),
    Bar("kept_cpu", ("default", "kept_ratio"), "kept for the backward pass, bytes, with reports / stock", 1.03),
    Bar("kept_cpu", ("resenc", "kept_ratio"), "... residual encoder plans", 1.03),
    Bar("training_cpu", ("default", "train_step_ratio_cpu"), "training step, with reports / stock, CPU", 1.10),
    Bar("loading_cpu", ("loader_ratio",), "batches loaded in a second, with reports / stock", 0.97, True),
    Bar("prediction_cpu", ("predict_ratio_60_classes",), "prediction of 60 classes, `reportseg predict` / stock", 0.4),
    Bar("prediction_cpu", ("predict_peak_ram_ratio_60_classes",), "... peak memory", 0.5),
    Bar("prediction_cpu", ("voxels_that_agree",), "... voxels with the label of stock (skimage)", 0.999, True),
    Bar("findings_cpu", ("default", "findings_8_over_1"), "network time, 8 findings / 1, default plans", 2.5),
    Bar("findings_cpu", ("default", "findings_10_over_1"), "... 10 findings / 1", 3.0),
    Bar("findings_cpu", ("resenc", "findings_8_over_1"), "network time, 8 findings / 1, residual encoder plans", 2.5),
    Bar("findings_cpu", ("resenc", "findings_10_over_1"), "... 10 findings / 1", 3.0),
    Bar("embedding_cpu", ("embed_speedup",), "reports embedded in a second / sentence by sentence", 3.0, True),
    Bar("embedding_cpu", ("embed_second_run_seconds",), "second run over all reports, seconds", 2.0),
    Bar("startup_cpu", ("bank_open_seconds",), "opening a bank of 200,000 sentences, seconds", 0.5),
    Bar("startup_cpu", ("bank_open_mib",), "... resident MiB", 50.0),
    Bar("startup_cpu", ("help_seconds",), "`reportseg --help`, seconds", 0.3),
    Bar("startup_cpu", ("import_reader_seconds",), "import of the report reader, seconds", 0.2),
    Bar("startup_cpu", (_SIZE, "default"), "trainable parameters, `_AdaptersOnly`, default plans", 1e6),
    Bar("startup_cpu", (_SIZE, "resenc"), "... residual encoder plans", 1e6),
)


def figures(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that have a bar, by name, as far as they were measured.

    Args:
        parts: what was measured, by part and device.
    """
    return {bar.name: found for bar in BARS if (found := bar.found(parts)) is not None}


def page(parts: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        parts: what was measured, by part and device; with a ``note`` where there is more to say of it.
    """
    lines = ["| | bar | found | |", "|---|---|---|---|", *_rows(parts)]
    machines = [
        f"- {name}: {part['machine']}, {part['threads']} threads of torch, median of {part['repeats']}; "
        + ", ".join(f"{package} {version}" for package, version in part["versions"].items())
        + (f". {part['note']}" if "note" in part else "")
        for name, part in parts.items()
    ]
    return (
        "\n\n".join(
            (
                "# Time and size",
                "*Written by `benchmarks/performance.py`; all figures are in `performance.json`.*",
                "Ratios are of two things measured in turns in one run. *Stock*: nnU-Net with the same plans and data, "
                "for prediction with the same weights.",
                "\n".join(lines),
                *_beside_prompted(parts),
                *_stages(parts),
                "## Where",
                "\n".join(machines),
                _NOTES,
            )
        )
        + "\n"
    )


def _rows(parts: Mapping[str, Any]) -> Iterator[str]:
    for bar in BARS:
        found = bar.found(parts)
        sign = ">=" if bar.at_least else "<="
        verdict = "not run"
        if found is not None:
            verdict = "met" if (found >= bar.limit if bar.at_least else found <= bar.limit) else "missed"
        yield f"| {bar.about} | {sign} {bar.limit:,g} | {'-' if found is None else f'{found:,g}'} | {verdict} |"


def _beside_prompted(parts: Mapping[str, Any]) -> Iterator[str]:
    """Findings of a tile beside a network in the manner of VoxTell."""
    parts = {name: part for name, part in parts.items() if name.startswith("findings")}
    if not parts:
        return
    yield "## Findings of one tile, beside a network in the manner of VoxTell"
    yield (
        "Both have the same encoder. Ours attends to the words in the decoder and decodes some findings together; the "
        "other has a query transformer and one decoder run for each prompt, in VoxTell's sizes "
        "(`benchmarks/speed/prompted_network.py`). Random weights: only the cost is compared. FLOPs are of a tile as "
        "nnU-Net plans it, seconds and the bars' ratios of the tile that is named with them."
    )
    for name, part in parts.items():
        where = f"{name}, {' x '.join(map(str, part['patch']))}"
        lines = [
            f"| {where} | findings | ours, s | prompted, s | ratio | ours, GFLOPs at 128^3 | prompted | ratio |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for network, of in part.items():
            if not isinstance(of, Mapping) or "gflops" not in of:
                continue
            architecture = network.replace("_whole", ", `shared_stages` 0")
            for count in sorted(int(key.split()[1]) for key in of["seconds"] if key.startswith("prompted")):
                times, flops = ([of[kind][f"{net} {count}"] for net in ("ours", "prompted")] for kind in _COSTS)
                ratios = [of[f"{prefix}over_prompted_{count}"] for prefix in ("", "flops_")]
                lines.append(
                    f"| {architecture} | {count} | {times[0]:.3f} | {times[1]:.3f} | {ratios[0]:.2f} "
                    f"| {flops[0]:,.0f} | {flops[1]:,.0f} | {ratios[1]:.2f} |"
                )
        yield "\n".join(lines)


_COSTS = ("seconds", "gflops")


def _stages(parts: Mapping[str, Any]) -> Iterator[str]:
    """Steps of a prediction."""
    for name, part in parts.items():
        if "steps" not in part:
            continue
        stock, ours = part["steps"]["stock"], part["steps"]["ours"]
        yield f"## Steps of a prediction ({name})"
        yield f"One image of {' x '.join(map(str, part['shape']))} voxels, {part['classes']} classes, one process."
        rows = [f"| {step.replace('_', ' ')} | {stock[step]:.2f} | {ours[step]:.2f} |" for step in stock]
        yield "\n".join(["| seconds | stock | ours |", "|---|---|---|", *rows])


_NOTES = (
    "Training: two convolutions a stage, as nnU-Net plans them, on a CPU a smaller network without compile; both "
    "loaders draw the same augmentations. Kept: what the compiled graph of the forward pass hands to that of the "
    "backward pass, most of the memory of a step, at full size; only traced, which needs no GPU. Prediction: images of "
    "a size named in the JSON file, at a spacing of 2 x 1 x 1 mm with plans of 3 mm, a small network that was not "
    "trained, so that export decides. Findings: encoder once, decoder once for each; 24 sentences each."
)
