"""A foreign LoRA adapter, as PEFT writes one: read whole and checked, or refused by name.

What others take in silence and then serve wrongly (half of the keys, modules that the model does not have, a rank that
the configuration denies, numbers that are none) must not come into the world. So the configuration is taken at its
word, and the file has to hold exactly what that word means for this base model: no key less, none more. A feature
that the bank cannot express is refused, those that are not known yet among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import torch
from safetensors import SafetensorError, safe_open

from actors.inference.weights.lora import CONFIG, WEIGHTS, Adapter, Pair, Shape
from protocol.errors import BatosError

T = TypeVar("T", int, float)

MAX_CONFIG_BYTES: Final = 1_000_000
MAX_INVOCATION: Final = 256
"""Tokens. It travels with the expert wherever that is listed."""

_PREFIX: Final = "base_model.model."
_SUFFIXES: Final = (".lora_A.weight", ".lora_B.weight")
_FLOATS: Final = frozenset({"F64", "F32", "F16", "BF16"})
_PLAIN_STARTS: Final = (True, False, "gaussian", "eva", "orthogonal")
"""How A and B may have begun. Every other way begins with a changed base model, which is not ours."""
_WITHOUT_EFFECT: Final = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "eva_config",
        "fan_in_fan_out",
        "inference_mode",
        "lora_dropout",
        "megatron_core",
        "peft_version",
        "qalora_group_size",
        "revision",
        "runtime_config",
        "task_type",
    }
)
"""Settings of training, or of features that have a switch of their own."""
_HINT: Final = "Give the folder, or the .safetensors in it, that PEFT's `save_pretrained` has written."


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What of an adapter's configuration has an effect here. `base_model_digest` is the base model's, where it is told."""

    peft_type: str
    r: int
    lora_alpha: float
    target_modules: str | list[str]
    exclude_modules: str | list[str] | None = None
    layers_to_transform: int | list[int] | None = None
    layers_pattern: str | list[str] | None = None
    rank_pattern: dict[str, int] | None = None
    alpha_pattern: dict[str, float] | None = None
    use_rslora: bool = False
    bias: str = "none"
    init_lora_weights: bool | str = True
    alora_invocation_tokens: list[int] | None = None
    base_model_digest: str | None = None


def read_adapter(
    path: Path, shapes: Mapping[str, Shape], *, rank: int, base_model: str, vocabulary: int | None = None
) -> Adapter:
    """The adapter at `path` for the base model with these linears; BAD_EXPERT says what is wrong with it.

    `rank` is the most that the bank can hold, `base_model` the digest of what the adapter must have been made for,
    `vocabulary` the number of tokens that the base model knows, where that is known.
    """
    weights = _weights(path)
    config = _config(weights.parent / CONFIG)
    check_invocation(config.alora_invocation_tokens, vocabulary)
    ranks = {name: _by_pattern(config.rank_pattern, name, config.r) for name in _targets(config, shapes)}
    _check_ranks(ranks, rank)
    try:
        with safe_open(weights, framework="pt") as file:
            made_for = (file.metadata() or {}).get("base_model_digest") or config.base_model_digest
            if made_for and made_for != base_model:
                raise BatosError(
                    "BAD_EXPERT",
                    f"the adapter was made for the base model {made_for[:12]}…, and {base_model[:12]}… is loaded",
                    "Train it on this base model, or set `model` under [inference] in batos.toml to its own.",
                )
            keys = _keys(file)
            _check_keys(file, keys, ranks, shapes)
            pairs = {name: _pair(file, keys, name, _scaling(config, name, rank)) for name, rank in ranks.items()}
    except (SafetensorError, OSError) as error:
        raise BatosError("BAD_EXPERT", f"{weights.name} cannot be read, is it whole? {error}", _HINT) from error
    return Adapter(max(ranks.values()), config.lora_alpha, pairs, tuple(config.alora_invocation_tokens or ()))


def _weights(path: Path) -> Path:
    if path.is_dir():
        if (path / WEIGHTS).is_file():
            return path / WEIGHTS
        raise BatosError(
            "BAD_EXPERT",
            f"{path} has no {WEIGHTS}",
            "Save the adapter as safetensors (`save_pretrained` does, unless told otherwise), or name the file itself.",
        )
    if not path.is_file():
        raise BatosError("UNREADABLE", f"there is no adapter at {path}", _HINT)
    if path.suffix != ".safetensors":
        raise BatosError("BAD_EXPERT", f"{path.name} is no .safetensors file", _HINT)
    return path


