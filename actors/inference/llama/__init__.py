"""llama.cpp in this process: a GGUF file as it is, served over a socket of this machine to the generator for model servers."""
