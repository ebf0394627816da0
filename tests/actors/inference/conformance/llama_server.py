"""llama.cpp's own server over the file that is named, until its input ends: `python llama_server.py FILE KEY`."""

import sys

import xllamacpp

wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.api_keys = sys.argv[1], [sys.argv[2]]
wanted.hostnames, wanted.port = ["127.0.0.1"], 0
wanted.n_ctx, wanted.n_parallel, wanted.kv_unified = 1024, 4, True
wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1
wanted.cache_ram_mib, wanted.verbosity, wanted.warmup = 0, -1, False
server = xllamacpp.Server(wanted)
sys.stdout.write(f"{server.listening_address}\n")
sys.stdout.flush()
sys.stdin.read()
