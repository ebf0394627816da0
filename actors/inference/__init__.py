"""The one process that owns the device: the only importer of torch and transformers."""

import os
from typing import Final

OFFLINE: Final = "HF_HUB_OFFLINE"

# Before transformers is imported anywhere below: weights come from the configuration, never from a hub.
os.environ[OFFLINE] = "1"
