"""Benchmarks: one file a group of claims, each measured beside its peer or its physical limit in the same run."""
