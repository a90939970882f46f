"""Speed beside extractors that read the HTML: ``python -m training.bench --data DIR``.

The folder holds ``wcxb_dev.jsonl.gz`` and ``html_sample/PAGE.html.gz``, the HTML of some of its
pages. All are timed in one process, one thread, after a warm-up, on the same pages, in turns.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from classifier import load_model
from training.labeled import read_pages

__all__ = ["main"]

_COLD = "import numpy"
_PEAK = """
from pathlib import Path
from classifier.__main__ import main
main(["clean", {path!r}])
status = Path("/proc/self/status").read_text()  # getrusage would count the parent before exec
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def rates(works: Mapping[str, Callable[[], object]], pages: int, rounds: int) -> dict[str, float]:
    """Return the pages per second of each work's best round.

    They take turns, so that a slow minute of the machine is everybody's; a first round warms up.
    """
    best = dict.fromkeys(works, float("inf"))
    for turn in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return {name: pages / time_taken for name, time_taken in best.items()}


def seconds(command: Sequence[str], rounds: int = 7) -> float:
    """Return the shortest time that a command takes in a process of its own."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - start)
    return min(found)


def load(folder: Path, limit: int) -> tuple[list[str], list[str]]:
    """Return the dumps of the sampled pages and their HTML."""
    dumps = {
        page.id.partition("/")[2].removesuffix("#wet"): page.text
        for page in read_pages([folder / "wcxb_dev.jsonl.gz"])
        if page.id.endswith("#wet")
    }
    names = [path.name.removesuffix(".html.gz") for path in (folder / "html_sample").iterdir()]
    names = sorted(name for name in names if name in dumps)[:limit]
    html = [gzip.decompress((folder / "html_sample" / f"{n}.html.gz").read_bytes()) for n in names]
    return [dumps[name] for name in names], [x.decode("utf-8", "replace") for x in html]


def warm(dumps: Sequence[str], html: Sequence[str], rounds: int) -> dict[str, float]:
    """Return pages per second, by name."""
    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text

    model = load_model()
    batches = [dumps[start : start + 50] for start in range(0, len(dumps), 50)]
    works: dict[str, Callable[[], object]] = {
        "linesift, batches of 50": lambda: [list(model.classify_many(x)) for x in batches],
        "linesift, page by page": lambda: [model.classify(x) for x in dumps],
        "resiliparse main_content": lambda: [
            extract_plain_text(x, main_content=True) for x in html
        ],
        "trafilatura": lambda: [trafilatura.extract(x) for x in html],
    }
    return rates(works, len(dumps), rounds)


def rates_table(found: dict[str, float], pages: int) -> Table:
    """Return the pages per second as a table, beside those of linesift in batches."""
    ours = found["linesift, batches of 50"]
    table = Table(title=f"{pages} pages, one process, one thread, warm", title_justify="left")
    for name in ("extractor", "pages/s", "ms/page", "linesift is … times as fast"):
        table.add_column(name, justify="left" if name == "extractor" else "right")
    for name, value in found.items():
        table.add_row(name, f"{value:.0f}", f"{1000 / value:.2f}", f"{ours / value:.2f}")
    return table


def cold() -> list[str]:
    """Measure one page in a process of its own; return sentences."""
    example = str(Path(__file__).parent.parent / "examples" / "dump.txt")
    clean = seconds([sys.executable, "-m", "classifier", "clean", example])
    empty = seconds([sys.executable, "-c", _COLD])
    told = [f"cold: linesift clean {1000 * clean:.0f} ms, import numpy {1000 * empty:.0f} ms"]
    if Path("/proc/self/status").exists():
        command = [sys.executable, "-c", _PEAK.format(path=example)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told.append(f"peak memory for one page: {int(done.stdout.split()[-1]) / 1024:.0f} MiB")
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m training.bench", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="DIR")
    parser.add_argument("--limit", type=int, default=150, help="pages (default 150)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if not (options.data / "html_sample").is_dir():
        print(f"training.bench: {options.data}: expected html_sample and wcxb_dev.jsonl.gz there",
              file=sys.stderr)  # fmt: skip
        return 2
    dumps, html = load(options.data, options.limit)
    console = Console()
    console.print(rates_table(warm(dumps, html, options.rounds), len(dumps)))
    for sentence in cold():
        console.print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
