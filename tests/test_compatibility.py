"""nnU-Net versions outside the supported range are refused by name."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from nnunet_reportseg.compatibility import SUPPORTED_NNUNET, require_supported_nnunet
from nnunet_reportseg.errors import VersionError


def _installed(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(metadata, "version", lambda package: version)


@pytest.mark.parametrize("version", ["2.8", "2.8.0", "2.8.1", "2.8.99", "2.8.2.dev0", "2.8.1+local"])
def test_accepts_the_supported_minor_version(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, version)
    assert require_supported_nnunet() == version


@pytest.mark.parametrize(
    ("version", "age"), [("2.7.1", "old"), ("1.9", "old"), ("2.9", "new"), ("2.10.0", "new"), ("3.0.0rc1", "new")]
)
def test_refuses_other_versions_by_name(version: str, age: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, version)
    with pytest.raises(VersionError, match=rf"too {age}.*'{version}'.*Fix: pip install \"nnunetv2>=2\.8,<2\.9\""):
        require_supported_nnunet()


def test_refuses_a_version_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, "unknown")
    with pytest.raises(VersionError, match=r"'unknown'.*Fix: pip install"):
        require_supported_nnunet()


def test_says_when_nnunet_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(VersionError, match=r"not installed.*Fix: pip install"):
        require_supported_nnunet()


def test_range_is_the_one_that_is_installed_with_the_package() -> None:
    pyproject = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"nnunetv2{SUPPORTED_NNUNET}"' in pyproject
