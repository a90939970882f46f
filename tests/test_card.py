from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import invented_pages, small_recipe
from training import card, evaluate, fit
from training.labeled import write_jsonl


def test_the_card_says_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "Recipe", small_recipe)
    data, model, figures = tmp_path / "d.jsonl", tmp_path / "m", tmp_path / "figures"
    write_jsonl(data, invented_pages())
    assert fit.main([str(data), "--out", str(model), "--figures", str(figures)]) == 0
    check = tmp_path / "check.json"
    assert evaluate.main([str(model), str(data), "--json", str(check)]) == 0
    (model / "notes.md").write_text("# A model\n", encoding="utf-8")
    assert card.main([str(model), str(figures / "own.json"), "--check", f"again={check}"]) == 0
    text = (model / "card.md").read_text(encoding="utf-8")
    report = json.loads((figures / "own.json").read_text(encoding="utf-8"))
    value = report["total"]["figures"]["word_f1"]["value"]
    assert text.startswith("# A model\n")
    assert f"| page word F1 | {value:.4f} (" in text
    gain = value - report["info"]["threshold"]["word_f1"]
    assert f"| {value:.4f} | {gain:+.4f} |" in text
    assert "## Check: again" in text
    assert "| article | 12 |" not in text  # one type only: no breakdown by type


def test_pages_of_sites_that_were_seen_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "Recipe", small_recipe)
    pages = invented_pages()
    for name, chosen in (("all", pages), ("some", [p for p in pages if p.site == "s1.example"])):
        write_jsonl(tmp_path / f"{name}.jsonl", chosen)
    everything, some = str(tmp_path / "all.jsonl"), str(tmp_path / "some.jsonl")
    assert fit.main([everything, "--out", str(tmp_path / "m")]) == 0
    assert evaluate.main([str(tmp_path / "m"), everything, "--unseen-by", some]) == 0
    assert "9 pages of 3 sites" in capsys.readouterr().out
    assert evaluate.main([str(tmp_path / "m"), some, "--unseen-by", everything]) == 2