def _config(path: Path) -> Config:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise BatosError("BAD_EXPERT", f"the adapter's {CONFIG} cannot be read: {error.strerror}", _HINT) from error
    try:
        if len(text) > MAX_CONFIG_BYTES:
            raise ValueError(f"it is longer than {MAX_CONFIG_BYTES} bytes")  # noqa: TRY301 - one refusal for all
        said = msgspec.json.decode(text, type=dict[str, Any])
        _check_features(said)
        config = msgspec.convert(said, Config)
    except ValueError as error:
        raise BatosError("BAD_EXPERT", f"{CONFIG} is no configuration of a LoRA: {error}", _HINT) from error
    if config.bias != "none":
        raise _unsupported("bias", config.bias)
    if config.init_lora_weights not in _PLAIN_STARTS:
        raise _unsupported("init_lora_weights", config.init_lora_weights)
    alphas = [config.lora_alpha, *(config.alpha_pattern or {}).values()]
    if config.r < 1 or any(rank < 1 for rank in (config.rank_pattern or {}).values()):
        raise BatosError("BAD_EXPERT", f"{CONFIG} asks for a rank under 1", _HINT)
    if not all(map(math.isfinite, alphas)):
        raise BatosError("BAD_EXPERT", f"{CONFIG} has an alpha that is no number", _HINT)
    return config


def _check_features(said: dict[str, Any]) -> None:
    """Refuse what would change the outputs in a way that the bank does not know."""
    if said.get("peft_type") != "LORA":
        raise _unsupported("peft_type", said.get("peft_type"))
    for name, value in said.items():
        if value and name not in Config.__struct_fields__ and name not in _WITHOUT_EFFECT:
            raise _unsupported(name, value)


def _unsupported(name: str, value: Any) -> BatosError:
    return BatosError(
        "BAD_EXPERT",
        f"{CONFIG} says {name} = {str(value)[:60]}, which is not supported",
        "Supported is plain LoRA on linears: rank and alpha (patterns too), rsLoRA, aLoRA, bias none. Train it without that.",
    )


def check_invocation(tokens: list[int] | None, vocabulary: int | None) -> None:
    if tokens is None:
        return
    if not 0 < len(tokens) <= MAX_INVOCATION:
        raise BatosError(
            "BAD_EXPERT",
            f"{CONFIG} has {len(tokens)} alora_invocation_tokens, and an invocation has from 1 to {MAX_INVOCATION}",
            _HINT,
        )
    strange = [token for token in tokens if token < 0 or (vocabulary is not None and token >= vocabulary)]
    if strange:
        known = "" if vocabulary is None else f": the base model has {vocabulary}"
        raise BatosError(
            "BAD_EXPERT",
            f"{CONFIG} names the token {strange[0]} in alora_invocation_tokens, which is none{known}",
            "Was it made for another model? `batos status` names the one that is loaded.",
        )


def _targets(config: Config, shapes: Mapping[str, Shape]) -> list[str]:
    """The linears that the configuration means, in the model's order."""
    wanted = config.target_modules
    try:
        if isinstance(wanted, str):
            found = (
                list(shapes)
                if wanted.lower() == "all-linear"
                else [name for name in shapes if re.fullmatch(wanted, name)]
            )
        else:
            strangers = [word for word in wanted if not any(_ends(name, [word]) for name in shapes)]
            if strangers:
                raise BatosError(
                    "BAD_EXPERT",
                    f"target_modules names {strangers[0]!r}, and the base model has no such linear in its layers",
                    "Was it made for another model? `batos status` names the one that is loaded.",
                )
            found = [name for name in shapes if name in wanted or (_ends(name, wanted) and _is_in_layers(name, config))]
        excluded = config.exclude_modules or []
        if isinstance(excluded, str):
            found = [name for name in found if not re.fullmatch(excluded, name)]
        else:
            found = [name for name in found if not _ends(name, excluded)]
    except re.error as error:
        raise BatosError("BAD_EXPERT", f"a pattern in {CONFIG} is none: {error}", _HINT) from error
    if not found:
        raise BatosError("BAD_EXPERT", "target_modules means no linear of the base model", _HINT)
    return found


