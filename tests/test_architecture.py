"""Who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALONE = {"page", "span", "characters", "decoder", "trees"}
FOLDERS = ("classifier", "training", "tests")
HEAVY = {"sklearn", "scipy", "rich", "training", "pandas"}


def imports(path: Path) -> set[str]:
    """Names of modules that a file imports, ours as ``.name``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {f".{name}" for name in names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "classifier").glob("*.py")), ids=lambda p: p.stem)
def test_run_time_imports_nothing_heavy(path: Path) -> None:
    assert not imports(path) & HEAVY


@pytest.mark.parametrize("name", sorted(ALONE))
def test_foundations_import_nothing_of_ours(name: str) -> None:
    found = imports(ROOT / "classifier" / f"{name}.py")
    assert not {module for module in found if module.startswith(".")}


def test_only_the_model_knows_features_trees_and_decoder() -> None:
    parts = {".features", ".trees", ".decoder"}
    knowing = {p.stem for p in (ROOT / "classifier").glob("*.py") if parts <= imports(p)}
    assert knowing == {"model", "model_file"}


@pytest.mark.parametrize(
    "path",
    [
        p
        for folder in ("classifier", "training", "tests")
        for p in sorted((ROOT / folder).glob("*.py"))
    ],
    ids=lambda p: f"{p.parent.name}/{p.name}",
)
def test_files_stay_legible(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
