"""A home: the folder that holds everything of one world, and its configuration.

All processes of a world agree on these paths and settings, which is why they stand with the protocol. A home is
`--home`, else `$BATOS_HOME`, else `batos` in the XDG data folder. The configuration is `batos.toml` there;
an absent file or line means the default, an unknown line is an error.

Which engine generates follows from it too (`choose`): the actor that generates and the command that explains ask the same
function, so that neither says what the other does not do. Nothing is loaded for that but four bytes of the model.
"""

from __future__ import annotations

import os
import re
import stat
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from protocol.errors import BatosError

MAX_SOCKET_PATH: Final = 107
"""Bytes in the path of a unix socket (sun_path less its final zero)."""


EXTRA: Final = "xllamacpp"
"""The package that brings llama.cpp."""
INSTALL: Final = "pip install 'batos[llama]'"

_MAGIC: Final = b"GGUF"
_DEVICES: Final = Path("/dev")
_NO_GGUF: Final = "Point `model` under [inference] in batos.toml at a GGUF file, or set engine to auto."

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


AtLeast0 = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
AtLeast1 = Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Few = Annotated[int, msgspec.Meta(ge=1, le=4096)]
Threads = Annotated[int, msgspec.Meta(ge=0, le=4096)]


def duration(text: str) -> float:
    """The seconds of a text such as `30d`, `12h`, `90m`; ValueError says what one looks like."""
    read = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if read is None or int(read[1]) == 0:
        raise ValueError(f"{text[:40]!r} is no time; write a number and one of s, m, h, d, w, such as 30d")
    return float(int(read[1]) * _UNITS[read[2]])


class Inference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`model`: a Hugging Face folder or a GGUF file; empty is the embedded default. `threads` 0: as torch likes.

    `quantization` `nf4` keeps the weights in four bits. Weights over `device_bytes` stay in main memory, weights over
    `memory_bytes` on the disk; 0 is as much as there is.

    The bank holds `slots` experts of at most `rank` on the device; `warm_bytes` bounds the experts kept in memory, and
    `prefix_bytes` what is kept on the device of prompts that were read; 0 is a share of what is free there.

    `engine` says who generates (docs/engines.md): the `local` device; `llama`, which is llama.cpp on the processor, for a GGUF
    file; `auto`, the one of these two that fits; or `openai`, the OpenAI-compatible server at `url`, which
    has the model under the name `served` (empty: the only one that it has) and reads experts from the folder `exchange`
    (empty: one in the home); then `model` is a folder with the model's `config.json` and tokenizer, or the model's name there, or
    empty, and `digest` its identity (empty: drawn from what is known of it and the name).

    `form` is the shape in which the model begins to write methods (`auto`: the one that its placement has found), and
    `form_tokens` the most that a method may have in the wider ones.
    """

    engine: Literal["auto", "local", "llama", "openai"] = "auto"
    url: str = ""
    served: str = ""
    digest: str = ""
    exchange: str = ""
    model: str = ""
    device: Annotated[str, msgspec.Meta(pattern="^(auto|cpu|cuda)$")] = "auto"
    dtype: Annotated[str, msgspec.Meta(pattern="^(auto|bfloat16|float16|float32)$")] = "auto"
    threads: Threads = 0
    seed: int = 0
    quantization: Literal["none", "nf4"] = "none"
    device_bytes: AtLeast0 = 0
    memory_bytes: AtLeast0 = 0
    slots: Few = 4
    rank: Few = 16
    warm_bytes: AtLeast0 = 2_000_000_000
    prefix_bytes: AtLeast0 = 0
    form: Literal["auto", "narrow", "open", "free"] = "auto"
    form_tokens: Annotated[int, msgspec.Meta(ge=16, le=4096)] = 400


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`model`: a sentence-transformers folder; empty is the embedded default. `chunking`: `changepoint` or `adjacent`.

    `chunk_tokens` is the most that a chunk may have; `threads` 0: as torch likes. `index` is who finds words: `segments`, or
    `okapi` of zope.index, which is slower and larger and gives the same; `b` is how much a long passage owes for its length.
    """

    model: str = ""
    chunking: Literal["changepoint", "adjacent"] = "changepoint"
    chunk_tokens: Annotated[int, msgspec.Meta(ge=16, le=4096)] = 250
    threads: Threads = 1
    index: Literal["segments", "okapi"] = "segments"
    b: Share = 0.5