def _is_in_layers(name: str, config: Config) -> bool:
    """Whether the linear is in one of the layers that the configuration names by number, as PEFT reads them."""
    wanted = config.layers_to_transform
    if wanted is None or wanted == []:
        return True
    patterns = [config.layers_pattern] if isinstance(config.layers_pattern, str) else config.layers_pattern
    numbered = [rf"(?:^|.*?\.){pattern}\.(\d+)\." for pattern in patterns or () if pattern] or [r".*?\.[^.]*\.(\d+)\."]
    found = next(filter(None, (re.match(pattern, name) for pattern in numbered)), None)
    return found is not None and int(found[1]) in ([wanted] if isinstance(wanted, int) else wanted)


def _ends(name: str, words: Iterable[str]) -> bool:
    return any(name == word or name.endswith(f".{word}") for word in words)


def _by_pattern(patterns: Mapping[str, T] | None, name: str, default: T) -> T:
    """The first pattern's value that fits the end of `name`, as PEFT reads them."""
    try:
        for pattern, value in (patterns or {}).items():
            if re.match(rf"(.*\.)?({pattern})$", name):
                return value
    except re.error as error:
        raise BatosError("BAD_EXPERT", f"a pattern in {CONFIG} is none: {error}", _HINT) from error
    return default


def _check_ranks(ranks: Mapping[str, int], most: int) -> None:
    if max(ranks.values()) > most:
        raise BatosError(
            "BAD_EXPERT",
            f"the adapter's rank is {max(ranks.values())}, and the bank holds at most {most} (inference.rank)",
            f"Set `rank = {max(ranks.values())}` under [inference] in batos.toml, then `batos down` and `batos up`.",
            rank=max(ranks.values()),
        )


def _scaling(config: Config, name: str, rank: int) -> float:
    alpha = _by_pattern(config.alpha_pattern, name, config.lora_alpha)
    return alpha / math.sqrt(rank) if config.use_rslora else alpha / rank


def _keys(file: Any) -> dict[str, str]:
    """Each matrix's key by the one that PEFT saves it under: whoever has saved the model itself has the adapter's name in it."""
    keys: dict[str, str] = {}
    for key in file.keys():  # noqa: SIM118 - it is no mapping
        plain = re.sub(r"\.(lora_[AB])\.[^.]+\.weight\Z", r".\1.weight", key)
        if plain in keys:
            raise BatosError("BAD_EXPERT", f"the adapter holds {plain} twice, as {key} too", _HINT)
        keys[plain] = key
    return keys


def _check_keys(file: Any, keys: Mapping[str, str], ranks: Mapping[str, int], shapes: Mapping[str, Shape]) -> None:
    """Exactly the two matrices of each linear, each of the right shape and a float type; nothing is read for it."""
    expected: dict[str, list[int]] = {}
    for name, rank in ranks.items():
        shape = shapes[name]
        for suffix, size in zip(_SUFFIXES, ([rank, shape.inputs], [shape.outputs, rank]), strict=True):
            expected[f"{_PREFIX}{name}{suffix}"] = size
    found = set(keys)
    lacking = [key for key in expected if key not in found]
    strange = sorted(found - set(expected))
    if lacking:
        also = f", and holds {strange[0]} which none asks for" if strange else ""
        raise BatosError(
            "BAD_EXPERT", f"the adapter lacks {len(lacking)} of {len(expected)} matrices: {lacking[0]}{also}", _HINT
        )
    if strange:
        raise BatosError(
            "BAD_EXPERT", f"the adapter holds {strange[0]}, which its configuration does not account for", _HINT
        )
    for key, size in expected.items():
        part = file.get_slice(keys[key])
        if list(part.get_shape()) != size:
            raise BatosError(
                "BAD_EXPERT",
                f"{key} has the shape {list(part.get_shape())}, and configuration and base model mean {size}",
                _HINT,
            )
        if part.get_dtype() not in _FLOATS:
            raise BatosError("BAD_EXPERT", f"{key} is of type {part.get_dtype()}, which is no float", _HINT)


def _pair(file: Any, keys: Mapping[str, str], name: str, scaling: float) -> Pair:
    a, b = (file.get_tensor(keys[f"{_PREFIX}{name}{suffix}"]).float() for suffix in _SUFFIXES)
    for key, tensor in zip(_SUFFIXES, (a, b), strict=True):
        if not bool(torch.isfinite(tensor).all()):
            raise BatosError(
                "BAD_EXPERT", f"{name}{key} holds a number that is not finite", "Its training has diverged."
            )
    return Pair(a, b * scaling)
