"""The folder nnU-Net searches holds re-exports only, in the checkout and wherever it is installed."""

from __future__ import annotations

import ast
import sys
from types import ModuleType

import pytest
from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

from nnunet_reportseg.inference.redispatch import install_redispatch
from nnunet_reportseg.trainer_folder import require_trainer, trainer_dir


def test_folder_is_a_package_that_defines_nothing() -> None:
    """Define nothing there: nnU-Net drops its modules after each look-up, so their classes cannot be pickled."""
    modules = sorted(trainer_dir().glob("*.py"))
    assert {"__init__.py"} < {module.name for module in modules}
    for module in modules:
        for statement in ast.parse(module.read_text(encoding="utf-8")).body:
            docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            exports = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
            absolute = isinstance(statement, ast.ImportFrom) and statement.level == 0
            assert docstring or exports or absolute, f"{module.name}: {ast.unparse(statement)}"


def test_folder_is_not_the_root_with_setup_py() -> None:
    assert not (trainer_dir() / "setup.py").exists()


@pytest.mark.parametrize("search", [require_trainer, recursive_find_trainer_class_by_name])
@pytest.mark.parametrize("looked_at", ["__file__", "__path__"])
def test_a_trainer_is_found_beside_modules_that_load_others_when_looked_at(monkeypatch, looked_at, search) -> None:
    class Lazy(ModuleType):
        """Loads another module, which loads another."""

        def __getattr__(self, name: str) -> str:
            if name != looked_at:
                raise AttributeError(name)
            if self.depth:
                monkeypatch.setitem(sys.modules, f"{self.__name__}_next", Lazy(f"{self.__name__}_next", self.depth - 1))
            return "elsewhere"

        def __init__(self, name: str, depth: int) -> None:
            super().__init__(name)
            self.depth = depth

    monkeypatch.setenv("nnUNet_extTrainer", str(trainer_dir()))
    monkeypatch.setitem(sys.modules, "lazy", Lazy("lazy", 3))
    install_redispatch()
    assert search("ReportGroundingTrainer").__name__ == "ReportGroundingTrainer"
