"""What supervisord is to a home, small: `small_house.py HOME` holds the home's lock and says under which name it runs whom.

Each line on its standard input is `[name, [word, …]]`: it starts those words under that name, and prints the pid.
"""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

from bus.process.lock import hold
from protocol.home import Home

programs: dict[str, subprocess.Popen[bytes]] = {}


class Handler(SimpleXMLRPCRequestHandler):
    disable_nagle_algorithm = False  # which a unix socket has not

    def log_request(self, *_words) -> None:
        pass


class Server(socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    def __init__(self, path: str) -> None:
        SimpleXMLRPCDispatcher.__init__(self)
        super().__init__(path, Handler)


def told() -> list[dict[str, object]]:
    return [{"name": name, "pid": process.pid} for name, process in programs.items()]


def main(home: Home) -> None:
    with hold(home.run / "house.lock", "the home"):
        home.supervisor_socket.unlink(missing_ok=True)
        server = Server(str(home.supervisor_socket))
        server.register_function(told, "supervisor.getAllProcessInfo")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("ready", flush=True)  # noqa: T201 - whoever started it reads it
        for line in sys.stdin:
            name, words = json.loads(line)
            programs[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr)
            print(programs[name].pid, flush=True)  # noqa: T201
        for process in programs.values():
            process.kill()


main(Home(Path(sys.argv[1])))
