"""A chat with the mind, a persona or the base model through /v1, by OpenAI's own client.

Open the door with `batos serve`, make a token with `batos token new NAME`, put it into BATOS_TOKEN, and run
`python examples/chat.py [MODEL]`: a line of yours, an answer as it comes. An empty line, Ctrl-D or Ctrl-C ends it. It needs the
package `openai`.
"""

from __future__ import annotations

import contextlib
import os
import sys

from openai import APIError, OpenAI


def main() -> None:
    token = os.environ.get("BATOS_TOKEN") or sys.exit("BATOS_TOKEN is not set: `batos token new NAME` makes a token")
    client = OpenAI(base_url=os.environ.get("BATOS_URL", "http://127.0.0.1:8451/v1"), api_key=token)
    model = sys.argv[1] if len(sys.argv) > 1 else "batos"
    try:
        print(f"{model}, of {', '.join(one.id for one in client.models.list())}")
    except APIError as error:
        sys.exit(f"{client.base_url}: {error.message}")
    with contextlib.suppress(EOFError, KeyboardInterrupt):  # Ctrl-D and Ctrl-C end it too
        chat(client, model)


def chat(client: OpenAI, model: str) -> None:
    turns: list[dict[str, str]] = []
    while line := input("> ").strip():
        turns.append({"role": "user", "content": line})
        try:
            said = ""
            for chunk in client.chat.completions.create(model=model, messages=turns, stream=True, max_tokens=200):  # type: ignore[call-overload]
                text = chunk.choices[0].delta.content or ""
                print(text, end="", flush=True)
                said += text
        except APIError as error:
            print(error.message)
            turns.pop()
        else:
            turns.append({"role": "assistant", "content": said})
            print()


if __name__ == "__main__":
    main()
