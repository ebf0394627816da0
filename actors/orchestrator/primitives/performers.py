"""Which primitives there are: the verb that a primitive method names, and who performs it."""

from __future__ import annotations

from typing import Final

from actors.orchestrator.primitives import (
    budget,
    cloning,
    cycle,
    expertise,
    generation,
    judgement,
    kinship,
    lanes,
    placing,
    recollection,
    transition,
)
from actors.orchestrator.primitives.behaviour import comparing
from actors.orchestrator.thinking.thought import Performer

PERFORMERS: Final[dict[str, Performer]] = {
    "infer_": generation.infer,
    "clone_": cloning.clone,
    "_clone_persistent_": cloning.clone,
    "_orc_start_cognitive_cycle_": cycle.think,
    "send_all_": lanes.send_all,
    "recall_": recollection.recall,
    "search_": recollection.recall,
    "remember_": recollection.remember,
    "rank_": recollection.rank,
    "index_document_": recollection.index_document,
    "unindex_document_": recollection.unindex_document,
    "activate_expert_": expertise.activate_expert,
    "prefetch_": expertise.prefetch,
    "load_adapter": expertise.activate_expert,
    "set_adapter": expertise.activate_expert,
    "delete_adapter": expertise.delete_adapter,
    "judge_": judgement.judge,
    "install_": judgement.install,
    "budget_": budget.left,
    "serving_": placing.serving,
    "place_": placing.place,
    "try_": placing.try_out,
    "kin_": kinship.kin,
    "compare_": comparing.compare,
    "become_": transition.become,
    "doom_": transition.doom,
}
