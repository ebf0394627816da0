"""What inference is asked, and what it answers: rows of texts, and the experts that write them."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

MAX_ROWS: Final = 64
"""In one batch."""
MAX_TOKENS: Final = 256
"""Of a text whose row says nothing else."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is drawn. `temperature` 0 takes the likeliest."""

    temperature: float = 0.8
    top_p: float = 0.95


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One text to generate, from a conversation (`turns`) or from a bare `prompt` that is continued.

    `schema` (a JSON schema) and `grammar` (in llguidance's dialect of Lark) bind the form of the text; at most one of them is
    given. `expert` is a name, None for the base model alone. `scored`: how likely the text was is wanted too.
    """

    turns: list[Turn] = []
    prompt: str = ""
    expert: str | None = None
    sampling: Sampling = Sampling()
    seed: int = 0
    schema: dict[str, Any] | None = None
    grammar: str | None = None
    max_tokens: int = MAX_TOKENS
    scored: bool = False


class Infer(msgspec.Struct, frozen=True, kw_only=True):
    """Generate all rows in one batch. With `stream`, each new piece of text comes as a partial reply."""

    rows: list[Row]
    stream: bool = False


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Text that row `row` has grown by."""

    row: int
    text: str


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One row's text, and why it ended.

    `finish` is `stop` where the model ended it, `length` where `max_tokens` or the deadline cut it, `stuck` where its form
    allows no further token, `failed` where the model's numbers for it ceased to be finite, where its prompt or its form could
    not be read, or where a model server did not make it. `reason` explains the last two; a failure with a `code` and a `hint`
    of its own has them here.

    `logprob` is the natural logarithm of how likely the model found the text, where the row was to be `scored`: the sum over
    its tokens, and the one that ended it, of the distribution among the tokens that its form allowed there, before temperature
    and nucleus; so what the form forces costs nothing. A model server's are summed as it tells them, of the tokens alone, and
    most tell those before the form. None where nobody has counted.
    """

    text: str
    tokens: int
    finish: Literal["stop", "length", "stuck", "failed"]
    reason: str = ""
    code: str = ""
    hint: str = ""
    logprob: float | None = None


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """How fast texts were made lately, in tokens a second; 0 is not known yet.

    `read`: of prompts. `one`: of a text alone. `many`: of all `rows` texts of a batch together.
    """

    read: float = 0.0
    one: float = 0.0
    many: float = 0.0
    rows: int = 0


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """The rows' texts, in order.

    `prompt_tokens` counts the tokens that were read for them: each distinct prompt once, without the part that was kept from
    an earlier request. `model` is the digest of the base model.
    """

    rows: list[Generated]
    prompt_tokens: int
    seconds: float
    model: str = ""
    speed: Speed = Speed()


class BaseModel(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the base model that generates."""


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What generates can do, and how it is told to. Of a model server all of this was tried when it was reached.

    `engine` is the name that a server gives itself, empty where it tells none. Where a value is `native`, this process does it
    itself. Else:

    `grammar`: the field by which a grammar binds a text, `structured_outputs` (vLLM's) or `grammar` (llama.cpp's, with a first
    line that names llguidance). `schema`: the one for a JSON schema, `response_format` or `json_schema`.
    `token_ids`: prompts go as token ids. `completions`: a bare prompt can be continued; without it there is chat alone.
    `likelihood`: where it tells how likely each token was, in a list of numbers or in a list of tokens that have one each.
    `seeds`: the same seed gives the same text. `texts`: so many texts of one prompt in one request.
    `context`: so many tokens may a prompt and its text have together, 0 where nobody tells.
    `lora`: an expert is loaded while the server runs, or named with a request among those that it was started with.

    `instead` says by the name of an ability that is missing why it is, and what is done instead.
    """

    engine: str = ""
    grammar: Literal["native", "structured_outputs", "grammar", "none"] = "none"
    schema: Literal["native", "response_format", "json_schema", "none"] = "none"
    token_ids: bool = False
    completions: bool = True
    likelihood: Literal["native", "token_logprobs", "content", "none"] = "none"
    seeds: bool = False
    texts: int = 1
    context: int = 0
    lora: Literal["native", "load", "request", "none"] = "none"
    instead: dict[str, str] = {}


class BaseModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """The base model that generates: its digest, where it came from, whether a grammar binds its texts, and what it can do."""

    digest: str
    source: str
    grammars: bool = True
    speed: Speed = Speed()
    abilities: Abilities = Abilities()


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """Take the PEFT LoRA at `path` (a `.safetensors` with its `adapter_config.json` beside it) as the expert `name`.

    An expert's own file, as `GiveExpert` writes it, may stand at `path` too.
    """

    path: str
    name: str


class GiveExpert(msgspec.Struct, frozen=True, kw_only=True):
    """Write the expert `name`, as the world keeps it, into the new file `path`: its sha256 is that of the file."""

    name: str
    path: str


class Activate(msgspec.Struct, frozen=True, kw_only=True):
    """Bring the expert `name` to the device. `pin` True keeps it there, False ends that, None changes nothing.

    A pin belongs to the name and is kept in the world: it holds after a restart, and when the name is given other content.
    """

    name: str
    pin: bool | None = None


class Prefetch(msgspec.Struct, frozen=True, kw_only=True):
    """Announce that the plan called `plan` will use these experts, in this order. It replaces what the plan announced before.

    It is a hint: the experts are brought as near to the device as possible without disturbing anybody, and the reply does not
    wait for that.
    """

    plan: str
    experts: list[str]


class Evict(msgspec.Struct, frozen=True, kw_only=True):
    """Remove the expert `name` from the device and from memory. It stays in the world."""

    name: str


class Experts(msgspec.Struct, frozen=True, kw_only=True):
    """List all experts."""


class ExpertView(msgspec.Struct, frozen=True, kw_only=True):
    """An expert as it is now. `tier`: cold (in the world), warm (in memory), hot (in a slot of the device's bank).

    `bytes` is its size in the bank's layout. `last_used` is Unix time, None where it was not used since the start. `reason`
    says why it has left a tier, or why one that is `pinned` is not on the device. `invocation` are the tokens that activate
    it: it speaks from their last occurrence in a prompt on, and everywhere where there are none.
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
    """The expert after an import, an activation or an eviction. `tid` is the commit, None where nothing was written."""

    expert: ExpertView
    seconds: float
    tid: str | None = None


class ExpertsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The experts as they are now."""

    experts: list[ExpertView]
