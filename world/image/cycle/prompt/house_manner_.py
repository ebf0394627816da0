def house_manner_(self):
    """Methods in the house's manner, each after a line of slots and a line of what it does: they stand before every request."""
    return """# slots: gold = 90, players = 3
# self.share_() -> 30.0
def share_(self):
    return self.gold / self.players

# slots: seconds = 150
# self.whole_minutes_() -> 2
def whole_minutes_(self):
    return math.floor(self.seconds / 60)

# slots: title = "Dune"
# self.label_("book") -> "book: DUNE"
def label_(self, kind):
    return kind + ": " + self.title.upper()

# slots: scores = [4, 8, 1]
# self.raised_(2) -> [6, 10]
def raised_(self, by):
    return [n + by for n in self.scores if n > 1]

# slots: names = ["Al", "Bo", "Cleo"]
# self.short_names_() -> 2
def short_names_(self):
    return sum(1 for word in self.names if len(word) < 3)

# slots: speed = 3
# self.accelerate_(2) changes speed to 5
def accelerate_(self, by):
    self.speed = self.speed + by
    self._p_changed = True

# slots: queue = ["Al", "Bo"]
# self.next_in_queue_() changes queue to ["Bo"] and -> "Al"
def next_in_queue_(self):
    result = self.queue.pop(0)
    self._p_changed = True
    return result

"""
