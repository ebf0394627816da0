"""The orchestrator: it accepts mandates, thinks them through against a snapshot, and publishes what came of it."""
