"""The command ``python -m training.fit PAGES --base MODEL --out DIR``: teach a model sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.model_file import load_model, save_model
from training.evaluate import data_hash
from training.labeled import read_pages
from training.metrics import page_sums
from training.progress import progress_bar
from training.records import page_name
from training.teach import Checked, check, learn, lessons

__all__ = ["teach"]


def teach(paths: Sequence[Path], base: Path, out: Path) -> None:
    """Teach a saved model the sites of labelled pages, and save it with what it learned.

    Parameters
    ----------
    paths : sequence of Path
        Labelled pages.
    base : Path
        The model's directory; what it was taught before is left behind.
    out : Path
        The directory of the taught model.

    Raises
    ------
    ModelError, LabeledDataError, ValueError, OSError
        If the base or the pages cannot be used, or the model not be written.
    """
    pages = read_pages(paths)
    model = replace(load_model(base), correction=None)
    with progress_bar("teaching", 2 * len(pages)) as tick:
        taught = lessons(model, pages, tick)
        correction = learn(taught)
        checked = list(check(model, taught, tick))
    said = {
        "base_npz_sha256": model.info["npz_sha256"],
        "data_sha256": data_hash(paths),
        "pages": len({page_name(page) for page in pages}),
        "sites": sorted({page.site for page in pages}),
        **_report(checked),
    }
    _tell_alone([x.page.site for x in taught], checked)
    save_model(replace(model, correction=correction, info={**model.info, "taught": said}), out)
    print(f"wrote {out}/model.npz and model.json")


def _report(checked: Sequence[Checked]) -> dict[str, Any]:
    """Print the word F1 of each page before and after, and return the means."""
    if not checked:
        return {}
    print("word F1 of each page, before and after a lesson from the site's other pages")
    sums = []
    for item in checked:
        f1 = [float(page_sums(item.page, x)["words"][2]) for x in (item.before, item.after)]
        unknown = "" if item.trust else "   not recognised as the site's"
        print(f"  {f1[0]:.3f}  {f1[1]:.3f}  {item.page.id}{unknown}")
        sums.append(f1)
    before, after = (sum(column) / len(sums) for column in zip(*sums, strict=True))
    print(f"  {before:.3f}  {after:.3f}  mean of {len(sums)}")
    if after < before:
        print("on these pages the lesson does harm: label more of them, or keep the base")
    return {"left_out": {"pages": len(sums), "before": round(before, 4), "after": round(after, 4)}}


def _tell_alone(sites: Sequence[str], checked: Sequence[Checked]) -> None:
    """Say which sites have one page, so that there was nothing to check the lesson on."""
    known = {item.page.site for item in checked}
    alone = [site for site in Counter(sites) if site not in known]
    if alone:
        named = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        print(f"one labelled page of {named}: nothing could be checked there")
