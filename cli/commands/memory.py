"""What the world remembers: `remember`, `search`, `documents`, `forget`."""

from __future__ import annotations

import sys

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError


@batos.command()
@everywhere
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", shell_complete=completing.files)
@click.option("--id", "doc_id", metavar="DOC_ID", help="The document's name (default: the file's absolute path).")
@click.option("--include", multiple=True, metavar="GLOB", help="Of folders only files like this, such as '*.md'.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave files and folders like this out.")
@click.option("--sync", is_flag=True, help="Let memory hold what the folder holds: forget files that are gone.")
@click.option("--dry-run", is_flag=True, help="Say what would be read, as what, and what is refused; do nothing.")
@click.option("--yes", is_flag=True, help="With --sync: do not ask before something is forgotten.")
@click.pass_obj
def remember(
    invocation: Invocation,
    paths: tuple[str, ...],
    doc_id: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    sync: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Remember files, each as one document, and what is in folders; `-` is standard input and needs --id.

    Text in any encoding, Markdown, HTML, PDF, DOCX, CSV, source code and e-mail. A file that has changed takes the place of
    what was remembered of it; one that has not costs nothing, and a run that was stopped goes on. Hidden files are left out.
    What has no text is named at the end with the reason, and the exit code is then 2; the others are remembered.
    """
    from cli.calls.documents import planning, remembering
    from cli.calls.documents.folders import Wanted
    from cli.live import Doing
    from cli.render import documents as render_documents

    home = home_of(invocation)
    lines = render_documents.Lines()

    def look(what: str, done: int, of: int) -> None:
        invocation.step(Doing(what, done, of if of > 1 else None), "")

    def tell(stage: remembering.Stage) -> None:
        invocation.step(render_documents.doing(stage), lines.line(stage))

    wanted = Wanted(paths, doc_id, include, exclude, sync)
    planned = finish(planning.plan(home, wanted, look), "looks at the files")
    if dry_run:
        foreseen = finish(planning.forecast(planned, look), "reads the files")
        invocation.result(foreseen, render_documents.forecast(foreseen))
        return foreseen.exit_code
    if planned.gone and not yes:
        _ask(invocation, render_documents.forgets(planned.gone), len(planned.gone))
    made = finish(remembering.remember(home, planned, tell), "remembers")
    invocation.result(made, render_documents.remembered(made))
    return made.exit_code


@batos.command()
@everywhere
@click.argument("query")
@click.option(
    "--top-k", type=click.IntRange(1, 100), default=10, show_default=True, metavar="K", help="At most K hits."
)
@click.option("--where", multiple=True, metavar="KEY=VALUE", help="Only documents whose metadata has this; repeatable.")
@click.option("--since", metavar="TIME", help="Only documents of this time or later: a date, or '2 weeks ago'.")
@click.option("--until", metavar="TIME", help="Only documents from before this time.")
@click.option("--around", type=click.IntRange(0, 20), default=0, metavar="N", help="Show N passages before and after.")
@click.option("--explain", is_flag=True, help="Say why each was found: its words, its meaning, their shares.")
@click.option("--at", metavar="WHEN", help="Search what was remembered then.")
@click.pass_obj
def search(
    invocation: Invocation,
    query: str,
    top_k: int,
    where: tuple[str, ...],
    since: str | None,
    until: str | None,
    around: int,
    explain: bool,
    at: str | None,
) -> None:
    """Find the passages that have the words of QUERY, or say the same in others, best first.

    A document is from the date in its metadata (date, published, created, modified), or from when it was remembered.
    """
    from cli import moments
    from cli.calls import memory
    from cli.render import memory as render_memory
    from protocol.messages import Search

    request = Search(
        query=query,
        top_k=top_k,
        where=memory.narrowed(where),
        since=None if since is None else moments.seconds(since),
        until=None if until is None else moments.seconds(until),
        around=around,
        explain=explain,
        at=None if at is None else moments.moment(at),
    )
    found = finish(memory.search(home_of(invocation), request), "searches")
    invocation.result(found, render_memory.hits(found))


@batos.command()
@everywhere
@click.option(
    "--match", "patterns", multiple=True, metavar="GLOB", help="Only ids or paths like this; * takes slashes."
)
@click.option(
    "--all", "is_all", is_flag=True, help="What the mind has left by itself, too: answers, methods, failures."
)
@click.pass_obj
def documents(invocation: Invocation, patterns: tuple[str, ...], is_all: bool) -> None:
    """List what is remembered: when, read as what, in how many passages, its id, its source, and the cycle it came from."""
    from cli.calls.documents import forgetting
    from cli.render import documents as render_documents

    found = finish(forgetting.matching(home_of(invocation), patterns), "lists")
    told = found if is_all or patterns else [one for one in found if not one.is_own]
    invocation.result(
        {"documents": [one.told() for one in told]}, render_documents.listed(told, len(found) - len(told))
    )


@batos.command()
@everywhere
@click.argument("doc_ids", nargs=-1, required=True, metavar="DOC_ID|GLOB…", shell_complete=completing.documents)
@click.option(
    "--derived", "with_derived", is_flag=True, help="Forget what came of them too: answers, methods, turns of threads."
)
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and what came of it; forget nothing.")
@click.option("--yes", is_flag=True, help="With --derived: do not ask.")
@click.option("--key", metavar="K", help="The idempotency key of a single id: asked again, the answer is the same.")
@click.pass_obj
def forget(
    invocation: Invocation, doc_ids: tuple[str, ...], with_derived: bool, dry_run: bool, yes: bool, key: str | None
) -> None:
    """Forget documents with all of their passages: by id, by the path they were remembered from, or by a pattern of these.

    Nothing finds them from then on. What came of them is named, and goes along with --derived. What the world's history still has of
    all that goes with `batos pack --purge`.
    """
    from cli.calls.documents import deriving, forgetting
    from cli.render import documents as render_documents

    home = home_of(invocation)
    if (
        len(doc_ids) == 1
        and not dry_run
        and not with_derived
        and (key is not None or not forgetting.is_pattern(doc_ids[0]))
    ):
        gone = finish(forgetting.forget(home, doc_ids[0], key))
        known = finish(deriving.came_of(home, [gone.doc_id], walk=False, must=False))
        single = deriving.with_derived(gone, known)
        invocation.result(single, render_documents.forgotten(single))
        return
    if key is not None:
        raise BatosError("USAGE", "--key is for a single id", "Leave it away: what is forgotten is forgotten.")
    meant = finish(forgetting.matching(home, doc_ids))
    ids = [part for document in meant for part in document.ids]
    looking = deriving.came_of(home, ids, walk=dry_run or with_derived, must=with_derived)
    derived = finish(looking, "looks for what came of it")
    found = forgetting.foreseen(meant, derived)
    tid = None
    if derived is not None and with_derived and not dry_run:
        if not yes:
            _ask(invocation, render_documents.forgetting(found), len(meant))
        tid = finish(deriving.forget_derived(home, derived), "forgets what came of it").tid
    if not dry_run:
        found = finish(forgetting.forget_all(home, meant, derived, tid), "forgets")
    invocation.result(found, render_documents.forgetting(found))


def _ask(invocation: Invocation, what: str, count: int) -> None:
    """Have the user say that so many documents are to be forgotten; USAGE where nobody is there to ask."""
    if invocation.json or not sys.stdin.isatty():
        documents = "1 document" if count == 1 else f"{count} documents"
        raise BatosError(
            "USAGE", f"{documents} would be forgotten, and nobody is there to ask", "Say --yes, or see --dry-run."
        )
    invocation.progress(what)
    if not click.confirm("Forget them?", err=True):
        raise BatosError("INTERRUPTED", "nothing was remembered or forgotten")
