"""Stacks: the same frames give the same signal in every file, and a damaged or hostile file is refused by name."""

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs
from ecodyn.logs.npy import NpyFrames, open_npy

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.numpy").save_file

T, P, D = 12, 7, 4
STEPS = 5 * np.arange(T)
FRAMES = np.random.default_rng(3).standard_normal((T, P, D))
EVERY_5 = LogOptions(interval=5)


def signal(frames):
    return np.linalg.norm(np.fft.fft(frames, axis=1), axis=-1)[:, 1 : P // 2 + 1]


def as_npy(path, frames=FRAMES):
    np.save(path, frames)


def as_npz(path, frames=FRAMES):
    np.savez(path, embeddings=frames, steps=STEPS)


def as_compressed_npz(path, frames=FRAMES):
    np.savez_compressed(path, embeddings=frames, steps=STEPS)


def as_safetensors(path, frames=FRAMES):
    save_file({"embeddings": frames, "steps": STEPS}, path)


def as_pt(path, frames=FRAMES):
    torch.save({"embeddings": torch.tensor(frames), "steps": torch.tensor(STEPS)}, path)


WRITERS = [
    (as_npy, "npy", EVERY_5),
    (as_npz, "npz", None),
    (as_compressed_npz, "npz", None),
    (as_safetensors, "safetensors", None),
    (as_pt, "pt", None),
]
writers = pytest.mark.parametrize(("write", "suffix", "options"), WRITERS, ids=[w.__name__ for w, _, _ in WRITERS])


def refusal(path, options=EVERY_5):
    with pytest.raises(UnusableDataError) as caught:
        extract(path, options=options)
    assert str(path) in str(caught.value)
    return str(caught.value)


def run(path, request=None, options=None):
    found = extract(path, request or Request(p=P), options=options)
    return np.asarray(found.values[0]), np.asarray(found.times[0])


# ---------------------------------------------------------------------------------------------------- what is read


@writers
@pytest.mark.parametrize("every", [1, 3])
def test_every_format_gives_the_same_signal(tmp_path, write, suffix, options, every):
    path = tmp_path / f"run.{suffix}"
    write(path)
    values, steps = run(path, Request(p=P, every=every), options)
    np.testing.assert_allclose(values, signal(FRAMES)[::every], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(steps, STEPS[::every])


@writers
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "int16"])
def test_types_are_widened_not_cut(tmp_path, write, suffix, options, dtype):
    path = tmp_path / f"run.{suffix}"
    frames = (10 * FRAMES).astype(dtype)
    write(path, frames)
    np.testing.assert_allclose(run(path, None, options)[0], signal(frames.astype(np.float64)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("frames", [np.asfortranarray(FRAMES), FRAMES.astype(">f8")], ids=["fortran", "big-endian"])
def test_order_in_memory_does_not_matter(tmp_path, frames):
    np.save(tmp_path / "run.npy", frames)
    np.testing.assert_allclose(run(tmp_path / "run.npy", None, EVERY_5)[0], signal(FRAMES), rtol=0, atol=1e-10)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_bfloat16(tmp_path, suffix):
    path, frames = tmp_path / f"run.{suffix}", torch.tensor(FRAMES).to(torch.bfloat16)
    tensors = {"embeddings": frames, "steps": torch.tensor(STEPS)}
    if suffix == "pt":
        torch.save(tensors, path)
    else:
        pytest.importorskip("safetensors.torch").save_file(tensors, path)
    np.testing.assert_allclose(run(path)[0], signal(frames.double().numpy()), rtol=0, atol=1e-10)


def test_arrays_of_objects_beside_the_frames_are_left_out(tmp_path):
    np.savez(tmp_path / "run.npz", embeddings=FRAMES, steps=STEPS, note=np.array({"a": 1}, dtype=object))
    (log,) = open_logs(tmp_path / "run.npz")
    assert sorted(log.arrays) == ["embeddings", "steps"]


@given(rows=st.sets(st.integers(0, T - 1)).map(sorted))
@pytest.mark.parametrize("write", [as_npy, as_npz, as_compressed_npz, as_safetensors])
def test_scattered_rows(tmp_path_factory, write, rows):
    suffix = {as_npy: "npy", as_safetensors: "safetensors"}.get(write, "npz")
    path = tmp_path_factory.getbasetemp() / f"{write.__name__}.{suffix}"
    if not path.exists():
        write(path)
    (log,) = open_logs(path, EVERY_5)
    np.testing.assert_array_equal(log.frames.read(np.array(rows, dtype=np.int64)), FRAMES[rows])


def test_plain_rows_are_read_from_the_file(tmp_path):
    as_npy(tmp_path / "run.npy")
    frames = open_npy(tmp_path / "run.npy")
    assert isinstance(frames, NpyFrames)
    assert (frames.shape, frames.dtype) == (FRAMES.shape, FRAMES.dtype)


# ------------------------------------------------------------------------------------------------ what is refused


def test_no_times(tmp_path):
    as_npy(tmp_path / "run.npy")
    assert "--interval" in refusal(tmp_path / "run.npy", None)


def test_missing_key_lists_what_there_is(tmp_path):
    as_npz(tmp_path / "run.npz")
    said = refusal(tmp_path / "run.npz", LogOptions(key="weights"))
    assert all(word in said for word in ("weights", "embeddings", "steps", "--key"))


def test_steps_of_another_length(tmp_path):
    np.savez(tmp_path / "run.npz", embeddings=FRAMES, steps=STEPS[:-1])
    assert "11" in refusal(tmp_path / "run.npz")


def test_objects_are_refused_and_not_unpickled(tmp_path):
    np.save(tmp_path / "run.npy", np.array([{}, {}], dtype=object))
    said = refusal(tmp_path / "run.npy")
    assert "objects" in said
    assert "allow_pickle" not in said


def header(shape, descr="<f8"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "pt"])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git-lfs"),
        (b"step,loss\n0,1.5\n", ""),
        (b"\x93NUMPY\x01\x00", ""),
        (b"PK\x03\x04", ""),
    ],
    ids=["empty", "pointer", "text", "npy signature", "zip signature"],
)
def test_what_is_no_such_file(tmp_path, suffix, content, word):
    path = tmp_path / f"run.{suffix}"
    path.write_bytes(content)
    assert word in refusal(path)


