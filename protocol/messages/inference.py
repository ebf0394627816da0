"""What inference is asked, and what it answers: rows of texts, and the experts that write them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is drawn. `temperature` 0 takes the likeliest."""

    temperature: float = 0.8
    top_p: float = 0.95


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One text to generate: the conversation, or a bare `prompt` to continue; then how, and within which form.

    `schema` (JSON schema) and `grammar` (llguidance's Lark dialect) exclude each other. `expert` None is the base model.
    """

    turns: list[Turn] = []
    prompt: str = ""
    expert: str | None = None
    sampling: Sampling = Sampling()
    seed: int = 0
    schema: dict[str, Any] | None = None
    grammar: str | None = None
    max_tokens: int = 256


class Infer(msgspec.Struct, frozen=True, kw_only=True):
    """Generate all rows in one batch. With `stream`, each piece of text is a PARTIAL `Piece`."""

    rows: list[Row]
    stream: bool = False


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Text that row `row` has grown by."""

    row: int
    text: str


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One row's text. `finish`: it ended (`stop`), `max_tokens` or the deadline cut it (`length`), its form led nowhere

    (`stuck`: no token that the form allows is left), or it `failed`: the model's numbers for it ceased to be finite, or a model
    server did not make it. `reason` has words for the last two; a failure that has a `code` and a `hint` of its own has them here.
    """

    text: str
    tokens: int
    finish: Literal["stop", "length", "stuck", "failed"]
    reason: str = ""
    code: str = ""
    hint: str = ""


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """The rows' texts in order; `prompt_tokens` counts what was read for them: each distinct prompt once, without what was known from before.

    `model` is the digest of the base model that wrote them.
    """

    rows: list[Generated]
    prompt_tokens: int
    seconds: float
    model: str = ""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """Take the PEFT LoRA at `path` (a `.safetensors` with its `adapter_config.json` beside it) as the expert `name`."""

    path: str
    name: str


class Activate(msgspec.Struct, frozen=True, kw_only=True):
    """Bring the expert `name` to the device. `pin` True keeps it there, False lets it go again, None says nothing.

    A pin is the name's and the world's: it holds after a restart, and for other content that the name is given.
    """

    name: str
    pin: bool | None = None


class Prefetch(msgspec.Struct, frozen=True, kw_only=True):
    """`plan` will use these experts, by name, in this order; it replaces what the plan has said before.

    A hint: they are brought as near to the device as that disturbs nobody, and the reply waits for none of it.
    """

    plan: str
    experts: list[str]


class Evict(msgspec.Struct, frozen=True, kw_only=True):
    """Let the expert `name` leave the device and the memory; what the world keeps of it stays."""

    name: str


class Experts(msgspec.Struct, frozen=True, kw_only=True):
    """List all experts."""


class ExpertView(msgspec.Struct, frozen=True, kw_only=True):
    """An expert as it is now. `tier`: cold (in the world), warm (in memory), hot (in a slot of the device's bank).

    `bytes` is its size in the bank's layout; `last_used` is Unix time, None: not since the start. `reason` says why it
    left a tier, where it did, or why one that is `pinned` is not on the device. `invocation` are the tokens from whose last
    occurrence in a prompt on it speaks; none: always.
    """

    name: str
    sha256: str
    tier: Literal["cold", "warm", "hot"]
    bytes: int
    rank: int
    base_model: str
    last_used: float | None = None
    pinned: bool = False
    reason: str = ""
    invocation: list[int] = []


class ExpertReply(msgspec.Struct, frozen=True, kw_only=True):
    """The expert after an import, an activation or an eviction. `tid` is the commit of an import or a pin, None: nothing was new."""

    expert: ExpertView
    seconds: float
    tid: str | None = None


class ExpertsReply(msgspec.Struct, frozen=True, kw_only=True):
    experts: list[ExpertView]
