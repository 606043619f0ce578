"""Which axis has the tokens and how many take part: the truth's features, or a refusal that names what to state."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract, inspect_logs
from ecodyn.extraction.axes import MOST_EXTRA
from ecodyn.extraction.layout import layout
from ecodyn.extraction.readings import EXTRA_SHOWN, UnclearTokensError
from ecodyn.extraction.reduction import reduce
from ecodyn.logs import ArrayFrames, Log, LogOptions, open_logs
from ecodyn.logs.stated import settings_in, stated_shape
from ecodyn.observables import OBSERVABLES

FLAGS = ("--token-axis", "--tokens", "--p")
KEYS = ("embedding", "embed.W_E", "wte.weight", "model.embed_tokens.weight", "embed.weight")


@st.composite
def trainings(draw):
    """A vocabulary of p + extra tokens in some orientation, with what its checkpoints may have and state beside it."""
    p, extra, d = draw(st.integers(2, 13)), draw(st.integers(0, MOST_EXTRA)), draw(st.integers(2, 17))
    transposed = draw(st.booleans())
    key = draw(st.sampled_from(KEYS))
    frames = np.random.default_rng(draw(st.integers(0, 99))).standard_normal((3, p + extra, d))
    beside = {}
    if key.endswith(".weight") and transposed:  # only a layer with a bias is stored so, and its bias says which it is
        assume(d != p + extra)
        beside[key.removesuffix("weight") + "bias"] = np.zeros(d)
    if draw(st.booleans()):
        beside["pos_embed.W_pos"] = np.zeros((draw(st.integers(1, 6)), d))
    hidden = draw(st.integers(2, 20).filter(lambda width: width != p))
    outputs = draw(st.sampled_from([None, (d, p), (d, p + extra), (p, d), (p + extra, hidden), (hidden, p)]))
    if outputs is not None:
        beside["unembed.W_U"] = np.zeros(outputs)
    stated = {name: str(n) for name, n in (("p", p), ("d_model", d)) if draw(st.booleans())}
    return p, frames, transposed, key, beside, stated


@st.composite
def requests(draw, p, transposed):
    """What a person may know and state."""
    return Request(
        p=draw(st.sampled_from([None, p])),
        tokens=draw(st.sampled_from([None, (0, p)])),
        token_axis=draw(st.sampled_from([None, int(transposed)])),
    )


def spectrum(frames, p):
    return np.linalg.norm(np.fft.rfft(frames[:, :p], axis=1), axis=2)[:, 1:]


def in_memory(frames, transposed, key, beside, stated):
    stored = frames.swapaxes(1, 2) if transposed else frames
    return Log(
        path=Path("run"),
        format="checkpoints",
        name="run",
        steps=np.arange(len(frames)),
        frames=ArrayFrames(stored),
        sources=(),
        key=key,
        arrays={key: stored.shape[1:], **{name: array.shape for name, array in beside.items()}},
        stated_shape=stated_shape({name: float(text) for name, text in stated.items()}),
    )


def outcome(log, request):
    """What the log is reduced to, or why it is not."""
    try:
        return reduce(log, replace(request, checksums=False), {"signal": OBSERVABLES["signal"]}), None
    except UnclearTokensError as error:
        return None, error


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_the_truths_features_or_a_refusal_that_names_the_flags(data):
    p, frames, transposed, key, beside, stated = data.draw(trainings())
    request = data.draw(requests(p, transposed))
    log = in_memory(frames, transposed, key, beside, stated)
    reduced, error = outcome(log, request)
    if error is not None:
        assert any(flag in str(error) for flag in FLAGS)
        meant = [one for one in error.readings if (one.token_axis, one.tokens) == (int(transposed), (0, p))]
        known = request.p or request.tokens or "p" in stated
        assert len(meant) == bool(known or frames.shape[1] - p <= EXTRA_SHOWN)
        if not meant:
            return
        assert meant[0].flags in str(error)
        reduced, error = outcome(log, meant[0].asked(request))
        assert error is None
    np.testing.assert_allclose(reduced.series["signal"], spectrum(frames, p), rtol=1e-9, atol=1e-12)
    assert (reduced.layout.p, reduced.layout.token_axis) == (p, int(transposed))


@settings(max_examples=100, deadline=None)
@given(drawn=trainings())
def test_what_is_stated_in_full_is_never_asked_about(drawn):
    p, frames, transposed, key, beside, stated = drawn
    log = in_memory(frames, transposed, key, beside, stated)
    reduced, _ = outcome(log, Request(token_axis=int(transposed), tokens=(0, p)))
    np.testing.assert_allclose(reduced.series["signal"], spectrum(frames, p), rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_checkpoints_say_what_a_log_in_memory_does(data):
    p, frames, transposed, key, beside, stated = data.draw(trainings())
    request = data.draw(requests(p, transposed))
    with tempfile.TemporaryDirectory() as folder:
        for step, frame in enumerate(frames):
            tensors = {key: np.ascontiguousarray(frame.T if transposed else frame), **beside}
            save_file(tensors, Path(folder) / f"step_{step}.safetensors", stated or None)
        (log,) = open_logs(folder, LogOptions(key=key))
        reduced, error = outcome(log, request)
    expected, refused = outcome(in_memory(frames, transposed, key, beside, stated), request)
    assert (error is None) == (refused is None)
    if error is None:
        np.testing.assert_array_equal(reduced.series["signal"], expected.series["signal"])
    else:
        assert error.readings == refused.readings


def log_of(shape, rows=2, **known):
    frames = ArrayFrames(np.random.default_rng(0).standard_normal((rows, *shape)))
    path = Path("run.raw")
    return Log(path=path, format="raw", name="run", steps=np.arange(rows), frames=frames, sources=(path,), **known)


@given(lengths=st.tuples(st.integers(2, 200), st.integers(2, 200)), key=st.sampled_from(KEYS))
@settings(max_examples=60, deadline=None)
def test_no_length_decides_p(lengths, key):
    for request in (Request(), Request(token_axis=0), Request(token_axis=1)):
        with pytest.raises(UnclearTokensError, match="--p P"):
            layout(log_of(lengths, key=key), request)


@pytest.mark.parametrize("shape", [(113, 128), (128, 113), (97, 32), (59, 8)])
def test_a_stated_p_that_one_length_is_decides(shape):
    how = layout(log_of(shape), Request(p=min(shape, key=lambda n: n not in (113, 97, 59))))
    assert how.p in (113, 97, 59)
    assert shape[how.token_axis] == how.p


@pytest.mark.parametrize("shape", [(113, 113), (31, 32), (32, 31), (2, 4), (127, 127 + MOST_EXTRA)])
def test_lengths_that_may_both_be_the_tokens_are_asked_about(shape):
    with pytest.raises(UnclearTokensError, match="--token-axis 0 or 1") as caught:
        layout(log_of(shape), Request(p=min(shape)))
    assert {one.token_axis for one in caught.value.readings} == {0, 1}
    for d in set(shape) - {min(shape)}:  # d tells
        assert layout(log_of(shape, stated_shape=(min(shape), d)), Request()).p == min(shape)


def test_evidence_that_contradicts_itself_is_asked_about():
    with pytest.raises(UnclearTokensError, match=r"torch.nn.Embedding.*, but axis 1 has p = 113"):
        layout(log_of((128, 113), key="embed.weight"), Request(p=113))
    with pytest.raises(UnclearTokensError, match="the log states d = 128"):
        layout(log_of((113, 128), stated_shape=(113, 128)), Request(p=128))
    assert layout(log_of((113, 128), stated_shape=(113, 128)), Request(p=128, token_axis=1)).p == 128


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("pos_embed.W_pos", (114, 128)),  # as many positions as tokens: both lengths are there
        ("relative_position_embedding.weight", (9, 128)),
        ("position_ids", (1, 128)),
        ("mlp.W_in", (512, 128)),  # behind a hidden layer as wide as the vocabulary it would tell the contrary
        ("unembed.W_U", (512, 114)),
        ("unembed.W_U", (128, 100)),
    ],
)
def test_arrays_that_share_a_length_by_chance_tell_nothing(name, lengths):
    with pytest.raises(UnclearTokensError, match="nothing tells which axis has the tokens"):
        layout(log_of((114, 128), key="w", arrays={"w": (114, 128), name: lengths}), Request(tokens=(0, 113)))


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("wpe.weight", (3, 128)),
        ("transformer.pos_emb", (1, 3, 128)),
        ("unembed.W_U", (128, 113)),
        ("lm_head.weight", (113, 128)),
    ],
)
def test_arrays_that_have_the_dimensions_tell(name, lengths):
    for shape in ((114, 128), (128, 114)):
        how = layout(log_of(shape, key="w", arrays={"w": shape, name: lengths}), Request(tokens=(0, 113)))
        assert (how.token_axis, how.p, how.d) == (shape.index(114), 113, 128)
        (remark,) = how.remarks
        assert f"since {name} {lengths} has d = 128" in remark


def test_an_unembedding_of_far_fewer_tokens_tells_nothing():
    arrays = {"w": (113 + MOST_EXTRA + 1, 128), "unembed.W_U": (128, 113)}
    with pytest.raises(UnclearTokensError, match="nothing tells"):
        layout(log_of(arrays["w"], key="w", arrays=arrays), Request(tokens=(0, 113)))


def test_another_p_than_the_logs_is_said():
    how = layout(log_of((7, 4), stated_shape=(7, 4)), Request(tokens=(1, 6)))
    assert how.remarks == ("the log states p = 7, and 5 tokens were asked for",)


def test_p_and_tokens_that_differ_are_refused():
    with pytest.raises(UnusableDataError, match="--tokens 0:112 are 112 tokens, expected p = 113"):
        layout(log_of((114, 128)), Request(p=113, tokens=(0, 112)))
    with pytest.raises(ValueError, match="at least 2 tokens, got 1"):
        Request(p=1)


@pytest.mark.parametrize("request_", [Request(p=300), Request(tokens=(0, 300)), Request(token_axis=0, p=128)])
def test_more_tokens_than_there_are_is_refused(request_):
    with pytest.raises(UnusableDataError, match=r"or more on .* state another --p P, --token-axis or --tokens"):
        layout(log_of((114, 128)), request_)


# ------------------------------------------------------------------------------------------ two circles in W_E


@pytest.fixture(scope="module")
def circles(tmp_path_factory):
    """(d, p + 1) as some store it; the circles 5 and 17 of 113 tokens grow, the last token is "="."""
    p, d, folder = 113, 128, tmp_path_factory.mktemp("circles")
    rng, a = np.random.default_rng(0), np.arange(113)
    for with_positions in (True, False):
        inner = folder / f"positions_{with_positions}"
        inner.mkdir()
        planes = {k: rng.standard_normal((2, d)) / np.sqrt(d) for k in (5, 17)}
        for i in range(6):
            E = 0.02 * rng.standard_normal((p + 1, d))
            for k, growth in ((5, 1.0), (17, 0.5)):
                wave = np.stack([np.cos(2 * np.pi * k * a / p), np.sin(2 * np.pi * k * a / p)], axis=1)
                E[:p] += growth * (i + 1) * wave @ planes[k]
            beside = {"pos_embed.W_pos": np.zeros((3, d))} if with_positions else {}
            save_file({"embed.W_E": np.ascontiguousarray(E.T), **beside}, inner / f"{100 * i}.safetensors")
    return folder


def strongest(runs):
    return runs.features[np.argsort(runs.values[0, -1])[::-1][:2]].tolist()


def test_a_table_of_positions_tells_the_dimensions(circles):
    options = LogOptions(key="embed.W_E")
    said = r"frames are \(128, 114\), dimensions first: read transposed, since pos_embed.W_pos \(3, 128\) has d = 128"
    for request in (Request(tokens=(0, 113)), Request(p=113, tokens=(0, 113))):
        with pytest.warns(DataWarning, match=said):
            runs = extract(circles / "positions_True", request, options=options)
        assert strongest(runs) == [5, 17]
        assert "read transposed" in runs.provenance["remarks"][0]


@pytest.mark.parametrize(
    "request_", [Request(), Request(p=113), Request(tokens=(0, 113)), Request(p=113, tokens=(0, 113))]
)
def test_without_it_both_readings_are_shown(circles, request_):
    options = LogOptions(key="embed.W_E")
    with pytest.raises(UnclearTokensError) as caught:
        extract(circles / "positions_False", request_, options=options)
    text = str(caught.value)
    assert "--token-axis 1 --tokens 0:113: 113 of the 114 entries of axis 1 are the tokens: 56 features" in text
    if request_.tokens or request_.p:
        assert "--token-axis 0 --tokens 0:113: 113 of the 128 entries of axis 0 are the tokens" in text
    else:
        assert "--token-axis 0 --p 128: all 128 entries of axis 0 are the tokens: 64 features" in text
    (right,) = (one for one in caught.value.readings if (one.token_axis, one.p) == (1, 113))
    assert [k for k, _ in right.strongest[:2]] == [5, 17]
    assert sum(share for _, share in right.strongest[:2]) > 0.99
    assert strongest(extract(circles / "positions_False", right.asked(request_), options=options)) == [5, 17]


def test_inspection_lists_the_readings_with_their_commands(circles):
    (facts,) = inspect_logs(circles / "positions_False", options=LogOptions(key="embed.W_E"))
    commands = [one["command"] for one in facts["readings"]]
    assert f"ecodyn extract {circles / 'positions_False'} --key embed.W_E --p 128 --token-axis 0 -o runs.nc" in commands
    assert any("--token-axis 1 --tokens 0:113" in command for command in commands)
    assert "--token-axis AXIS --p P" in facts["command"]
    (wrong,) = facts["wrong"]
    assert "\n" not in wrong
    (clear,) = inspect_logs(
        circles / "positions_False", Request(token_axis=1, tokens=(0, 113)), options=LogOptions(key="embed.W_E")
    )
    assert (clear["readings"], clear["wrong"], clear["p"], clear["d"]) == ([], [], 113, 128)


@pytest.mark.parametrize(
    ("request_", "positions", "lacking"),
    [
        (Request(), True, ["--p P"]),
        (Request(p=113), True, ["--tokens FIRST:END"]),
        (Request(), False, ["--token-axis AXIS", "--p P"]),
        (Request(tokens=(0, 113)), False, ["--token-axis AXIS"]),
        (Request(token_axis=1), False, ["--p P"]),
    ],
)
def test_the_command_has_places_for_what_it_lacks_alone(circles, request_, positions, lacking):
    (facts,) = inspect_logs(circles / f"positions_{positions}", request_, options=LogOptions(key="embed.W_E"))
    places = ("--token-axis AXIS", "--p P", "--tokens FIRST:END")
    assert [place for place in places if place in facts["command"]] == lacking


def test_shares_of_power_are_those_of_the_deviations_from_the_mean():
    error = refused(log_of((8, 5), rows=1))
    frame = log_of((8, 5), rows=1).frames.array[0]
    whole = next(one for one in error.readings if (one.token_axis, one.p) == (0, 8))
    k, share = whole.strongest[0]
    total = np.square(frame - frame.mean(axis=0)).sum()
    wave = np.exp(-2j * np.pi * k * np.arange(8) / 8)
    part = np.square(np.abs(wave @ frame)).sum() / 8 * (1 if k == 4 else 2)
    np.testing.assert_allclose(share, part / total, rtol=1e-12)


def test_readings_of_what_is_not_finite_have_no_spectra():
    log = log_of((8, 5))
    log.frames.array[-1, 0, 0] = np.nan
    assert all(one.strongest == () for one in refused(log).readings)


def refused(log):
    with pytest.raises(UnclearTokensError) as caught:
        layout(log, Request())
    return caught.value


# ------------------------------------------------------------------------------- singular values and projections


@given(shape=st.tuples(st.integers(2, 9), st.integers(2, 9)), end=st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_singular_values_of_a_part_of_the_tokens_need_the_axis(shape, end):
    request = Request(observables=("singular_values",), tokens=(0, end))
    roomy = [axis for axis in (0, 1) if shape[axis] >= end]
    log = log_of(shape)
    if len(roomy) != 1:
        with pytest.raises(UnusableDataError, match="--token-axis"):
            layout(log, request)
        return
    how = layout(log, request)
    assert how.token_axis == roomy[0]
    assert how.labels == tuple(range(1, min(end, shape[1 - roomy[0]]) + 1))


def test_singular_values_of_the_whole_matrix_need_no_axis():
    assert layout(log_of((31, 32)), Request(observables=("singular_values",))).labels[-1] == 31


@given(shape=st.tuples(st.integers(2, 7), st.integers(2, 7)), entries=st.integers(2, 7), over=st.booleans())
@settings(max_examples=60, deadline=None)
def test_projections_go_along_the_axis_that_they_fit(shape, entries, over):
    directions = np.random.default_rng(1).standard_normal((2, entries))
    log = log_of(shape)
    request = Request(directions=directions, over="tokens" if over else None)
    fitting = [axis for axis in (0, 1) if shape[axis] == entries]
    frame = log.frames.array[0]
    if len(fitting) != 1:
        if over and not fitting:
            return  # refused when frames are read: the number of entries is wrong
        with pytest.raises(UnusableDataError, match="--over"):
            layout(log, request)
        return
    how = layout(log, request)
    found = how.features.components(how.matrices(frame[None])).power()[0]
    expected = np.square(directions @ (frame if fitting == [0] else frame.T)).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert how.d is None or over


def test_a_projection_of_a_part_of_the_tokens_needs_the_axis():
    request = Request(directions=np.ones((2, 3)), tokens=(0, 3))
    with pytest.raises(UnclearTokensError, match="--token-axis"):
        layout(log_of((5, 6)), request)
    assert layout(log_of((5, 6), stated_shape=(5, 6)), request).token_axis == 0


def test_any_matrix_of_a_log_that_states_p_may_be_projected():
    assert layout(log_of((5, 6), stated_shape=(59, 8)), Request(directions=np.ones((2, 6)))).labels == (1, 2)


# ------------------------------------------------------------------------------------------- several logs


def test_runs_that_are_stored_either_way_are_read_alike(tmp_path):
    frames = np.random.default_rng(0).standard_normal((3, 7, 20))
    np.savez(tmp_path / "a.npz", frames=frames, steps=np.arange(3), p=7)
    np.savez(tmp_path / "b.npz", frames=frames.swapaxes(1, 2), steps=np.arange(3), p=7)
    with pytest.warns(DataWarning, match=r"^run b: frames are \(20, 7\), dimensions first: read transposed"):
        runs = extract(tmp_path)
    np.testing.assert_allclose(runs.values[0], runs.values[1], rtol=1e-12)
    assert (runs.provenance["p"], runs.provenance["token_axis"]) == (7, {"a": 0, "b": 1})


def test_projections_over_other_axes_are_not_put_together(tmp_path):
    frames = np.random.default_rng(0).standard_normal((3, 7, 20))
    np.savez(tmp_path / "a.npz", frames=frames, steps=np.arange(3), d_model=20)
    np.savez(tmp_path / "b.npz", frames=frames, steps=np.arange(3), d_model=7)
    with pytest.raises(UnusableDataError, match=r"a projection over tokens, .* a projection over dimensions, "):
        extract(tmp_path, Request(directions=np.ones((2, 7))))


# ------------------------------------------------------------------------------------------- what logs state


def test_numbers_beside_the_frames_state_p_and_d(tmp_path):
    torch = pytest.importorskip("torch")
    frames = np.random.default_rng(0).standard_normal((3, 7, 4))
    np.savez(tmp_path / "a.npz", frames=frames, steps=np.arange(3), p=7, d_model=4)
    np.savez_compressed(tmp_path / "b.npz", frames=frames, steps=np.arange(3), p=7, d_model=4)
    torch.save(
        {"frames": torch.tensor(frames), "steps": torch.arange(3), "config": {"p": 7, "dim": 4}}, tmp_path / "c.pt"
    )
    save_file(
        {"frames": frames, "steps": np.arange(3)},
        tmp_path / "d.safetensors",
        {"config": '{"p": 7, "dim": 4, "steps": 30000, "name": "x", "big": 1' + "0" * 400 + "}"},
    )
    for name in ("a.npz", "b.npz", "c.pt", "d.safetensors"):
        (log,) = open_logs(tmp_path / name)
        assert (log.stated_shape, log.key) == ((7, 4), "frames")
        np.testing.assert_allclose(extract(tmp_path / name).values[0], spectrum(frames, 7), rtol=1e-10)


def test_a_dropout_named_p_states_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", frames=np.ones((3, 7, 4)), steps=np.arange(3), p=0.1)
    assert open_logs(tmp_path / "a.npz")[0].stated_shape is None


def test_a_length_of_training_in_the_settings_is_no_step(tmp_path):
    for step in (0, 10):
        save_file({"embedding": np.ones((7, 4))}, tmp_path / f"step_{step}.safetensors", {"config": '{"steps": 99}'})
    assert open_logs(tmp_path)[0].steps.tolist() == [0, 10]


def test_numbers_further_in_state_nothing(tmp_path):
    torch = pytest.importorskip("torch")
    held = {"optimiser": {"p": 7}, "model": {"dropout": {"p": 7}}, "p": True, "config": {"dim": 1e300, "name": "p"}}
    torch.save({"frames": torch.ones(3, 7, 4), "steps": torch.arange(3), **held}, tmp_path / "a.pt")
    assert open_logs(tmp_path / "a.pt")[0].stated_shape is None


def test_what_stands_at_the_top_counts_before_the_settings():
    assert settings_in({"config": {"p": 5, "dim": 3}, "p": 7}) == {"p": 7.0, "dim": 3.0}
    assert settings_in([1, 2]) == settings_in({"p": "[" * 10_000}) == {}
