"""Foreign adapters that are spoiled: what becomes of each here, by PEFT, and by PEFT's hotswap."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from peft.utils.hotswap import hotswap_adapter

from actors.inference.weights.adapter import read_adapter
from actors.inference.weights.expert import Content
from bench.bank import spoiling
from bench.bank.adapters import BASE, CONFIG, WEIGHTS, keep
from bench.bank.refusing import LENGTH, logits
from bench.bank.stand import Scene, Stand, peer, prompt, stand, vocabulary
from bench.claims import Claim
from protocol.errors import BatosError

_NAME: Final = "expert"


def measure(scene: Scene, place: Path) -> list[Claim]:
    """Spoiled adapters, and one whose alpha is another than its predecessor's. For float32."""
    mine = stand(scene)
    good = scene.samples[0]
    before = logits(mine, good.content)
    outcomes: dict[str, dict[str, str]] = {}
    changed = 0
    for number, (case, spoil) in enumerate(spoiling.foreign().items()):
        folder = Path(shutil.copytree(scene.samples[1].folder, place / f"spoiled{number}"))
        spoil(folder)
        outcomes[case] = {
            "ours": _outcome(lambda: _take(mine, folder, place / f"spoiled{number}.expert")),  # noqa: B023 - within the turn
            "PEFT": _outcome(lambda: _load(scene, folder)),  # noqa: B023
            "hotswap": _outcome(lambda: _swap(scene, folder)),  # noqa: B023
        }
        changed += not torch.equal(logits(mine, good.content), before)
        print(f"{case:40} {', '.join(f'{who} {what}' for who, what in outcomes[case].items())}")
    flipped = Path(shutil.copytree(scene.samples[1].folder, place / "flipped"))
    spoiling.flip(flipped / WEIGHTS)
    peers = {"PEFT": _outcome(lambda: _load(scene, flipped)), "hotswap": _outcome(lambda: _swap(scene, flipped))}
    print(f"{'a flipped bit (ours: in the stored file)':40} {', '.join(f'{who} {it}' for who, it in peers.items())}")
    accepted = {
        who: sum(outcome[who] != "refused" for outcome in outcomes.values()) for who in ("ours", "PEFT", "hotswap")
    }
    return [
        Claim(
            id=f"spoiled adapters, {len(outcomes)}: accepted",
            ours=accepted.pop("ours"),
            peers=dict(accepted),
            unit="adapters",
            target="0",
            ok=all(outcome["ours"] == "refused" for outcome in outcomes.values()),
        ),
        Claim(
            id=f"the previous expert after {len(outcomes)} refused adapters: changed in any bit",
            ours=changed,
            peers={},
            unit="times",
            target="0",
            ok=changed == 0,
        ),
        _alpha(scene, mine, place),
    ]


def _take(mine: Stand, folder: Path, path: Path) -> Content:
    """As an import does it: check, convert, activate."""
    layout = mine.tiers.layout
    content = keep(read_adapter(folder, layout.shapes, rank=layout.rank, base_model=BASE), layout, path)
    mine.tiers.activate(content)
    return content


def _load(scene: Scene, folder: Path) -> Any:
    return peer(scene.build(), {_NAME: folder})


def _swap(scene: Scene, folder: Path) -> Any:
    """The good one first, and the other in its place."""
    served = peer(scene.build(), {_NAME: scene.samples[0].folder})
    hotswap_adapter(served, str(folder), adapter_name=_NAME, torch_device=str(served.device))
    return served


def _outcome(work: Callable[[], Any]) -> str:
    """`refused`, `accepted`, or `accepted with a warning`."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        try:
            work()
        except BatosError as error:
            if error.code != "BAD_EXPERT":
                raise
            return "refused"
        except Exception:  # noqa: BLE001 - a peer refuses by whatever it raises
            return "refused"
    told = [one for one in said if issubclass(one.category, UserWarning)]
    return "accepted with a warning" if told else "accepted"


def _alpha(scene: Scene, mine: Stand, place: Path) -> Claim:
    """The same rank and another alpha: no mistake, and to be served at its own strength, as PEFT's hotswap does too."""
    folder = Path(shutil.copytree(scene.samples[1].folder, place / "louder"))
    text = (folder / CONFIG).read_text()
    alpha = f'"lora_alpha": {2 * scene.rank}'
    assert alpha in text
    (folder / CONFIG).write_text(text.replace(alpha, f'"lora_alpha": {4 * scene.rank}'))
    ours = logits(mine, _take(mine, folder, place / "louder.expert"))
    ids = torch.tensor([prompt(0, LENGTH, vocabulary(mine))], device=mine.bank.device)
    with torch.inference_mode():
        right = _load(scene, folder)(ids).logits
        swapped = _swap(scene, folder)(ids).logits
    largest = float(right.abs().max())
    difference = float((ours - right).abs().max())
    return Claim(
        id="alpha is another than the one before: difference to PEFT's fresh load",
        ours=float(f"{difference:.3g}"),
        peers={"largest logit": float(f"{largest:.3g}"), "PEFT hotswap": float(f"{(swapped - right).abs().max():.3g}")},
        unit="",
        target="<= 0.0001 x the largest",
        ok=difference <= 1e-4 * largest,
    )
