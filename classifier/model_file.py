"""Save and load a model directory: ``model.npz`` with plain arrays and ``model.json`` beside it.

Nothing in it is code, nothing is a pickle, and all of it is checked before use.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .array_file import Arrays, pack_arrays, replace_file, unpack_arrays
from .correction import Correction
from .decoder import Decoder
from .features import FEATURE_NAMES
from .kinds import KINDS, Kinds
from .lexicon import lexicon_hash
from .model import Model, Preset
from .network import Network
from .scoring import HEADLINE_NAMES, SECOND_NAMES
from .trees import Trees

__all__ = ["FORMAT", "ModelError", "load_model", "save_model"]

FORMAT = 2
"""Version of the format of the model directory."""

_FORESTS = {
    "first": FEATURE_NAMES,
    "first_headline": FEATURE_NAMES,
    "second": SECOND_NAMES,
    "headline": HEADLINE_NAMES,
}
_NETWORKS = {"first_network": FEATURE_NAMES, "second_network": SECOND_NAMES}
_MAX_BYTES = 64 << 20


class ModelError(ValueError):
    """A model directory that cannot be used; the message says why, in one sentence."""


def _shipped() -> Path:
    here = Path(__file__).parent
    inside = here / "models" / "default"
    return inside if inside.is_dir() else here.parent / "models" / "default"


def save_model(model: Model, path: str | Path) -> None:
    """Write a model directory; files that exist are replaced whole.

    Parameters
    ----------
    model : Model
    path : str or Path
        The directory, made where it is missing.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    packed = pack_arrays(_arrays(model))
    header = {
        "format": FORMAT,
        "features": list(FEATURE_NAMES),
        "second_features": list(SECOND_NAMES),
        "lexicon_sha256": lexicon_hash(),
        "decoder": asdict(model.decoder),
        "headline_threshold": model.headline_threshold,
        "presets": {name: asdict(preset) for name, preset in model.presets.items()},
        "npz_sha256": sha256(packed).hexdigest(),
    }
    # what a loaded model says beside holds its old header, too
    text = json.dumps({**header, **model.info, **header}, indent=1, ensure_ascii=False) + "\n"
    replace_file(folder / "model.npz", packed)
    replace_file(folder / "model.json", text.encode("utf-8"))


def _arrays(model: Model) -> Arrays:
    arrays: Arrays = {"wording": model.wording.astype(np.float16), "knots": model.knots}
    arrays["kind_weights"] = model.kinds.weights.astype(np.float16)
    arrays["kind_bias"] = model.kinds.bias
    for name in (*_FORESTS, *_NETWORKS):
        if (part := getattr(model, name)) is not None:
            arrays |= part.to_arrays(f"{name}_")
    if model.correction:
        arrays |= {f"correction_{name}": x for name, x in vars(model.correction).items()}
        arrays["correction_weights"] = model.correction.weights.astype(np.float16)
    return arrays


