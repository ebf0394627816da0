"""A model server over real sockets, with the tiny model and PEFT behind it, in the dialects of several; and faults to order.

It generates by transformers' own forward without a cache, one text at a time, and adapters are PEFT's, read from the
folder that it is told: nothing of the engine under test computes here, but for the drawing of tokens and for llguidance.
"""

from __future__ import annotations

import codecs
import itertools
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoTokenizer, LlamaForCausalLM

from actors.inference.decoding.sampling import draw, stream
from actors.inference.forms.constraints import Vocabulary

NAME = "tiny"
SLOTS = 4
LLGUIDANCE = "%llguidance {}\n"


class Refusal(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class FakeServer:
    """`url` is where it listens. `asked` are (path, body) of all requests; `faults` changes how it behaves:

    `status`: (status, message) for every text; `cut`, `reset` (`once`), `hang`: after so many chunks the stream ends, breaks, or
    waits for `go_on`; `deaf`: adapters are; `unlisted`: loads are; `model`: the name that chunks
    bear; `finish`: their reason; `raw`: the bytes of a text's answer; `forgets`: adapters vanish before each text; `plain`:
    by path, (status, headers, bytes) of an answer without a stream; `words`: prompts are texts alone; `usage`: what is
    counted; `index`: the number of the choice; `broken`: after
    this chunk comes an error; `busy`: so many texts are refused before one is taken. `seed`: all this
    holds for the texts with that seed alone. `silent`: no text of a stream says how likely it was; `unbound`: grammars are
    not looked at.

    `dialect` is `vllm`, `llama` (llama.cpp: grammars and schemas in fields of its own, several texts of a prompt in one request,
    a tokenizer, any name of a model) or `chat` (Ollama: turns as texts, schemas, and nothing else).
    """

    def __init__(self, folder, key="", dialect="vllm"):
        self.folder, self.key, self.dialect = folder, key, dialect
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.vocabulary = Vocabulary((folder / "tokenizer.json").read_text(), 257, (256,))
        self.base = self._fresh()
        self.max_rank, self.context = 8, 128
        self._lock = threading.Lock()
        self.reset()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._http = _Http(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def reset(self):
        self.adapters, self.roots, self.asked, self.faults = {}, {}, [], {}
        self.go_on, self.broken = threading.Event(), threading.Event()

    def faults_of(self, body):
        """What is to go wrong with this text."""
        return {} if self.faults.get("seed", body.get("seed")) != body.get("seed") else self.faults

    def restart(self):
        """As a process that begins anew: what was loaded is gone."""
        self.adapters, self.roots = {}, {}

    def stop(self):
        self.go_on.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def paths(self):
        return [path for path, _ in self.asked]

    def streamed(self):
        """The bodies of all texts that were asked for."""
        return [body for _, body in self.asked if body is not None and body.get("stream")]

    def models(self):
        match self.dialect:
            case "llama":
                meta = {"n_ctx": self.context, "n_params": 1}
                return [{"id": NAME, "aliases": [NAME, "alias"], "owned_by": "llamacpp", "meta": meta}]
            case "chat":
                return [{"id": NAME, "object": "model", "created": 0, "owned_by": "library"}]
        base = {"id": NAME, "object": "model", "root": str(self.folder), "parent": None, "owned_by": "vllm"}
        base["max_model_len"] = self.context
        return [base, *({"id": name, "root": root, "parent": NAME} for name, root in self.roots.items())]

    def load(self, name, path):
        if name in self.roots:
            raise Refusal(400, f"The lora adapter '{name}' has already been loaded.")
        if not (Path(path) / "adapter_config.json").is_file():
            raise Refusal(404, f"Loading lora {name} failed: No adapter found for {path}")
        rank = json.loads((Path(path) / "adapter_config.json").read_text())["r"]
        if rank > self.max_rank:
            raise Refusal(400, f"LoRA rank {rank} is greater than max_lora_rank {self.max_rank}.")
        if "unlisted" in self.faults:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT asks this transformers a question under its old name
            self.adapters[name] = PeftModel.from_pretrained(self._fresh(), path).eval()
        self.roots[name] = path

    def unload(self, name):
        if name not in self.roots:
            raise Refusal(404, f"The lora adapter '{name}' cannot be found.")
        del self.adapters[name], self.roots[name]

    def generate(self, body, prompt):
        """(piece, log-probability, tokens so far, finish reason or None) of each token."""
        model = self._model(body["model"])
        ids = list(prompt)
        constraint, luck, count = self._constraint(body), stream(body.get("seed", 0)), 0
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            with self._lock, torch.inference_mode():
                logits = model(torch.tensor([ids])).logits[0, -1].float()
            allowed = None if constraint is None else constraint.allowed()
            token = draw(logits.numpy(), allowed, body["temperature"], body.get("top_p", 1.0), luck)
            if token == 256:
                yield decoder.decode(b"", final=True), None, count, "stop"
                return
            count += 1
            ids.append(token)
            finish = "length" if count == body["max_tokens"] else None
            if constraint is not None:
                constraint.take(token)
                finish = "stop" if constraint.complete else finish
            piece = decoder.decode(self.vocabulary.decode([token]), final=finish is not None)
            yield piece, float(logits.log_softmax(0)[token]), count, finish
            if finish:
                return

    def _constraint(self, body):
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        grammar = None
        if self.dialect == "llama":
            schema, grammar = body.get("json_schema"), body.get("grammar", "").removeprefix(LLGUIDANCE) or None
        elif self.dialect == "vllm":
            grammar = body.get("structured_outputs", {}).get("grammar")
        grammar = None if "unbound" in self.faults else grammar
        matcher = self.vocabulary.compile(schema, grammar)
        return None if matcher is None else self.vocabulary.constrain(matcher)

    def _model(self, name):
        if name == NAME or self.dialect == "llama":
            return self.base
        if name not in self.adapters:
            raise Refusal(404, f"The model `{name}` does not exist.")
        return self.base if "deaf" in self.faults else self.adapters[name]

    def _fresh(self):
        return LlamaForCausalLM.from_pretrained(self.folder, dtype=torch.float32).eval()


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A connection that broke: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve(None)

    def do_POST(self):
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, body):
        fake = self.fake
        fake.asked.append((self.path, body))
        try:
            if fake.key and self.headers.get("Authorization") != f"Bearer {fake.key}":
                raise Refusal(401, "Unauthorized")
            if self.path in fake.faults.get("plain", {}) and not (body or {}).get("stream"):
                self._plain(*fake.faults["plain"][self.path])
                return
            getattr(self, f"_{fake.dialect}", self._texts_alone)(self.path, body)
        except Refusal as refusal:
            error = {"message": refusal.message, "type": "BadRequestError", "code": refusal.status}
            self._answer(refusal.status, {"error": error})

    def _texts_alone(self, path, body):
        match path:
            case "/v1/models":
                self._answer(200, {"object": "list", "data": self.fake.models()})
            case "/v1/completions" | "/v1/chat/completions":
                self._text(body)
            case _:
                raise Refusal(404, "Not Found")

    def _vllm(self, path, body):
        fake = self.fake
        match path:
            case "/v1/load_lora_adapter":
                if not body.get("lora_name") or not body.get("lora_path"):
                    raise Refusal(400, "Both 'lora_name' and 'lora_path' must be provided.")
                fake.load(body["lora_name"], body["lora_path"])
                self._answer(200, f"Success: LoRA adapter '{body['lora_name']}' added successfully.")
            case "/v1/unload_lora_adapter":
                fake.unload(body["lora_name"])
                self._answer(200, "Success")
            case _:
                self._texts_alone(path, body)

    def _llama(self, path, body):
        words = self.fake.tokenizer
        match path:
            case "/props":
                settings = {"n_ctx": self.fake.context, "params": {"top_k": 40}}
                self._answer(200, {"total_slots": SLOTS, "default_generation_settings": settings})
            case "/tokenize":
                ids = words(body["content"], add_special_tokens=body["add_special"])["input_ids"]
                if not body["parse_special"]:
                    ids = words(body["content"], split_special_tokens=True)["input_ids"]
                self._answer(200, {"tokens": ids})
            case "/apply-template":
                self._answer(200, {"prompt": self._rendered(body["messages"])})
            case _:
                self._texts_alone(path, body)

    def _chat(self, path, body):
        if path == "/v1/completions":
            raise Refusal(404, "404 page not found")
        self._texts_alone(path, body)

    def _text(self, body):
        fake = self.fake
        faults = fake.faults_of(body)
        if "status" in faults and body.get("stream"):
            raise Refusal(*faults["status"])
        if faults.get("busy", 0) and body.get("stream"):
            faults["busy"] -= 1
            raise Refusal(429, "one at a time")
        if "forgets" in faults:
            fake.restart()
        prompt, many = self._prompt(body), body.get("n", 1)
        most = fake.context if fake.dialect == "vllm" else fake.context + body["max_tokens"] - 1
        if len(prompt) + body["max_tokens"] > most:
            raise Refusal(400, f"This model's maximum context length is {fake.context} tokens.")
        if not 1 <= many <= (SLOTS if fake.dialect == "llama" else 1):
            raise Refusal(400, f"n: {many}")
        steps = [fake.generate({**body, "seed": body.get("seed", 0) + number}, prompt) for number in range(many)]
        if not body.get("stream"):
            answers = [list(one) for one in steps]
            choices = [self._whole(body, index, said) for index, said in enumerate(answers)]
            self._answer(200, {"choices": choices} | self._usage(faults, prompt, answers[0][-1][2]))
            return
        if "raw" in faults:
            kind, data = faults["raw"]
            self._head(kind)
            self._chunk(data)
            self._chunk(b"")
            return
        first = next(steps[0])  # refuses before it begins to answer
        self._head("text/event-stream; charset=utf-8")
        try:
            self._stream(body, faults, prompt, [itertools.chain([first], steps[0]), *steps[1:]])
        except OSError:
            fake.broken.set()
            self.close_connection = True

    def _whole(self, body, index, said):
        text, told = "".join(step[0] for step in said), [step[1] for step in said if step[1] is not None]
        written = {"message": {"content": text}} if "messages" in body else {"text": text}
        return {"index": index, "logprobs": self._logprobs(body, told), **written}

    def _logprobs(self, body, told):
        """vLLM tells always here; llama.cpp in another shape; Ollama not at all."""
        match self.fake.dialect:
            case "vllm":
                return {"token_logprobs": told}
            case "llama" if "logprobs" in body:
                return {"content": [{"token": "?", "logprob": one} for one in told]}
        return None

    def _prompt(self, body):
        fake = self.fake
        if "messages" not in body:
            if isinstance(body["prompt"], str):
                return fake.tokenizer(body["prompt"])["input_ids"]
            if "words" in fake.faults:
                raise Refusal(422, "prompt: a string is wanted")
            return body["prompt"]
        text = self._rendered(body["messages"])
        return fake.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _rendered(self, messages):
        continued = messages[-1]["role"] == "assistant"
        return self.fake.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=not continued, continue_final_message=continued
        )

    def _usage(self, faults, prompt, tokens):
        usage = faults.get("usage", {"prompt_tokens": len(prompt), "completion_tokens": tokens})
        return {} if usage is None else {"usage": usage}

    def _stream(self, body, faults, prompt, texts):
        fake, tokens, model = self.fake, 0, faults.get("model", body["model"])
        model = NAME if fake.dialect == "llama" and model == body["model"] else model
        rounds = itertools.zip_longest(*texts)
        said = ((index, step) for steps in rounds for index, step in enumerate(steps) if step)
        for sent, (index, (piece, logprob, count, finish)) in enumerate(said):
            tokens = count
            if sent == faults.get("cut"):
                self._chunk(b"")
                return
            if sent == faults.get("reset"):
                if "once" in faults:
                    del faults["reset"]
                self.connection.shutdown(2)
                return
            if sent == faults.get("hang"):
                fake.go_on.wait(30)
            reason = finish and faults.get("finish", finish) if index == faults.get("of", index) else finish
            choice = {"index": faults.get("index", index), "finish_reason": reason}
            choice |= {"delta": {"content": piece}} if "messages" in body else {"text": piece}
            if "logprobs" in body and "silent" not in faults:
                choice["logprobs"] = self._logprobs(body, [] if logprob is None else [logprob])
            counted = self._usage(faults, prompt, tokens) if finish and fake.dialect == "llama" else {}
            self._event({"model": model, "choices": [choice], **counted})
            if sent == faults.get("broken"):
                self._event({"error": {"message": "out of blocks"}})
        if fake.dialect != "llama" and (usage := self._usage(faults, prompt, tokens)):
            self._event({"model": model, "choices": [], **usage})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, event):
        self._chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _head(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _answer(self, status, value):
        self._plain(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _plain(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
