"""What the names of checkpoints say: numbers that may be a time, and words for files that are none of a run's steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["CHECKPOINT", "EPOCH", "PLAIN", "STEP", "Number", "numbers_of", "put_aside"]

STEP, EPOCH, CHECKPOINT, PLAIN = "step", "epoch", "checkpoint", "plain"
"""Kinds of numbers: tied to a word for steps, to one for epochs, to one for a checkpoint, to neither."""

# Words are runs of letters; of compounds such as globalstep or trainiter the end decides.
STEP_ENDS = ("step", "steps", "iter", "iters", "itr", "iteration", "iterations")
STEP_WORDS = ("it", "its", "update", "updates", "upd")  # whole words that are no end of a longer one
EPOCH_ENDS, EPOCH_WORDS = ("epoch", "epochs"), ("ep",)
# Also as the end of modelcheckpoint.
CHECKPOINT_ENDS = ("checkpoint", "checkpoints", "ckpt", "ckpts", "chkpt", "ckp", "snapshot", "save")

# Numbers tied to these are never times: results, and what tells one training or one part of a file from another.
METRIC_ENDS = ("loss", "acc", "accuracy", "error", "err", "score", "perplexity", "ppl", "reward", "return")
METRIC_WORDS = (  # what trainings are scored by
    *("val", "valid", "validation", "dev", "test", "metric", "wer", "cer", "ter", "bleu", "rouge", "f", "auc", "ap"),
    *("map", "iou", "miou", "psnr", "ssim", "fid", "mse", "mae", "rmse", "nll", "bpc", "bpb", "top", "hits", "corr"),
    *("precision", "recall", "kl", "elbo", "grad", "norm", "monitor"),
)
NUMBERED_METRICS = ("top", "f", "hits", "map", "ap")  # top1_76, f1_80: the second number is their value
SETTING_WORDS = (  # runs, parts of files, and hyperparameters
    *("seed", "run", "version", "v", "rank", "shard", "part", "fold", "trial", "exp", "experiment", "gpu", "node"),
    *("worker", "lr", "wd", "bs", "p", "d", "dim", "width", "depth", "layer", "layers", "head", "heads", "hidden"),
    *("size", "res", "of", "group", "task", "job", "replica", "frac", "beta", "alpha", "gamma", "dropout"),
)
UNITS = {"k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6}  # of counts: 10k, 1M

DIGITS = "0123456789"  # str.isdigit takes others too, such as ²
TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)*|[^A-Za-z\d]+", re.ASCII)  # a word, a number, or what is between them
FORGOTTEN = "\0"  # stands where a number was that is no count: between separators it ties nothing to nothing
NO_COUNT = re.compile(
    r"\d+(?:\.\d+)?[eE][-+]?\d+(?![A-Za-z\d])"  # 1e-4
    r"|(?<!\d)(?:19|20)\d\d([-_.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)"  # 2024-01-31
    r"(?:[T_\- ](?:[01]\d|2[0-3])([-:_.])[0-5]\d\2[0-5]\d(?!\d))?",  # T12-30-00
    re.ASCII,
)
FARTHEST = 3  # characters between a word and the number tied to it, as in "step = 5"

STATE_WORDS = frozenset(  # files beside a checkpoint that hold no model
    (
        *("optim", "optims", "optimizer", "optimizers", "optimiser", "scheduler", "sched", "scaler", "rng", "args"),
        *("dataloader",),
    )
)
MODELS = ("model_optim_rng",)  # Megatron's, with the model, its optimiser's state and the generators' in one
COPY_WORDS = frozenset(  # copies of a checkpoint, and averages of several
    (
        *("best", "last", "final", "latest", "ema", "swa", "averaged", "average", "avg", "bestmodel", "modelbest"),
        *("interrupted", "backup", "tmp", "temp"),
    )
)


@dataclass(frozen=True)
class Number:
    """A number in a name.

    Attributes
    ----------
    value
        What it counts: 10000 for 10k.
    kind
        The kind of word that it is tied to.
    text
        As it is written, for sentences.
    at
        Where it begins in the name.
    rival
        The other word that it may be tied to, as in epoch_500_step.
    """

    value: float
    kind: str
    text: str
    at: int
    rival: str = ""


@dataclass
class _Token:
    text: str
    at: int
    word: str = ""  # small letters
    count: bool = False  # a number that may be one of steps
    scale: float = 1
    kind: str = ""
    rival: str = ""


def put_aside(name: str) -> str:
    """The word for which a file is none of the steps of a run, such as best or optimizer; "" if there is none.

    Names are split where letters end and where capitals begin.
    """
    if name in MODELS:
        return ""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", spaced)]
    for known in (STATE_WORDS, COPY_WORDS):
        found = next((word for word in words if word in known), "")
        if found:
            return found
    return ""


def numbers_of(name: str) -> tuple[Number, ...]:
    """The numbers in a name without suffix that may be a time, in their order.

    A decimal is none unless it counts epochs or thousands; neither is a number tied to a metric or a setting, one in
    exponents, a date, or a part of an identifier such as 7b or a3f4.
    """
    tokens = _tokens(name)
    for i, token in enumerate(tokens):
        token.kind = token.kind or (_claim(tokens, i) if token.word else "")
    for token in tokens:
        if token.count and not token.kind:
            token.kind = _kind_before(tokens, token)
    numbers = [t for t in tokens if t.count and t.kind and _is_whole_enough(t)]
    return tuple(Number(float(t.text) * t.scale, t.kind, t.text, t.at, t.rival) for t in numbers)


def _tokens(name: str) -> list[_Token]:
    blanked = NO_COUNT.sub(lambda m: m[0] if _after_time_word(name, m.start()) else FORGOTTEN * len(m[0]), name)
    found = [(m[0], m.start()) for m in TOKEN.finditer(blanked)]
    tokens: list[_Token] = []
    for i, (text, at) in enumerate(found):
        after = found[i + 1][0] if i + 1 < len(found) else ""
        beyond = found[i + 2][0] if i + 2 < len(found) else ""
        token = _Token(text, at)
        if text[0] in DIGITS:
            million = after != "m" or _after_time_word(name, at)  # 70m without a word is the size of a model
            token.scale = UNITS.get(after, 1) if million and beyond[:1] not in tuple(DIGITS) else 1
            pointed = bool(tokens) and tokens[-1].text.endswith(".")  # epoch.3.500 separates by points
            token.count = text.count(".") < 2 - pointed and _is_count(tokens, after, token.scale)
        elif text.isalpha():
            unit = text in UNITS and tokens and tokens[-1].scale != 1
            token.word = "" if unit else text.lower()
            if unit:  # it belongs to its number, and a word after it is next to that
                continue
        tokens.append(token)
    return tokens


def _is_count(before: Sequence[_Token], after: str, scale: float) -> bool:
    """Whether a number is no part of an identifier; `after` is what follows it without a break."""
    if after.isalpha() and scale == 1 and not _time_kind(after.lower()):
        return False
    if not before or not before[-1].word:
        return True
    glued_twice = len(before) > 1 and before[-2].text[0] in DIGITS
    return not glued_twice or bool(_time_kind(before[-1].word))


def _after_time_word(name: str, at: int) -> bool:
    word = re.search(r"([A-Za-z]+)[-_=:. ]{0,3}$", name[:at])
    return word is not None and bool(_time_kind(word[1].lower()))


def _time_kind(word: str) -> str:
    if word.endswith(STEP_ENDS) or word in STEP_WORDS:
        return STEP
    return EPOCH if word.endswith(EPOCH_ENDS) or word in EPOCH_WORDS else ""


def _claim(tokens: Sequence[_Token], i: int) -> str:
    """Tie a number beside the word for steps or epochs at `i` to it; returns the kind of that word."""
    kind = _time_kind(tokens[i].word)
    if not kind:
        return ""
    ahead, behind = _beside(tokens, i, 1), _beside(tokens, i, -1)
    taken = behind.kind if behind is not None else ""
    word = _word_before(tokens, behind) if behind is not None else ""
    own = i > 1 and behind is tokens[i - 1] and not tokens[i - 2].word  # run_10steps: the nearer word counts
    free = behind if not taken and (own or not _is_no_time(word)) else None
    glued = _glued(tokens, i, 1), _glued(tokens, i, -1) if free is not None else None
    places = [number for number in (*glued, ahead, free) if number is not None]
    preferred = (n for n in places if "." not in n.text and not (n is free and word and n is not glued[1]))
    chosen = next(preferred, next((n for n in places if _fits(n, kind)), None))
    if chosen is not None:
        chosen.kind = kind
        if chosen is ahead and chosen is not glued[0] and free is not None and not word and "." not in free.text:
            free.kind = kind  # 3_epoch_500: both may be meant
    elif behind is not None and taken in (STEP, EPOCH) and taken != kind:
        behind.rival = kind  # epoch_500_step
    return kind


def _fits(number: _Token, kind: str) -> bool:
    """Decimals count epochs, or thousands."""
    return "." not in number.text or number.scale != 1 or kind == EPOCH


def _neighbours(tokens: Sequence[_Token], i: int, way: int) -> Iterator[_Token]:
    at = i + way
    while 0 <= at < len(tokens):
        yield tokens[at]
        at += way


def _glued(tokens: Sequence[_Token], i: int, way: int) -> _Token | None:
    first = next(_neighbours(tokens, i, way), None)
    return first if first is not None and first.count else None


def _beside(tokens: Sequence[_Token], i: int, way: int) -> _Token | None:
    """The number next to a word, or with a separator between."""
    for token in _neighbours(tokens, i, way):
        if token.count:
            return token
        if token.word or token.text[0] in DIGITS or FORGOTTEN in token.text or len(token.text) > FARTHEST:
            return None
    return None


def _word_before(tokens: Sequence[_Token], number: _Token) -> str:
    """The word that a number follows, "" if there is none next to it."""
    at = next(i for i, token in enumerate(tokens) if token is number)
    for i in range(at - 1, -1, -1):
        token = tokens[i]
        if token.word:
            return token.word
        named = i > 0 and tokens[i - 1].word in NUMBERED_METRICS
        if FORGOTTEN in token.text or len(token.text) > FARTHEST or (token.text[0] in DIGITS and not named):
            return ""
    return ""


def _is_no_time(word: str) -> bool:
    return word.endswith(METRIC_ENDS) or word in METRIC_WORDS or word in SETTING_WORDS


def _kind_before(tokens: Sequence[_Token], number: _Token) -> str:
    """The kind of a number that no word for steps or epochs claims; "" if it can't be a time."""
    word = _word_before(tokens, number)
    if _is_no_time(word):
        return ""
    return CHECKPOINT if word.endswith(CHECKPOINT_ENDS) else PLAIN


def _is_whole_enough(token: _Token) -> bool:
    return "." not in token.text or _fits(token, token.kind)
