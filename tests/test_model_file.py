from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier import Model, ModelError, load_model
from classifier.bit_forest import BitForest
from classifier.model_file import save_model


@pytest.fixture
def folder(networked: Model, tmp_path: Path) -> Path:
    save_model(networked, tmp_path / "m")
    return tmp_path / "m"


def change(folder: Path, **fields: Any) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def repack(folder: Path, **arrays: Any) -> None:
    """Replace arrays, and make the header fit."""
    with np.load(folder / "model.npz") as stored:
        known = {**dict(stored), **arrays}
    packed = BytesIO()
    np.savez(packed, **known)
    (folder / "model.npz").write_bytes(packed.getvalue())
    change(folder, npz_sha256=sha256(packed.getvalue()).hexdigest())


def test_a_loaded_model_gives_identical_probabilities(networked: Model, folder: Path) -> None:
    dump = "Home\nThe garden was old again, and nobody who saw it was surprised.\nShare"
    first, second = networked.classify(dump), load_model(folder).classify(dump)
    assert np.array_equal(first.content_probability, second.content_probability)
    assert first.labels == second.labels


def test_the_same_model_gives_the_same_bytes(
    networked: Model, folder: Path, tmp_path: Path
) -> None:
    save_model(networked, tmp_path / "again")
    for name in ("model.npz", "model.json"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_no_temporary_files_are_left(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.npz"]


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a model directory"):
        load_model(tmp_path / "none")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 99}, "expected model format 2; found 99"),
        ({"npz_sha256": "0"}, "not the file that model.json was written with"),
        ({"features": ["chars", "gone"]}, "- gone"),
        ({"features": None}, "expected a list of feature names"),
        ({"lexicon_sha256": "0"}, "other word lists"),
        ({"decoder": {"switch_cost": "a"}}, "expected a number"),
        ({"headline_threshold": float("nan")}, "expected a number"),
        ({"presets": []}, "damaged"),
    ],
)
def test_headers_that_do_not_hold(folder: Path, fields: dict[str, Any], message: str) -> None:
    change(folder, **fields)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_left", np.array([0], np.int32)),
        ("first_feature", np.array([1.5])),
        ("second_value", np.array([np.nan])),
        ("knots", np.zeros((2, 3))),
        ("wording", np.zeros(3, np.float16)),
        ("headline_root", np.array([-1], np.int32)),
        ("first_network_low", np.zeros(3, np.float32)),
        ("first_network_offset", np.array(["a"])),
        ("second_network_weights0", np.full((8, 9), 1, np.int16)),
        ("second_network_gain2", np.array([np.nan], np.float32)),
    ],
)
def test_arrays_that_do_not_hold(folder: Path, name: str, value: Any) -> None:
    repack(folder, **{name: value})
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_half_a_network_is_none(folder: Path) -> None:
    with np.load(folder / "model.npz") as stored:
        packed = {k: v for k, v in stored.items() if k != "first_network_weights1"}
    np.savez(folder / "model.npz", **packed)
    change(folder, npz_sha256=sha256((folder / "model.npz").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="damaged; 'first_network_weights1"):
        load_model(folder)


def test_a_model_need_not_have_networks(networked: Model, tmp_path: Path) -> None:
    save_model(replace(networked, first_network=None, second_network=None), tmp_path)
    alone = load_model(tmp_path)
    assert alone.second_network is None
    lines = [["Home", "The garden was old again, and nobody who saw it was surprised."]]
    scores = alone.scores(lines)
    forest = BitForest(networked.second).scores(*scores.blocks)
    assert np.array_equal(scores.content, np.interp(forest, *networked.knots))
    assert not np.array_equal(scores.content, networked.scores(lines).content)


def test_a_pickle_in_the_arrays_is_not_run(folder: Path) -> None:
    repack(folder, knots=np.array([print], dtype=object))
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_a_bomb_is_refused(folder: Path) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("knots.npy", bytes(100 << 20))
    (folder / "model.npz").write_bytes(packed.getvalue())
    change(folder, npz_sha256=sha256(packed.getvalue()).hexdigest())
    with pytest.raises(ModelError, match="at most 64 MiB"):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"null"])
def test_headers_that_are_no_json(folder: Path, content: bytes) -> None:
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelError):
        load_model(folder)


def test_info_is_kept(networked: Model, tmp_path: Path) -> None:
    save_model(replace(networked, info={"training": {"pages": 3}}), tmp_path)
    assert load_model(tmp_path).info["training"] == {"pages": 3}