def load_model(path: str | Path | None = None) -> Model:
    """Load a model.

    Parameters
    ----------
    path : str or Path, optional
        A model directory; the shipped model where none is given.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If the directory is missing or what it holds is damaged, of another format, or made for
        other features.

    Examples
    --------
    >>> model = load_model()
    >>> sorted(model.presets)
    ['balanced', 'precision', 'recall']
    """
    folder = _shipped() if path is None else Path(path)
    try:
        packed = _read(folder / "model.npz")
        header = json.loads(_read(folder / "model.json"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder}: expected a model directory; {error}") from None
    try:
        _check_header(header, packed, folder)
        return _build(header, packed)
    except ModelError:
        raise
    except Exception as error:  # whatever a hostile file makes NumPy or the checks stumble over
        raise ModelError(f"{folder}: the model is damaged; {error}") from None


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MAX_BYTES:
        raise ModelError(f"{path}: expected at most {_MAX_BYTES >> 20} MiB")
    return path.read_bytes()


def _check_header(header: Any, packed: bytes, folder: Path) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        found = header.get("format") if isinstance(header, dict) else type(header).__name__
        raise ModelError(f"{folder}: expected model format {FORMAT}; found {found}")
    if header.get("npz_sha256") != sha256(packed).hexdigest():
        raise ModelError(f"{folder}: model.npz is not the file that model.json was written with")
    for key, names in (("features", FEATURE_NAMES), ("second_features", SECOND_NAMES)):
        _check_names(header.get(key), names, folder)
    if header.get("lexicon_sha256") != lexicon_hash():
        raise ModelError(f"{folder}: the model was trained with other word lists; train it again")


def _build(header: dict[str, Any], packed: bytes) -> Model:
    arrays = unpack_arrays(packed, _MAX_BYTES)
    parts: dict[str, Any] = dict.fromkeys(_NETWORKS)
    for kind, named in ((Trees, _FORESTS), (Network, _NETWORKS)):
        for name, names in named.items():
            if name in _FORESTS or f"{name}_low" in arrays:
                parts[name] = kind.from_arrays(arrays, f"{name}_")
                parts[name].validate(len(names))
    rest = {k: v for k, v in header.items() if k not in ("features", "second_features")}
    return Model(
        **parts,
        wording=_wording(arrays["wording"]),
        kinds=_kinds(arrays["kind_weights"], arrays["kind_bias"]),
        knots=_knots(arrays["knots"]),
        decoder=Decoder(**{k: _number(v) for k, v in header["decoder"].items()}),
        headline_threshold=_number(header["headline_threshold"]),
        presets={
            name: Preset(**{k: _number(v) for k, v in preset.items()})
            for name, preset in header["presets"].items()
        },
        info=rest,
        correction=_correction(arrays),
    )


def _check_names(found: Any, expected: tuple[str, ...], folder: Path) -> None:
    if found == list(expected):
        return
    if not isinstance(found, list):
        raise ModelError(f"{folder}: expected a list of feature names; found {found!r}")
    gone = [f"- {name}" for name in found if name not in expected]
    new = [f"+ {name}" for name in expected if name not in found]
    what = "\n".join([*gone, *new]) or "the same names in another order"
    raise ModelError(
        f"{folder}: the model was trained on other features (- its own, + this version's); "
        f"train it again\n{what}"
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"expected a number, found {value!r}")
    return float(value)


def _wording(weights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    size = len(weights) if weights.ndim == 1 else 0
    if weights.dtype != np.float16 or size < 2 or size & (size - 1):
        raise ValueError("expected word weights of float16, as many as a power of two")
    if not np.isfinite(weights).all():
        raise ValueError("expected finite word weights")
    return weights.astype(np.float32)


def _correction(arrays: Arrays) -> Correction | None:
    names = [field.name for field in fields(Correction)]
    if not any(f"correction_{name}" in arrays for name in names):
        return None
    weights, lines, pairs, sites = (arrays[f"correction_{name}"] for name in names)
    for hashes in (lines, pairs):
        if hashes.dtype != np.uint64 or hashes.ndim != 1 or (hashes[1:] <= hashes[:-1]).any():
            raise ValueError("expected the lines of taught sites as uint64, in rising order")
    if sites.dtype != np.uint16 or sites.shape != pairs.shape:
        raise ValueError("expected the sites of the taught pairs as uint16, one each")
    return Correction(_wording(weights), lines, pairs, sites)


def _kinds(weights: npt.NDArray[Any], bias: npt.NDArray[Any]) -> Kinds:
    count = len(KINDS)
    if weights.ndim != 2 or len(weights) != count or bias.shape != (count,):
        raise ValueError(f"expected weights and a bias for each of {count} kinds of pages")
    if bias.dtype != np.float64 or not np.isfinite(bias).all():
        raise ValueError("expected finite biases of float64 for the kinds of pages")
    return Kinds(np.stack([_wording(row) for row in weights]), bias)


def _knots(knots: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    good = knots.dtype == np.float64 and knots.ndim == 2 and knots.shape[0] == 2 and knots.shape[1]
    if not good or not np.isfinite(knots).all():
        raise ValueError("expected two rows of finite numbers for the calibration")
    if (np.diff(knots[0]) <= 0).any() or (np.diff(knots[1]) < 0).any():
        raise ValueError("expected a calibration that rises")
    if knots[1].min() < 0 or knots[1].max() > 1:
        raise ValueError("expected a calibration to probabilities")
    return knots
