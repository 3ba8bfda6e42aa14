"""``reportseg info``: what is installed and what has been built, without loading torch."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Annotated, Any

import typer

PACKAGES = (
    "nnunetv2",
    "torch",
    "transformers",
    "dynamic-network-architectures",
    "batchgenerators",
    "batchgeneratorsv2",
    "SimpleITK",
    "numpy",
    "pydantic",
    "safetensors",
)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show versions, text encoders, trainers and the embedding banks found."""
    facts = collect()
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        _print_tables(facts)


def collect() -> dict[str, Any]:
    """Gather what the command shows, as plain JSON values."""
    from nnunet_reportseg.compatibility import SUPPORTED_NNUNET, require_supported_nnunet
    from nnunet_reportseg.errors import VersionError
    from nnunet_reportseg.trainer_folder import trainer_dir, trainer_names
    from nnunet_reportseg.version import __version__

    try:
        require_supported_nnunet()
        problem = None
    except VersionError as error:
        problem = str(error)
    versions = {"nnunet-reportseg": __version__, "python": platform.python_version()}
    return {
        "versions": versions | {name: _version(name) for name in PACKAGES},
        "nnunet_supported": SUPPORTED_NNUNET,
        "nnunet_problem": problem,
        "encoders": _encoders(),
        "trainer_folder": str(trainer_dir()),
        "trainers": trainer_names(trainer_dir()),
        "banks": _banks(),
    }


def _version(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _encoders() -> list[dict[str, Any]]:
    from text_conditioning.registry import DEFAULT_ENCODER, ENCODERS, resolve

    rows = []
    for name, choice in ENCODERS.items():
        source, _ = resolve(name)
        rows.append(
            {
                "name": name,
                "default": name == DEFAULT_ENCODER,
                "hub_id": choice.hub_id,
                "pooling": choice.pooling,
                "dim": choice.dim,
                "licence": choice.licence_note,
                "installed": Path(source).is_dir() or _in_hub_cache(choice.hub_id),
            }
        )
    return rows


def _in_hub_cache(hub_id: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(hub_id, "config.json"), str)


def _banks() -> list[dict[str, Any]]:
    from nnunet_reportseg.paths import PREPROCESSED

    root = os.environ.get(PREPROCESSED, "")
    if not root or not Path(root).is_dir():
        return []
    from text_conditioning.bank import EmbeddingBank

    return [
        {
            "dataset": folder.parent.name,
            "encoder": bank.encoder,
            "fingerprint": bank.fingerprint,
            "dim": bank.dim,
            "sentences": bank.count,
        }
        for folder in sorted(Path(root).glob("Dataset*/report_embeddings"))
        for bank in EmbeddingBank.available(folder)
    ]


def _print_tables(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    versions = Table("package", "version")
    for name, version in facts["versions"].items():
        versions.add_row(name, version or "not installed")
    console.print(versions)
    if facts["nnunet_problem"]:
        console.print(facts["nnunet_problem"], style="red", markup=False)
    encoders = Table("encoder", "pooling", "size", "here")
    for row in facts["encoders"]:
        name = f"{row['name']} (default)" if row["default"] else row["name"]
        here = "yes" if row["installed"] else "no"
        encoders.add_row(name, row["pooling"], str(row["dim"]), here)
    console.print(encoders)
    for row in facts["encoders"]:
        line = f"{row['name']}: {row['hub_id']}; {row['licence']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    trainers = Table(f"trainers in {facts['trainer_folder']}")
    for name in facts["trainers"]:
        trainers.add_row(name)
    console.print(trainers)
    banks = Table("dataset", "encoder", "fingerprint", "size", "sentences", title="embedding banks")
    for bank in facts["banks"]:
        banks.add_row(bank["dataset"], bank["encoder"], bank["fingerprint"], str(bank["dim"]), str(bank["sentences"]))
    console.print(banks if facts["banks"] else "no embedding banks found (nnUNet_preprocessed)")
