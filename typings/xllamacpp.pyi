# What this program uses of xllamacpp, which has no types of its own.
from typing import Any

class CpuParams:
    n_threads: int
    poll: int

class CommonParamsModel:
    path: str

class CommonParams:
    model: CommonParamsModel
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    n_ctx: int
    n_parallel: int
    n_gpu_layers: int
    kv_unified: bool
    hostnames: list[str]
    port: int
    api_keys: list[str]
    model_alias: set[str]
    ui: bool
    endpoint_slots: bool
    warmup: bool
    fit_params: bool
    check_tensors: bool
    cache_ram_mib: int
    verbosity: int
    def __init__(self) -> None: ...

class Server:
    listening_address: str
    def __init__(self, params: CommonParams) -> None: ...
    def handle_completions(self, body: dict[str, Any]) -> dict[str, Any]: ...
