"""Files of arrays and tensors: what is claimed, what is hidden in them, and what would have to be executed."""

import argparse
import io
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest
from drill_cases import DATA, DONE, GIB, Fault
from drill_material import P, cut, flipped

EXTRACT = ["extract", "-o", "out.nc", "--p", P, "--interval", 1]


class Touch:
    """What executes when it is unpickled: a file is left that tells."""

    def __reduce__(self):
        import os

        return os.system, ("touch pwned",)


def no_file(folder, ended):
    assert not (folder / "pwned").exists(), "what a file brought was executed"
    assert not (folder / "out.nc").exists()


def nothing_written(folder, ended):
    assert not (folder / "out.nc").exists()


def npy(array=None, *, header=None, name="run.npy", damage=None):
    """An .npy file, with a header of one's own."""

    def make(folder, material):
        path = folder / name
        data = io.BytesIO()
        if header is None:
            np.save(data, material.frames() if array is None else array)
        else:
            text = header.encode() + b" " * (-len(header) % 64) + b"\n"
            data.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(640))
        path.write_bytes(data.getvalue())
        if damage is not None:
            damage(path)
        return [*EXTRACT, name]

    return make


def claims(shape, dtype="<f8"):
    return npy(header=f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}")


def npz(name="run.npz", damage=None, **changes):
    def make(folder, material):
        material.stack(folder, name, **changes)
        if damage is not None:
            damage(folder / name)
        return ["extract", "-o", "out.nc", name]

    return make


def with_member(name, data, compression=zipfile.ZIP_STORED):
    def damage(path):
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a", compression) as archive:
            warnings.simplefilter("ignore")  # of names that are there already, which is the point
            archive.writestr(name, data)

    return damage


