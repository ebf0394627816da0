"""What each error code means, and what to do next: one row of `docs/protocol.md` for every code of `protocol.errors`.

An error's own message and hint say more, because they know the case. These sentences hold for every case of a code.
"""

from __future__ import annotations

from typing import Final

MEANINGS: Final[dict[str, tuple[str, str]]] = {
    "METHOD_FAILED": (
        "A method raised an exception, or a primitive was given arguments that it does not take.",
        "Read the message: it names the exception and the line. `batos source` shows the method.",
    ),
    "NOT_SYNTHESIZED": (
        "No candidate for a message that was not understood has passed the guardian.",
        "`batos cycle show` has each candidate and what was wrong with it. Give other examples, or a larger model.",
    ),
    "IN_DOUBT": (
        "Methods that hold every example do not do the same elsewhere, and --strict installs nothing then.",
        "The error shows an input on which they differ: say what is right there with one more --example.",
    ),
    "SEND_FAILED": (
        "A send within a method has failed, and the method did not handle it.",
        "`batos cycle show` has the sends; the send's own failure says what went wrong.",
    ),
    "CYCLE_FAILED": (
        "A cycle ended without a result, or a state of it led nowhere.",
        "`batos cycle show` has the diagnosis.",
    ),
    "CYCLE_REPEATS": (
        "A cycle has caused itself again, or the chain of cycles that cause each other is too long.",
        "Teach the messages that it sends one by one, innermost first.",
    ),
    "CANCELLED": (
        "Somebody has cancelled the mandate, or nobody waits for the request any more. Nothing of it is published.",
        "Send it again under a new key if it is wanted after all.",
    ),
    "REJECTED": (
        "The method that was proposed for the message has been rejected by its user, so the message was not answered.",
        "Send it again under a new key: the next attempt is shown the reason. Or write the method: `batos define`.",
    ),
    "REPLAY_DIVERGED": (
        "A method that was run again sent something else than the first time.",
        "Read the method: what it sends may depend only on its slots, its arguments and the answers to its sends.",
    ),
    "BUDGET_EXCEEDED": (
        "A run used more time, memory or output than the jail allows, or a mandate more sends, tokens or depth.",
        "Ask for less at once, or raise the budgets under [orchestrator] in batos.toml.",
    ),
    "CONFLICTING_LANES": (
        "Two sends of one `send_all_` have changed the same object.",
        "Send these two one after the other.",
    ),
    "GENERATION_FAILED": (
        "The model's text did not end, did not keep its form, or its numbers ceased to be finite.",
        "Try again with more `max_tokens` or another seed; a model server that is the cause is named in the message.",
    ),
    "TRAINING_FAILED": (
        "A training has diverged, or its process has died.",
        "The same command goes on from the last checkpoint; after a divergence begin anew with a lower rate.",
    ),
    "INTERNAL": (
        "A mistake of the program itself.",
        "The log of the service that is named says more. Please report it.",
    ),
    "OUT_OF_MEMORY": (
        "There is not enough memory for the model, a batch or a training.",
        "Ask for less at once, or set `quantization`, `slots` or `device_bytes` under [inference] in batos.toml.",
    ),
    "USAGE": ("The command line cannot be understood.", "The command's `--help`."),
    "BAD_JSON": ("A word or a line that should be JSON is none.", "Quote it for the shell, and give valid JSON."),
    "BAD_NAME": ("This cannot be the name of an object or a slot.", "The message says what a name looks like."),
    "BAD_SELECTOR": (
        "This cannot be sent as a message.",
        "A selector is an identifier that ends in an underscore, such as `area_`.",
    ),
    "BAD_ARGUMENT": ("A field of a request is out of its range.", "The message names the field and the range."),
    "BAD_EXAMPLE": (
        "An example is malformed, or contradicts another one.",
        "The form is `{slots, args, kwargs, objects, replies, returns, slots_after}`; see `Example` above.",
    ),
    "BAD_VALUE": (
        "Something is no value that may cross between processes, or is nested too deeply.",
        "The section on values above lists what may cross. Keep the rest in slots, and send a reference.",
    ),
    "BAD_CONSTRAINT": (
        "A schema or a grammar cannot be used, or allows no text.",
        "Give one of the two, in the dialect of llguidance.",
    ),
    "BAD_MESSAGE": (
        "What arrived is no message of this protocol, or comes from somebody who may not send it.",
        "Both sides must run the same major version of the protocol.",
    ),
    "BAD_CONFIG": (
        "`batos.toml` has an unknown line or an impossible setting.",
        "Correct that line, or remove it for the default; then `batos up`.",
    ),
    "BAD_CODEX": ("The codex that was given is malformed.", "`batos codex` prints the one in force as a model."),
    "BAD_DOCUMENT": (
        "A document, its id or a text to train on cannot be taken.",
        "The message names the line or the byte. Convert it to UTF-8 text first.",
    ),
    "BAD_EXPERT": (
        "An adapter is not whole, is of a kind that is not supported, or was made for another model.",
        "The message names what is wrong; train it on the model that runs, or save it again.",
    ),
    "BAD_BUNDLE": (
        "A file is no bundle, is not whole, was changed since it was written, or is of a newer program.",
        "Have it exported again, by a program of this version; nothing of it was taken in.",
    ),
    "BAD_BACKUP": (
        "The folder holds no backup, or another world's, or is none that a backup can be in.",
        "Name the folder that the message asks for; nothing was written.",
    ),
    "TOO_LARGE": (
        "A value, a message, a document or a prompt is over its limit.",
        "Send less at once, or keep the data in an object and send a reference.",
    ),
    "UNREADABLE": ("A file that the command line names cannot be read.", "Give a readable UTF-8 file, or `-`."),
    "MISSPELT": (
        "Nobody understands the message, and the object understands one that is written almost like it.",
        "Send the one that was meant, or say with `--new` that a method is to be written.",
    ),
    "UNKNOWN_OBJECT": (
        "There is no object of this name or OID.",
        "`batos look` lists them; near names are in the hint.",
    ),
    "UNKNOWN_METHOD": (
        "The object understands no such message.",
        "`batos look` shows what it understands; `batos send` has it written.",
    ),
    "UNKNOWN_CYCLE": (
        "The journal has no mandate or cycle of this id, or has forgotten it.",
        "`batos cycle ls` lists the newest.",
    ),
    "EXPIRED": (
        "Journal or world have forgotten what was asked for, since it is older than `keep` or the last `batos pack`. Nothing is redone.",
        "Use another key to send a message once more; or state an example: `batos learn NAME SELECTOR --again --example JSON`.",
    ),
    "TRIAL_SEND": (
        "A message cannot be tried without effect: it asks inference or memory, which have no answer from another moment.",
        "Try a message that only computes, or one of those that it sends.",
    ),
    "INDEX_CHANGED": (
        "`search --at` names a moment at which memory's index had an older form, or was being made anew.",
        "Give a later moment; `batos look NAME --at WHEN` still shows the objects as they were.",
    ),
    "UNKNOWN_DOCUMENT": ("Memory has no document of this id.", "The hint has ids that are near."),
    "UNKNOWN_EXPERT": ("The world has no expert of this name.", "`batos expert ls` lists them."),
    "UNKNOWN_PROPOSAL": (
        "No proposal has this id, or several begin like it.",
        "`batos proposals` lists those that wait.",
    ),
    "LEARNING_DENIED": (
        "Nobody understands the message, and the mind may not write methods on this object.",
        "Write it by hand with `batos define`. On an object of your own, `batos set NAME _learning=propose` allows proposals.",
    ),
    "UNKNOWN_VERB": (
        "No such service, or it has no such verb.",
        "This page lists them; command and system must be of the same version.",
    ),
    "PATH_TOO_LONG": (
        "The home's path is too long for the sockets in it.",
        "Choose a home with a shorter path: `--home`, or `BATOS_HOME`.",
    ),
    "NOT_RUNNING": ("No broker is there, so nothing was sent.", "`batos up`."),
    "NOT_READY": (
        "The service is starting, restarting or stuck. With `lost` in the data the request may have been carried out.",
        "`batos status` says what it waits for. Ask again, a mandate under the same key.",
    ),
    "HOME_HELD": (
        "Another process has this home, its database or the training of this name.",
        "Stop that process, or choose another home.",
    ),
    "LIMIT": (
        "The kernel allows the processes of this home too little.",
        "Raise the limit that is named (`ulimit`), and start again.",
    ),
    "BAD_MODEL": (
        "The configured model is not there, is not whole, or does not work.",
        "Set `model` in batos.toml to a model that is, or remove the line for the embedded one.",
    ),
    "NO_JAIL": (
        "This machine lacks a layer of the jail, or the guardian does not pass its own check.",
        "`batos doctor` names the layer; `[guardian] may_lack` in batos.toml accepts its absence.",
    ),
    "BUSY": ("As much as may run at once is running.", "Try again in a moment."),
    "REFUSED": (
        "The guardian has refused the source, or the jail has stopped the method.",
        "[rules.md](rules.md) explains the rule that is named.",
    ),
    "COVENANT_BREACH": (
        "A method changed its object and did not signal it, or changed something that the object does not hold any more.",
        "End each such way with `self._p_changed = True`; read a slot again after a send.",
    ),
    "NOT_ALLOWED": (
        "Whoever asks lacks the right that this needs: `right` in the data names it, and `origin` who asks.",
        "The user of the home can do it, or open the door with that right; the hint has the command.",
    ),
    "UNKNOWN_TOKEN": (
        "No token is like the one that was shown, or it was revoked.",
        "Have the user of the home make one, and give that.",
    ),
    "TIMEOUT": (
        "It was not done in time. `goes_on` in the data says whether the mandate continues.",
        "`batos cycle watch` follows it; `--timeout` gives it more time.",
    ),
    "CONFLICT": (
        "Something that the mandate has read was changed meanwhile, or a key was used for another message.",
        "Send it again; under the same key if it is the same message.",
    ),
    "NAME_TAKEN": ("Another object has this name.", "Choose another name."),
    "PORT_TAKEN": (
        "Another program listens on the port that `batos serve` was to open.",
        "Take another one: `batos serve --port N`; port 0 takes whichever is free.",
    ),
    "ALREADY_UNDERSTOOD": (
        "The message that was to be learned has a method already.",
        "See it with `batos source`; `batos learn NAME SELECTOR --again` writes a better one.",
    ),
    "IN_USE": (
        "Something stands on what is to be dropped: heirs, references, or methods that use it.",
        "Change what is named first, or drop it all the same with `--force`.",
    ),
    "BLOCKED": (
        "What is to be taken back has changed since, or cannot be written back.",
        "Take back what has changed it too, the newest first: `--cascade`.",
    ),
    "REPLACED": (
        "Another method stands where one was to be replaced.",
        "See it with `batos source`, and begin again from that one.",
    ),
    "SETTLED": (
        "The proposal was accepted or rejected before.",
        "`batos history` has the versions of its method, and `batos proposals` what still waits.",
    ),
    "STORAGE": (
        "The world, the journal or the result cannot be written or read.",
        "Look at the disk of the home: its room, and who may write to it.",
    ),
    "DAMAGED": (
        "The disk has damaged a record of the world or a page of the journal.",
        "`batos doctor --deep` says where. Stop, and put a backup in its place.",
    ),
    "NEWER_WORLD": (
        "The world was written by a newer program.",
        "Install the version of batos that last had it, or a newer one.",
    ),
    "STEP_FAILED": (
        "The world has an older form than the program, and the steps to the newer one could not be taken on a copy of it.",
        "The world is as it was: run the program that last had it. The backup that was made before is named.",
    ),
    "HALF_RESTORED": (
        "A restore of this home has begun and not ended, so nothing starts in it.",
        "Wait for it, or run `batos restore` again; it begins anew, or finishes what is left to do.",
    ),
    "INTERRUPTED": (
        "A person pressed Ctrl-C, or a signal ended the command. What it had sent may go on.",
        "`batos cycle ls` shows what goes on.",
    ),
}
"""By code: what it means, and what to do next."""
