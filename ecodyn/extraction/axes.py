"""Which axis of a frame has the tokens: what is stated or holds by definition decides, and not that a length fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ecodyn.errors import UnusableDataError
from ecodyn.extraction.request import Request
from ecodyn.logs import Log

__all__ = ["TokenAxis", "counted_tokens", "stated_p", "token_axis"]

# Tokens that a vocabulary may have beside the p numbers: the operation, "=", a start and padding. Where one axis has p
# entries and the other up to so many more, the p may be the width as well.
MOST_EXTRA = 4
# torch.nn.Embedding's, (tokens, dimensions); not W_E, which TransformerLens stores so and others transposed.
EMBEDDING = re.compile(
    r"(?<!un)(?:emb|embed|embeds|embed_tokens|embed_in|embedding|embeddings|wte)\.weight$", re.IGNORECASE
)
# One entry a position, and none a token.
POSITIONAL = re.compile(r"(?:(?<![a-z])pos_?emb|w_pos$|position(?:al)?_emb|(?<![a-z])wpe(?:$|\.))", re.IGNORECASE)
RELATIVE = re.compile(r"rel(?:ative)?[_.]?pos|rotary", re.IGNORECASE)  # of pairs of positions: of another width
# Its inputs are dimensions.
UNEMBEDDING = re.compile(r"(?:unembed\w*|lm_head)(?:\.weight|\.w_u)?$|(?:^|\.)w_u$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class TokenAxis:
    """What is known of the axis of a frame that the tokens are.

    Attributes
    ----------
    axis
        0 or 1; None where nothing tells, or what tells contradicts itself.
    why
        What tells so, or why nothing does.
    remarks
        A sentence if frames are read otherwise than one may expect.
    """

    axis: int | None
    why: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Evidence:
    axis: int
    text: str
    by_name: bool = False  # rests on what parameters are called, and is said


def stated_p(log: Log, request: Request) -> int | None:
    """The number of tokens that take part: as asked for, else as the log states it.

    Raises
    ------
    UnusableDataError
        `Request.p` and `Request.tokens` contradict each other.
    """
    if request.tokens is not None:
        first, end = request.tokens
        if request.p not in (None, end - first):
            raise UnusableDataError(
                f"{log.path}: --tokens {first}:{end} are {end - first} tokens, expected p = {request.p}; leave --p "
                f"out, or state --tokens {first}:{first + (request.p or 0)}"
            )
        return end - first
    return request.p if request.p is not None else _logged_p(log)


def token_axis(log: Log, request: Request) -> TokenAxis:
    """The axis that is stated or evident.

    Raises
    ------
    UnusableDataError
        No axis, or not the one that is stated, has as many tokens as are asked for.
    """
    shape, p = log.frames.shape[1:], stated_p(log, request)
    if request.directions is not None and request.p is None and request.tokens is None:
        p = None  # any matrix of a log may be projected, whether it is one of tokens or not
    needed = request.tokens[1] if request.tokens else p or 0
    axes = (0, 1) if request.token_axis is None else (request.token_axis,)
    if all(shape[axis] < needed for axis in axes):
        lengths = " or ".join(str(shape[axis]) for axis in axes)
        asked = "--tokens {}:{}".format(*request.tokens) if request.tokens else f"p = {needed}"
        where = "either axis" if len(axes) == 2 else f"--token-axis {axes[0]}"
        raise UnusableDataError(
            f"{log.path} has frames of shape {shape}, expected {needed} tokens or more on {where} ({asked}), got "
            f"{lengths}; state another --p P, --token-axis or --tokens FIRST:END"
        )
    remarks = _other_p(log, p)
    if request.token_axis is not None:
        return TokenAxis(axis=request.token_axis, why="as stated", remarks=remarks)
    whole = request.p if request.p is not None else _logged_p(log)
    evidence = [*_of_numbers(log, whole, needed), *_of_names(log, p)]
    candidates = {one.axis for one in evidence}
    if len(candidates) != 1:
        reasons = ", but ".join(one.text for one in sorted(evidence, key=lambda one: one.axis))
        return TokenAxis(axis=None, why=reasons or "nothing tells which axis has the tokens")
    (axis,) = candidates
    why = evidence[0].text
    if axis == 1:
        remarks = (*remarks, f"frames are {shape}, dimensions first: read transposed, since {why}")
    elif all(one.by_name for one in evidence):
        remarks = (*remarks, f"frames are {shape}, tokens first, since {why}")
    return TokenAxis(axis=axis, why=why, remarks=remarks)


def counted_tokens(log: Log, request: Request, axis: int) -> tuple[int, int] | None:
    """(first, end) of the tokens that take part; None where p is not stated, or where it is not the axis' length."""
    if request.tokens is not None:
        return request.tokens
    size, p = log.frames.shape[1 + axis], stated_p(log, request)
    return (0, size) if p == size else None


def _other_p(log: Log, p: int | None) -> tuple[str, ...]:
    states = _logged_p(log)
    differs = None not in (states, p) and states != p
    return (f"the log states p = {states}, and {p} tokens were asked for",) * differs


def _logged_p(log: Log) -> int | None:
    return log.stated_shape[0] if log.stated_shape else None


def _of_numbers(log: Log, p: int | None, needed: int) -> Iterator[_Evidence]:
    """What p and d say that were stated; p itself, since a part of the tokens implies that there are others."""
    shape = log.frames.shape[1:]
    for axis in (0, 1):
        own, other = shape[axis], shape[1 - axis]
        if other < needed:
            yield _Evidence(axis, f"only axis {axis} has {needed} entries or more")
        elif own == p and own >= needed and other > own + MOST_EXTRA:
            yield _Evidence(axis, f"axis {axis} has p = {p} entries")
        if log.stated_shape and other == log.stated_shape[1] and own != other:
            yield _Evidence(axis, f"the log states d = {other}")


def _of_names(log: Log, p: int | None) -> Iterator[_Evidence]:
    """What the frames' own name says, and those of parameters beside them that share one length."""
    shape, key = log.frames.shape[1:], log.key or ""
    if EMBEDDING.search(key) and not POSITIONAL.search(key):
        bias = log.arrays.get(key.removesuffix("weight") + "bias")
        if bias is None:
            yield _Evidence(0, f"{key} is (tokens, dimensions) as torch.nn.Embedding has it", by_name=True)
        elif bias[-1:] == shape[:1]:
            yield _Evidence(1, f"{key} is (dimensions, tokens) as torch.nn.Linear has it, with a bias", by_name=True)
    if shape[0] == shape[1]:
        return
    for name, lengths in log.arrays.items():
        shared = [axis for axis in (0, 1) if shape[axis] in lengths]
        if name == key or len(shared) != 1 or len(lengths) < 2:
            continue
        (width,) = shared
        of_positions = POSITIONAL.search(name) and not RELATIVE.search(name)
        if of_positions or (UNEMBEDDING.search(name) and _leaves_out_extra(lengths, p, shape[width], shape[1 - width])):
            yield _Evidence(1 - width, f"{name} {lengths} has d = {shape[width]}", by_name=True)


def _leaves_out_extra(unembedding: tuple[int, ...], p: int | None, d: int, tokens: int) -> bool:
    """Whether an unembedding has d inputs and p outputs, where there are a few tokens more."""
    # Sharing a length is not enough: behind a hidden layer an unembedding shares the tokens, and has another width.
    return p is not None and sorted(unembedding) == sorted((d, p)) and 0 < tokens - p <= MOST_EXTRA
