"""A notebook as a script: make an object, have it learn a message, change it, look back. The cells begin with `# %%`.

Run it beside a system that is up: `python examples/notebook.py`, or open it in an editor that knows cells. It takes its object away
again at the end.
"""

# %% A world, and an object in it
from __future__ import annotations

import os

from batos import Proposed, Refused, World

world = World()
name = f"box_{os.getpid()}"
box = world.new(name, width=5, height=6)
print(box, box.slots())

# %% A message that nobody understands is written by its example, judged and tried; then the object has learned it
reply = box.send("area_", intent="its area", examples=[{"slots": {"width": 3, "height": 4}, "returns": 12}])
print(reply.result, "written" if reply.synthesized else "found")
print(box.area_())

# %% Slots are attributes
box.width = 7
print(box.area_())

# %% Your own methods go through the same gates
try:
    box.define("def widen_(self, by):\n    self.width = self.width + by\n")
except Refused as error:
    print("refused:", error.data["methods"][0]["violations"][0]["message"])
box.define(
    "def widen_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n    return self.width\n"
)
print(box.widen_(3))

# %% Without an example nobody has said what is right: the method waits for your word
try:
    print(box.double_width_())
except Proposed as waiting:
    print("waits:", waiting.proposal)
    world.reject(waiting.proposal, "it was only to be shown")

# %% What happens on the way
stream = box.stream("area_")
print([event.event for event in stream], stream.reply().result)

# %% Every version of a method is kept
for version in box.history("widen_"):
    print(version.selector, version.author, "stands" if version.stands else "")

# %% Away with it
print(world.check(box).ok)
box.drop()
print(name in world)
