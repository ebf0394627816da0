"""What the world remembers: `remember`, `search`, `forget`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation


@batos.command()
@everywhere
@click.argument("files", nargs=-1, required=True, metavar="FILE…", shell_complete=completing.files)
@click.option("--id", "doc_id", metavar="DOC_ID", help="The document's name (default: the file's absolute path).")
@click.pass_obj
def remember(invocation: Invocation, files: tuple[str, ...], doc_id: str | None) -> None:
    """Remember text files (UTF-8), each as one document; `-` is standard input and needs --id.

    A file that has changed takes the place of what was remembered of it; one that has not changes nothing.
    """
    from cli.calls import memory
    from cli.render import memory as render_memory
    from protocol.messages import IndexProgress

    texts = memory.read_all(files, doc_id)
    progress = render_memory.Progress()

    def tell(found: IndexProgress) -> None:
        invocation.step(render_memory.doing(found), progress.line(found) or "")

    made = finish(memory.remember(home_of(invocation), texts, tell), "reads")
    invocation.result(made, render_memory.remembered(made))


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
@click.argument("doc_id", metavar="DOC_ID", shell_complete=completing.documents)
@click.option("--key", metavar="K", help="The idempotency key: asked again under it, the answer is the same.")
@click.pass_obj
def forget(invocation: Invocation, doc_id: str, key: str | None) -> None:
    """Forget the document DOC_ID (its name, or the path it was remembered from) with all of its passages."""
    from cli.calls import memory
    from cli.render import memory as render_memory

    gone = finish(memory.forget(home_of(invocation), doc_id, key))
    invocation.result(gone, render_memory.forgotten(gone))
