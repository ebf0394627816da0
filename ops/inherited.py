"""What the processes of a home inherit of the environment in which `batos up` was typed.

That environment may hold keys and passwords of other programs. So a variable that is not named here is left out, and our own
secret goes only to the process that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SECRETS: Final = {"BATOS_API_KEY": "inference"}
"""A secret's name, and the program that it is for."""

_NAMES: Final = frozenset(
    {
        *("HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOGNAME", "PATH", "SHELL", "SSL_CERT_DIR"),
        *("SSL_CERT_FILE", "TMPDIR", "TOKENIZERS_PARALLELISM", "TZ", "USER", "VIRTUAL_ENV"),
    }
)
_PREFIXES: Final = (
    *("BATOS_", "LC_", "PYTHON", "XDG_"),
    *("HF_", "SENTENCE_TRANSFORMERS_", "TRANSFORMERS_"),
    *("ATEN_", "DNNL_", "GOMP_", "GOTO_", "KMP_", "MALLOC_", "MKL_", "NUMEXPR_", "OMP_", "ONEDNN_", "OPENBLAS_"),
    *("CUBLAS", "CUDA", "CUDNN", "HIP_", "HSA_", "NVIDIA_", "PYTORCH_", "ROCR_", "TORCH", "TRITON_"),
)
_SECRET_ENDINGS: Final = ("KEY", "PASSWORD", "SECRET", "TOKEN")
"""A name that ends so is a secret, whatever it begins with: `HF_TOKEN`."""


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What everybody inherits of `environ`."""
    return {
        name: value
        for name, value in environ.items()
        if (name in _NAMES or name.startswith(_PREFIXES)) and not name.endswith(_SECRET_ENDINGS)
    }


def secrets(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What a program inherits besides, by the program's name."""
    found: dict[str, dict[str, str]] = {}
    for name, program in SECRETS.items():
        if name in environ:
            found.setdefault(program, {})[name] = environ[name]
    return found
