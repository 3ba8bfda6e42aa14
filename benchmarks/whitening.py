"""What whitening does to held-out wording: side and level read off sentences by a small probe.

    reportseg phantom --task laterality -d 503 --out raw && python benchmarks/whitening.py raw/Dataset503_ReportPhantom

For a dataset of ``reportseg phantom`` or ``reportseg implants``. A probe with the layers that a sentence passes in the
network (linear, layer norm) learns from the finding sentences of the training reports and is tested on those of the
test reports, whose templates training never saw. Whitening is fitted to all training sentences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.evaluation.paired_dataset import MANIFESTS
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.whitening import Whitening

STEPS, LEARNING_RATE, HIDDEN = 300, 2e-3, 128


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", help="raw datasets of a generator")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = FrozenTextEncoder(arguments.encoder)
    for dataset in arguments.datasets:
        table = Table(title=f"{dataset.name}: accuracy on held-out wording, mean of {arguments.seeds} seeds")
        for title in ("sentence vectors", "side", "level", "length of a test vector / training vector"):
            table.add_column(title)
        every, train, test = _sentences(dataset)
        vectors = _embed(encoder, every)
        for name, transform in _transforms(vectors).items():
            x, y = (transform(_embed(encoder, [text for text, *_ in found])) for found in (train, test))
            accuracies = []
            for attribute in (1, 2):
                labels = [torch.tensor([float(f[attribute]) for f in found]) for found in (train, test)]
                said = attribute == 1 or _level_is_written(test)
                runs = [_accuracy(x, labels[0], y, labels[1], seed) for seed in range(arguments.seeds)]
                accuracies.append(f"{sum(runs) / len(runs):.3f}" if said else "-")
            table.add_row(name, *accuracies, f"{float(y.norm(dim=1).mean() / x.norm(dim=1).mean()):.2f}")
        Console().print(table)


def _sentences(dataset: Path) -> tuple[list[str], list[tuple[str, bool, bool]], list[tuple[str, bool, bool]]]:
    """All training sentences, and those of findings with (is left, is upper), for training and test."""
    manifest: dict[str, Any] = json.loads(next(dataset / m for m in MANIFESTS if (dataset / m).is_file()).read_text())
    every: set[str] = set()
    found: dict[str, list[tuple[str, bool, bool]]] = {"train": [], "test": []}
    for split, folder in (("train", dataset), ("test", dataset / "imagesTs")):
        sidecar = Sidecar.load(folder / SIDECAR_NAME)
        for case, report in read_case_reports(sidecar, list(sidecar.case_ids)).items():
            if split == "train":
                every.update(sentence.text for sentence in report.sentences)
            test = manifest["test_cases"].get(case)
            lesions = manifest["volumes"][test["volume"] if test else case]["lesions"]
            for finding in report.findings:
                value = test["described"] if test else finding.label_values[0]
                lesion = next(lesion for lesion in lesions if lesion["value"] == value)
                text = " ".join(report.sentences[i].text for i in finding.sentences)
                found[split].append((text, lesion["side"] == "left", lesion["level"] == "upper"))
    return sorted(every), found["train"], found["test"]


def _level_is_written(test: list[tuple[str, bool, bool]]) -> bool:
    return all("upper" in text.lower() or "lower" in text.lower() for text, *_ in test)


def _transforms(vectors: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
    mean = vectors.double().mean(dim=0)
    centred = vectors.double() - mean
    values, directions = torch.linalg.eigh(centred.T @ centred / (len(vectors) - 1))
    values = values.clamp(min=0)
    shrunk = (directions * (values + 0.02 * values[-1]).rsqrt()) @ directions.T
    ours = Whitening(vectors.shape[1])
    ours.fit(vectors)
    return {
        "centred": lambda x: (x.double() - mean).float(),
        "whitened, covariance + 0.02 of the largest eigenvalue": lambda x: ((x.double() - mean) @ shrunk).float(),
        "whitened with the Wiener filter (used)": ours,
    }


def _embed(encoder: FrozenTextEncoder, texts: list[str]) -> Tensor:
    return torch.from_numpy(encoder.encode(texts).astype("float32"))


def _accuracy(x: Tensor, labels: Tensor, y: Tensor, test_labels: Tensor, seed: int) -> float:
    torch.manual_seed(seed)
    probe = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.LayerNorm(HIDDEN), nn.Linear(HIDDEN, 1))
    optimizer = torch.optim.AdamW(probe.parameters(), LEARNING_RATE, weight_decay=1e-2)
    for _ in range(STEPS):
        loss = nn.functional.binary_cross_entropy_with_logits(probe(x)[:, 0], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(((probe(y)[:, 0] > 0) == (test_labels > 0.5)).float().mean())


if __name__ == "__main__":
    main()
