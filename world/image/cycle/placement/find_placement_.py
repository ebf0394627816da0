def find_placement_(self):
    """Where the model begins, by what it makes of a few small tasks in the open form: {"form", "tried"}.

    It begins there where it solves two of them at its first word; else the narrow form guides it.
    """
    tried = self.send_all_([[self, 'placement_trial_', [task], {}] for task in self.placement_tasks_()])
    solved = len([one for one in tried if one['solved']])
    return {'form': 'open' if solved >= 2 else 'narrow', 'tried': tried}