def bomb(path):
    """200 MB of zeros in 195 kB, as frames."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("embeddings.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f8", "fortran_order": False, "shape": (25_000_000 // 28, P, 4)}
        )
        for _ in range(25_000_000 // 28 * 28 * 8 // 2_000_000):
            member.write(bytes(2_000_000))
        member.write(bytes(25_000_000 // 28 * 28 * 8 % 2_000_000))


def pt(value, damage=None, name="step_0.pt", torch_saves=True):
    """A folder of checkpoints, the first of which holds this."""

    def make(folder, material):
        import torch

        run = material.checkpoints(folder)
        path = run / name
        if torch_saves:
            torch.save(value, path)
        else:
            path.write_bytes(pickle.dumps(value))
        if damage is not None:
            damage(path)
        return ["extract", "-o", "out.nc", "--p", P, "run"]

    return make


def tensors(damage=None, **held):
    """A folder of .safetensors, one of which is damaged, or made by hand."""

    def make(folder, material):
        path = material.safetensors(folder) / "step_50.safetensors"
        if "header" in held:
            header = held["header"] if isinstance(held["header"], bytes) else held["header"].encode()
            path.write_bytes(struct.pack("<Q", held.get("length", len(header))) + header + bytes(1000))
        if damage is not None:
            damage(path)
        return ["extract", "-o", "out.nc", "--p", P, "run"]

    return make


def looped():
    loop = []
    loop.append(loop)
    return {"model": loop}


ARRAYS = [
    Fault(".npy of objects", npy(np.array([{"a": 1}, Touch()], dtype=object)), DATA, after=no_file),
    Fault(".npy, empty", npy(damage=lambda p: p.write_bytes(b"")), DATA, ["empty"]),
    Fault(".npy, cut", npy(damage=lambda p: cut(p, 0.7)), DATA, ["truncated"]),
    Fault(".npy, cut within its header", npy(damage=lambda p: cut(p, 0.01)), DATA),
    Fault(".npy that claims terabytes", claims("(1000000000000, 7, 4)"), DATA, ["claims"]),
    Fault(".npy of negative shape", claims("(-1, 7, 4)"), DATA),
    Fault(".npy whose size overflows", claims("(4294967296, 4294967296, 4294967296)"), DATA),
    Fault(".npy with nothing, many times", claims("(0, 1000000000000, 4)"), DATA),
    Fault(".npy of no dimensions", claims("()"), DATA),
    Fault(
        ".npy whose header is code",
        npy(header="{'descr': __import__('os').system('touch pwned'), }"),
        DATA,
        after=no_file,
    ),
    Fault(".npy whose header never closes", npy(header="{'descr': '<f8', 'shape': (" + "(" * 200), DATA),
    Fault(".npy of void", claims("(10, 7, 4)", "|V8"), DATA),
    Fault(".npy of dates", claims("(3, 7, 3)", "<M8[s]"), DATA),
    Fault(".npy of text", npy(np.full((5, 7, 4), "a")), DATA),
    Fault(".npy of complex numbers", npy(np.ones((5, 7, 4), complex)), DATA),
    Fault(".npy of float16 that overflowed", npy(np.full((5, 7, 4), np.inf, np.float16)), DATA),
    Fault(".npy of integers", npy(np.arange(5 * 28).reshape(5, 7, 4)), DONE),
    Fault(".npy of one frame", npy(np.ones((1, 7, 4))), (DONE, DATA)),
    Fault(".npy of no frames", npy(np.ones((0, 7, 4))), DATA),
    Fault(".npy of (T, d, p)", npy(np.random.default_rng(0).normal(size=(5, 4, 7))), (DONE, DATA)),
    Fault(
        "a git-lfs pointer named .npy",
        npy(damage=lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")),
        DATA,
        ["git lfs pull"],
    ),
    Fault("text named .npy", npy(damage=lambda p: p.write_text("1 2 3\n4 5 6\n")), DATA),
    Fault("a pickle named .npy", npy(damage=lambda p: p.write_bytes(pickle.dumps(Touch()))), DATA, after=no_file),
    Fault(".npz bomb", npz(damage=bomb), (DONE, DATA), memory=GIB),
    Fault(".npz, cut", npz(damage=lambda p: cut(p, 0.6)), DATA),
    Fault(".npz, empty", npz(damage=lambda p: p.write_bytes(b"")), DATA),
    *(
        Fault(f".npz, a bit flipped at {at:.0%}", npz(damage=lambda p, a=at: flipped(p, a, 2)), (DONE, DATA))
        for at in (0.001, 0.02, 0.3, 0.6, 0.9, 0.97, 0.999)
    ),
    Fault(".npz with ../x", npz(damage=with_member("../x.npy", b"")), DATA, ["leaves its folder"]),
    Fault(".npz with an absolute name", npz(damage=with_member("/tmp/x.npy", b"")), DATA, ["leaves its folder"]),
    Fault(".npz with a member twice", npz(damage=with_member("embeddings.npy", b"")), DATA, ["2 members"]),
    Fault(
        ".npz with an object beside",
        npz(other=np.array([Touch()], dtype=object)),
        (DONE, DATA),
        after=lambda f, e: (_ for _ in ()).throw(AssertionError("executed")) if (f / "pwned").exists() else None,
    ),
    Fault(".npz with a damaged member beside", npz(damage=with_member("other.npy", b"\x93NUMPY")), DATA),
    Fault(".npz whose p is text", npz(p="seven"), (DONE, DATA)),
    Fault(".npz whose p is negative", npz(p=-7), DATA),
    Fault(".npz whose p is NaN", npz(p=np.nan), DATA),
    Fault(".npz whose p is huge", npz(p=10**18), DATA),
    Fault(".npz whose steps are text", npz(steps=np.array(list("abcdefghijkl"))), DATA),
    Fault(".npz whose steps are NaN", npz(steps=np.full(12, np.nan)), DATA),
    Fault(".npz whose steps go back", npz(steps=np.array([0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9])), (DONE, DATA)),
    Fault(".npz with fewer steps than frames", npz(steps=np.arange(5)), DATA),
    Fault(".npz with steps of two axes", npz(steps=np.arange(24).reshape(12, 2)), DATA),
    Fault(".npz with frames of four axes", npz(embeddings=np.ones((2, 3, 4, 5))), DATA),
]

TENSORS = [
    Fault(".pt that executes", pt(Touch(), torch_saves=False), DATA, after=no_file),
    Fault(".pt that executes, as torch saves it", pt({"a": Touch()}), DATA, after=no_file),
    Fault(
        ".pt that holds an argparse.Namespace",
        pt({"args": argparse.Namespace(lr=1)}),
        DATA,
        ["Namespace"],
        after=nothing_written,
    ),
    Fault(".pt, cut", pt({}, lambda p: p.write_bytes(p.read_bytes()[:300])), DATA),
    Fault(".pt, empty", pt({}, lambda p: p.write_bytes(b"")), DATA),
    Fault(".pt, a bit flipped", pt({"embed.weight": None}, lambda p: flipped(p, 0.5)), DATA),
    Fault(".pt that holds itself", pt(looped()), DATA),
    Fault(".pt that holds nothing", pt({}), DATA),
    Fault(".pt that holds text", pt("text"), DATA),
    Fault(".pt of huge numbers", pt({"step": 10**400, "embed.weight": None}), DATA),
    Fault(".pt nested deeply", pt([]), DATA),
    Fault(".safetensors, cut", tensors(lambda p: cut(p, 0.5)), DATA, after=nothing_written),
    Fault(".safetensors, empty", tensors(lambda p: p.write_bytes(b"")), DATA),
    Fault(".safetensors whose header is 4 EB", tensors(header="{}", length=2**62), DATA),
    Fault(".safetensors whose header is no JSON", tensors(header="{'a': 1}"), DATA),
    Fault(".safetensors whose header is a list", tensors(header="[]"), DATA),
    Fault(
        ".safetensors beyond its end",
        tensors(header='{"embed.weight":{"dtype":"F64","shape":[7,4000],"data_offsets":[0,224000]}}'),
        DATA,
    ),
    Fault(
        ".safetensors of negative shape",
        tensors(header='{"embed.weight":{"dtype":"F64","shape":[-7,4],"data_offsets":[0,224]}}'),
        DATA,
    ),
    Fault(
        ".safetensors that overlap",
        tensors(
            header='{"a":{"dtype":"F64","shape":[7,4],"data_offsets":[0,224]},"b":{"dtype":"F64","shape":[7,4],"data_offsets":[100,324]}}'
        ),
        DATA,
    ),
    Fault(
        ".safetensors of an unknown type",
        tensors(header='{"embed.weight":{"dtype":"X9","shape":[7,4],"data_offsets":[0,224]}}'),
        DATA,
    ),
    Fault(
        ".safetensors with keys twice",
        tensors(
            header='{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'
        ),
        DATA,
    ),
    *(
        Fault(f".safetensors, a bit flipped at {at:.0%}", tensors(lambda p, a=at: flipped(p, a, 1)), (DONE, DATA))
        for at in (0.001, 0.05, 0.2, 0.9)
    ),
]


@pytest.mark.parametrize("fault", [*ARRAYS, *TENSORS], ids=str)
def test_arrays(fault, withstand):
    withstand(fault)