@pytest.mark.parametrize(
    "shape", [(10**9, P, D), (10**30, P, D), (10**18, 0, D), (-T, P, D), (-T, -P, D), (0, P, D)], ids=str
)
def test_made_up_shapes(tmp_path, shape):
    (tmp_path / "run.npy").write_bytes(header(shape) + bytes(FRAMES.nbytes))
    refusal(tmp_path / "run.npy")


@pytest.mark.parametrize("text", [b"{'descr': '<f8', 'shape': (1,", b"-" * 9000, b"(" * 9000, b"{}", b"\xff"], ids=len)
def test_damaged_headers(tmp_path, text):
    (tmp_path / "run.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64))
    assert "header" in refusal(tmp_path / "run.npy")


@writers
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.97])
def test_truncated(tmp_path, write, suffix, options, share):
    path = tmp_path / f"run.{suffix}"
    write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refusal(path)


def test_damage_in_the_middle_of_compressed_frames(tmp_path):
    path = tmp_path / "run.npz"
    as_compressed_npz(path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 40] = bytes(40)
    path.write_bytes(whole)
    refusal(path)


def npy_bytes(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["../x.npy", "/x.npy", "a/../../x.npy", "..\\x.npy"])
def test_members_that_leave_their_folder(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "run.npz", "w") as archive:
        archive.writestr(name, npy_bytes(FRAMES))
    refusal(tmp_path / "run.npz")


def test_members_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "run.npz", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(2):
            archive.writestr("embeddings.npy", npy_bytes(FRAMES))
    assert "2 members" in refusal(tmp_path / "run.npz")


def test_a_member_without_suffix_hides_no_array(tmp_path):
    with zipfile.ZipFile(tmp_path / "run.npz", "w") as archive:
        archive.writestr("embeddings.npy", npy_bytes(FRAMES))
        archive.writestr("embeddings", b"a note")
    assert open_logs(tmp_path / "run.npz", EVERY_5)[0].frames.shape == FRAMES.shape


def test_a_bomb_is_never_held_whole(tmp_path):
    import tracemalloc

    path = tmp_path / "run.npz"
    np.savez_compressed(path, embeddings=np.zeros((12_500, 7, 29)), steps=np.arange(12_500))  # 20 MB of zeros
    assert path.stat().st_size < 200_000
    (log,) = open_logs(path)
    tracemalloc.start()
    try:
        rows = sum(len(part) for part, _ in log.frames.chunks(np.arange(len(log.frames))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 12_500
    assert peak < 10e6


def test_a_safetensors_header_beyond_its_file(tmp_path):
    entry = {"embeddings": {"dtype": "F64", "shape": [10**9, P, D], "data_offsets": [0, 8 * 10**9 * P * D]}}
    text = json.dumps(entry).encode()
    (tmp_path / "run.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))
    refusal(tmp_path / "run.safetensors")


def test_of_a_damaged_archive_a_sentence_is_said_and_not_its_bytes(tmp_path):
    """zipfile quotes as much of the file as its directory says that a member's name has."""
    path = tmp_path / "a.npz"
    as_npz(path)
    data = bytearray(path.read_bytes())
    data[26:28] = (3000).to_bytes(2, "little")  # the length of a name, in the first local header
    path.write_bytes(data)
    said = refusal(path)
    assert "embeddings.npy is damaged (File name in directory" in said
    assert len(said) < len(str(path)) + 500
