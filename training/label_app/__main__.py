"""Label dumps in the browser: ``python -m training.label_app DUMPS... --out labeled/mysite``."""

from __future__ import annotations

import argparse
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from classifier.model_file import ModelError, load_model
from training.label_app.session import Session, open_session
from training.labeled import LabeledDataError

__all__ = ["main", "serve"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.label_app",
        description="Label dumps in the browser. The page can be reached from this machine only.",
    )
    parser.add_argument("dumps", nargs="+", metavar="DUMP", type=Path,
                        help="text dumps, or folders of them; labelled ones are gone over "
                        "again")  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, metavar="DIR",
                        help="the folder for the labelled dumps")  # fmt: skip
    parser.add_argument("--model", metavar="DIR",
                        help="the model that labels beforehand (the shipped one)")  # fmt: skip
    parser.add_argument("--next", action="store_true", dest="useful_first",
                        help="first the pages that the model would learn most from")  # fmt: skip
    parser.add_argument("--budget", type=int, metavar="N",
                        help="ask for N lines, those that it would learn most from")  # fmt: skip
    parser.add_argument("--port", type=int, default=0, help="(default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    return parser


def serve(session: Session, port: int = 0, open_browser: bool = False) -> None:
    """Serve the labelling page until it is interrupted.

    Parameters
    ----------
    session : Session
    port : int
        0 for a free one.
    open_browser : bool

    Raises
    ------
    ModuleNotFoundError
        If the extra is missing.
    OSError
        If the port is taken.
    """
    from training.label_app.server import make_server

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        server, address = make_server(session, listener)
        pages = len(session.pages)
        print(f"{pages} {'page' if pages == 1 else 'pages'} to label at\n\n  {address}\n")
        print("Every label is saved as it is given; Ctrl+C ends this.", flush=True)
        if open_browser:
            webbrowser.open(address)
        server.run(sockets=[listener])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        session = open_session(
            options.dumps, options.out, load_model(options.model),
            useful_first=options.useful_first, budget=options.budget,
        )  # fmt: skip
        serve(session, options.port, not options.no_browser)
    except KeyboardInterrupt:
        pass
    except ModuleNotFoundError as error:
        print(f"training.label_app: expected the module {error.name!r}; "
              "pip install 'linesift[label]'", file=sys.stderr)  # fmt: skip
        return 2
    except (LabeledDataError, ModelError, ValueError, OSError, OverflowError) as error:
        print(f"training.label_app: {error}", file=sys.stderr)
        return 2
    print(f"saved in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
