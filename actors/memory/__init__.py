"""What the world remembers: documents in, passages out. The only importer of sentence-transformers."""

import os
from typing import Final

OFFLINE: Final = "HF_HUB_OFFLINE"
WAITING: Final = "OMP_WAIT_POLICY"

# Before transformers is imported anywhere below: weights come from the configuration, never from a hub.
os.environ[OFFLINE] = "1"
# Before torch is: its threads spin while they wait for each other, which costs a busy machine six times the seconds.
os.environ.setdefault(WAITING, "passive")