class Guardian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`workers`: methods that run at once; 0 is one for each core that is available to us.

    `may_lack` names the layers of the jail that this machine is allowed to be without.
    """

    workers: Threads = 0
    may_lack: list[str] = []


class Orchestrator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Budgets of one mandate: sends performed, tokens generated, depth of sends. `queue`: mandates at once.

    `keep`: how long the journal has message and end of a mandate that has ended (a number and one of s, m, h, d, w), and their
    digests after that; `keep_mandates`: how many of them it knows at most, with their idempotency keys; the oldest go first.

    `learning`: whether the mind installs the methods that it writes (`auto`), proposes them, or writes none (`deny`), where
    neither an object nor a parent of it says so in its slot `_learning`.
    """

    effects: AtLeast1 = 2000
    tokens: AtLeast1 = 20_000
    depth: Few = 64
    queue: Few = 64
    keep: str = "30d"
    keep_mandates: AtLeast1 = 100_000
    learning: Literal["auto", "propose", "deny"] = "auto"

    def __post_init__(self) -> None:
        try:
            duration(self.keep)
        except ValueError as error:
            raise ValueError(f"keep: {error}") from error


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`uri`: a zodburi; empty is the ZEO server of this home."""

    uri: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    inference: Inference = Inference()
    memory: Memory = Memory()
    guardian: Guardian = Guardian()
    orchestrator: Orchestrator = Orchestrator()
    storage: Storage = Storage()


class Home(msgspec.Struct, frozen=True):
    """The folder `root` (absolute) and what stands where in it."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "batos.toml"

    @property
    def run(self) -> Path:
        """Sockets, locks and pid files, readable by the owner alone."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def world(self) -> Path:
        return self.root / "world"

    @property
    def database(self) -> Path:
        return self.world / "world.fs"

    @property
    def blobs(self) -> Path:
        return self.world / "blobs"

    @property
    def staging(self) -> Path:
        """Where adapters may be laid that inference is to take in when it starts."""
        return self.root / "staging"

    @property
    def journal(self) -> Path:
        return self.root / "journal.sqlite"

    @property
    def backup(self) -> Path:
        """Where the program itself makes a backup, before a newer one changes the world's form."""
        return self.root / "backup"

    @property
    def backups(self) -> Path:
        """Into which folders the home was backed up: whoever forgets something for good has to know."""
        return self.root / "backups.json"

    @property
    def rehearsal(self) -> Path:
        """A copy of the world and the journal, in which steps to a newer form are tried."""
        return self.root / "rehearsal"

    @property
    def restoring(self) -> Path:
        """A backup that is being copied, and not verified yet."""
        return self.root / "restoring"

    @property
    def restored(self) -> Path:
        """A backup that is verified, and not all in its place yet."""
        return self.root / "restored"

    @property
    def bus(self) -> str:
        """The broker's endpoint."""
        return f"ipc://{self.run / 'bus.sock'}"

    @property
    def zeo_socket(self) -> Path:
        return self.run / "zeo.sock"

    @property
    def join_socket(self) -> Path:
        """Where a worker asks the broker for its token."""
        return self.run / "join.sock"

    @property
    def supervisor_socket(self) -> Path:
        return self.run / "supervisor.sock"

    def actor_sockets(self) -> dict[str, list[Path]]:
        """The sockets at which an actor listens, by its name."""
        return {"broker": [self.run / "bus.sock", self.join_socket], "storage": [self.zeo_socket]}

    def socket_paths(self) -> list[Path]:
        return [*(path for paths in self.actor_sockets().values() for path in paths), self.supervisor_socket]

    def prepare(self) -> Home:
        """Make the folders, and shut everybody but the owner out of all that stands in the home already.

        PATH_TOO_LONG before a socket could fail, STORAGE where it cannot write, HALF_RESTORED where a restore was killed.
        """
        self._check_restored()
        for path in self.socket_paths():
            # supervisord binds a temporary name (".<pid>") beside its socket first.
            length = len(os.fsencode(path)) + 12
            if length > MAX_SOCKET_PATH:
                raise BatosError(
                    "PATH_TOO_LONG",
                    f"{path} is too long for a unix socket ({length} of {MAX_SOCKET_PATH} bytes)",
                    "Choose a home with a shorter path: --home, or BATOS_HOME.",
                )
        try:
            for folder in (self.root, self.run, self.log, self.world, self.blobs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The root first: nobody else is to come in while the rest is shut.
            self.root.chmod(0o700)
            _shut(self.root)
        except OSError as error:
            raise BatosError(
                "STORAGE", f"cannot prepare the home {self.root}: {error}", "Give a folder that you may write to."
            ) from error
        return self

    def _check_restored(self) -> None:
        for half in (self.restoring, self.restored):
            if half.exists():
                raise BatosError(
                    "HALF_RESTORED",
                    f"a restore of the home {self.root} has not ended: {half.name} is there",
                    f"If none is running, run it again: batos restore DIR --home {self.root}",
                )

    def settings(self) -> Settings:
        """The configuration; BAD_CONFIG names the file and what is wrong in it."""
        try:
            text = self.config.read_bytes()
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            raise BatosError("BAD_CONFIG", f"cannot read {self.config}: {error}") from error
        try:
            return msgspec.toml.decode(text, type=Settings)
        except (msgspec.DecodeError, ValueError) as error:
            raise BatosError("BAD_CONFIG", f"{self.config}: {error}", "Correct that line, or remove it.") from error


class Choice(NamedTuple):
    """The engine, why it is that one, and what would be faster here; `faster` is empty where nothing is known to be."""

    engine: Literal["local", "llama", "openai"]
    why: str
    faster: str = ""


def choose(settings: Inference, root: Path) -> Choice:
    """The engine for these settings of the home at `root`; BAD_CONFIG where `llama` is named and cannot be."""
    if settings.engine == "openai":
        return Choice("openai", "configured")
    path = gguf_file(settings, root)
    cuda = has_cuda(settings)
    if settings.engine == "llama":
        _check_llama(settings, path)
        return Choice("llama", "configured")
    if path is None:
        why = "the embedded default" if not settings.model else "the model is no GGUF file"
        return _local(settings, why)
    if cuda:
        return _local(settings, "there is a CUDA device")
    if settings.quantization != "none":
        return _local(settings, f"quantization is {settings.quantization}, which the local engine alone knows")
    if not has_llama():
        return _local(settings, f"{EXTRA} is not installed", f"{INSTALL} decodes this file about 4 times as fast")
    if settings.engine == "local":
        return _local(settings, "", f'engine = "llama" under [inference] decodes {path.name} about 4 times as fast')
    return Choice("llama", f"{path.name} is a GGUF file, {EXTRA} is installed, and there is no CUDA device")


def find_home(root: str | os.PathLike[str] | None = None) -> Home:
    """The home at `root`, or the one that the environment names."""
    chosen = root or os.environ.get("BATOS_HOME")
    if not chosen:
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        chosen = Path(data) / "batos"
    return Home(Path(chosen).expanduser().absolute())


def gguf_file(settings: Inference, root: Path) -> Path | None:
    """The configured model where it is a GGUF file, as the actors find it: from the home."""
    if not settings.model:
        return None
    path = root / Path(settings.model).expanduser()
    try:
        with path.open("rb") as file:
            return path if file.read(len(_MAGIC)) == _MAGIC else None
    except OSError:
        return None


def has_llama() -> bool:
    """Whether the extra is installed."""
    return util.find_spec(EXTRA) is not None


def has_cuda(settings: Inference, devices: Path = _DEVICES) -> bool:
    """Whether the local engine would compute on a CUDA device: there is one, and torch is no build for processors alone."""
    if settings.device == "cpu" or not any(devices.glob("nvidia[0-9]*")):
        return False
    try:
        return "+cpu" not in metadata.version("torch")
    except metadata.PackageNotFoundError:
        return False


def _local(settings: Inference, why: str, faster: str = "") -> Choice:
    return Choice("local", "configured" if settings.engine == "local" else why, faster)


def _check_llama(settings: Inference, path: Path | None) -> None:
    named = "inference.engine is llama"
    if path is None:
        what = repr(settings.model) if settings.model else "the embedded default"
        raise BatosError("BAD_CONFIG", f"{named}, and {what} is no GGUF file", _NO_GGUF)
    if settings.device == "cuda":
        hint = 'Set engine = "local" for the CUDA device, or device = "cpu".'
        raise BatosError("BAD_CONFIG", f"{named}, which computes on the processor, and inference.device is cuda", hint)
    if settings.quantization != "none":
        hint = 'Remove quantization: a GGUF file has its own; or set engine = "local".'
        raise BatosError("BAD_CONFIG", f"{named}, and inference.quantization is {settings.quantization}", hint)
    if not has_llama():
        raise BatosError("BAD_CONFIG", f"{named}, and {EXTRA} is not installed", f"{INSTALL}, or set engine to auto.")


def _shut(folder: str | os.PathLike[str]) -> None:
    """Take from group and others what they may do with anything under `folder`. A link is not followed.

    What belongs to another user, like the `lost+found` of a disk, stays as it is: it is not ours to change.
    """
    me = os.geteuid()
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(found.st_mode) or me not in (0, found.st_uid):
                    continue
                if found.st_mode & 0o077:
                    os.chmod(entry.path, stat.S_IMODE(found.st_mode) & ~0o077)  # noqa: PTH101 - no Path for each file
                if stat.S_ISDIR(found.st_mode):
                    _shut(entry.path)
            except FileNotFoundError:
                continue  # removed meanwhile by whoever runs here
