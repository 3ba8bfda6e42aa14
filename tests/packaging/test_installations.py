"""Wheel, sdist and editable install: nnU-Net finds the trainers there, and they survive pickling and spawning.

Each is installed without dependencies into a virtual environment that borrows the running one's other packages
through links and a ``.pth`` file, so that nothing is downloaded and no second copy of ours is in reach.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = ("nnunet_reportseg", "text_conditioning", "trainers", "setup.py", "pyproject.toml", "README.md", "LICENSE")
OWN = ("nnunet_reportseg", "text_conditioning", "__editable__", "_editable_", "__pycache__")

PROBE = """
import json, multiprocessing, pickle, sys
from pathlib import Path


def unpickled_name(data):
    import pickle
    found = pickle.loads(data)
    return found.__module__ + "." + found.__qualname__


if __name__ == "__main__":
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    import nnunet_reportseg
    from nnunet_reportseg.trainer_folder import trainer_names
    from nnunet_reportseg.trainer_folder import trainer_dir

    result = {"package": nnunet_reportseg.__file__, "folder": str(trainer_dir()), "classes": {}}
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for name in trainer_names(trainer_dir()):
            found = recursive_find_trainer_class_by_name(name)
            again = recursive_find_trainer_class_by_name(name)
            data = pickle.dumps(found)
            result["classes"][name] = {
                "name": found.__module__ + "." + found.__qualname__,
                "same": found is again and pickle.loads(data) is found,
                "spawned": pool.apply(unpickled_name, (data,)),
            }
    Path(sys.argv[1]).write_text(json.dumps(result))
"""


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the package, and what was probed in it."""

    root: Path
    editable: bool

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return _site_packages(self.root)

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "nnUNet_"))}
        return subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=True,
            cwd=self.root,
            env={**kept, **variables},
        )


def _site_packages(root: Path) -> Path:
    own = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"  # "venv" came with Python 3.11
    return Path(sysconfig.get_path("purelib", own if os.name == "posix" else "nt", {"base": str(root)}))


def _sources(folder: Path) -> Path:
    """Copy the sources, so that building leaves nothing behind in the checkout."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    return folder


def _install(root: Path, target: Path, *, editable: bool = False) -> Installation:
    venv.create(root, symlinks=True, with_pip=False)
    site_packages = _site_packages(root)
    borrowed = root / "borrowed"
    borrowed.mkdir()
    for path in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))):
        for entry in Path(path).iterdir():
            if not entry.name.startswith(OWN):
                (borrowed / entry.name).symlink_to(entry)
    (site_packages / "borrowed.pth").write_text(f"{borrowed}\n")
    arguments = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
    command = ["install", *arguments, *(["--editable"] if editable else []), str(target)]
    installation = Installation(root, editable)
    installation.run(installation.python, "-m", "pip", *command)
    return installation


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build sdist and wheel, the wheel from the sdist, as a release does."""
    source = _sources(tmp_path_factory.mktemp("source") / "checkout")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, distributions: dict[str, Path]
) -> Installation:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "editable":
        return _install(root / "venv", _sources(root / "checkout"), editable=True)
    return _install(root / "venv", distributions[request.param])


def test_nnunet_finds_every_trainer_through_reportseg_env(installation: Installation) -> None:
    printed = installation.run(installation.root / "bin" / "reportseg", "env").stdout
    assert printed.startswith("export nnUNet_extTrainer=")
    probe = installation.root / "probe.py"
    probe.write_text(PROBE)
    script = f'{printed}exec "$@"'
    installation.run("sh", "-c", script, "sh", installation.python, probe, installation.root / "probed.json")
    probed = json.loads((installation.root / "probed.json").read_text())

    home = installation.root.parent / "checkout" if installation.editable else installation.site_packages
    assert Path(probed["package"]).resolve().is_relative_to(home.resolve())
    assert Path(probed["folder"]).resolve().is_relative_to(home.resolve())
    assert "ReportGuidedTrainer" in probed["classes"]
    for name, found in probed["classes"].items():
        assert found["name"].startswith("nnunet_reportseg.training.")
        assert found["name"].endswith(f".{name}")
        assert found["spawned"] == found["name"]
        assert found["same"]


def test_site_packages_gets_no_top_level_trainers(installation: Installation) -> None:
    top_level = {entry.name for entry in installation.site_packages.iterdir()}
    assert not top_level & {"trainers", "trainers.py", "tests", "benchmarks", "setup.py"}


def test_trainers_cannot_be_imported_as_a_top_level_package(installation: Installation) -> None:
    if installation.editable:
        pytest.skip("an editable installation may put the whole checkout on the path")
    code = "import importlib.util; print(importlib.util.find_spec('trainers'))"
    assert installation.run(installation.python, "-c", code).stdout.strip() == "None"


def test_distributions_hold_the_trainers_inside_the_package(distributions: dict[str, Path]) -> None:
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        names = wheel.namelist()
    assert "nnunet_reportseg/trainers/report_guided_trainer.py" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "nnunet_reportseg",
        "text_conditioning",
    }
    with tarfile.open(distributions["sdist"]) as sdist:
        packed = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {"trainers/__init__.py", "LICENSE", "pyproject.toml", "setup.py"} <= packed


def test_installed_package_has_every_source_file(distributions: dict[str, Path]) -> None:
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        names = set(wheel.namelist())
    for package in ("nnunet_reportseg", "text_conditioning"):
        for file in (REPOSITORY / package).rglob("*.py"):
            assert file.relative_to(REPOSITORY).as_posix() in names
