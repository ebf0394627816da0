"""A chat with the mind, a persona or the base model through /v1, by OpenAI's own client.

Open the door with `batos serve`, make a token with `batos token new NAME`, put it into BATOS_TOKEN, and run
`python examples/chat.py [MODEL]`: a line of yours, an answer as it comes. An empty line ends it. It needs the package `openai`.
"""

from __future__ import annotations

import os
import sys

from openai import APIStatusError, OpenAI


def main() -> None:
    client = OpenAI(base_url=os.environ.get("BATOS_URL", "http://127.0.0.1:8451/v1"), api_key=os.environ["BATOS_TOKEN"])
    model = sys.argv[1] if len(sys.argv) > 1 else "batos"
    print(f"{model}, of {', '.join(one.id for one in client.models.list())}")
    turns: list[dict[str, str]] = []
    while line := input("> ").strip():
        turns.append({"role": "user", "content": line})
        try:
            said = ""
            for chunk in client.chat.completions.create(model=model, messages=turns, stream=True, max_tokens=200):  # type: ignore[call-overload]
                text = chunk.choices[0].delta.content or ""
                print(text, end="", flush=True)
                said += text
        except APIStatusError as error:
            print(f"{error.status_code}: {error.message}")
        else:
            turns.append({"role": "assistant", "content": said})
            print()


if __name__ == "__main__":
    main()
