"""How many events a server takes, each answered once it is on disk, as a table; figures of one machine and one run.

    python benches/ingest.py target/release/travelsense [--seconds 10] [--data DIR] [--memory /dev/shm] [--fill 10000000] [--rounds 2] [--write]

With `--memory` the batches are sent to a server whose files are there, too, where waiting for the disk costs nothing. With `--fill` all is done
with so many events stored before, too, as one import. The loads begin once the server has read what is there, as its log tells. Places take
turns, and of the rounds the one with the most batches is told. `--write` puts it into benches/README.md.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import uuid

SECRET = "Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE"
PATH = "/api/analytics-dashboard"


class Connection:
    """One kept-alive connection."""

    def __init__(self, address, token):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n".encode()
        self.rest = b""

    def ask(self, method, path, body=b""):
        """The status and the body of the answer."""
        self.send(method, path, body)
        return self.answer()

    def send(self, method, path, body=b""):
        """Asks, and does not wait."""
        kind = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body) if body else b""
        self.socket.sendall(b"%s %s " % (method, path if path == b"/metrics" else PATH.encode() + path) + self.head + kind + b"\r\n" + body)

    def answer(self):
        """The status and the body of what was asked first."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(self.rest) < length:
            self.more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(head.split(b" ", 2)[1]), body

    def more(self):
        got = self.socket.recv(1 << 16)
        if not got:
            raise ConnectionError("the server went away")
        self.rest += got


def batch(size, chance):
    """So many new events of 50,000 users, as a client sends them."""
    now = time.time()
    names = ("page_view", "search", "view_trip", "start_booking", "complete_booking", "error")
    events = [
        {
            "eventId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "userId": f"u{chance.randrange(50_000)}",
            "name": chance.choice(names),
            "ts": int((now - chance.random()) * 1e6),
            "properties": {"page": f"/trips/{chance.randrange(1000)}", "device": "mobile"},
        }
        for _ in range(size)
    ]
    for event in events:
        event["ts"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(event["ts"] // 1_000_000)) + f".{event['ts'] % 1_000_000:06}Z"
    return json.dumps(events).encode()


def many(address, token, connections, seconds, seed, start, out):
    """Sends single events over so many connections, to each the next once all have answered; tells how long each took."""
    chance = random.Random(seed)
    connections = [Connection(address, token) for _ in range(connections)]
    ready = [batch(1, chance) for _ in range(4_000)]
    took, accepted, turned_away, sent = [], 0, 0, 0
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begins = []
        for connection in connections:
            begins.append(time.perf_counter())
            connection.send(b"POST", b"/events", ready[sent] if sent < len(ready) else batch(1, chance))
            sent += 1
        for connection, begin in zip(connections, begins):
            status, _ = connection.answer()
            took.append(time.perf_counter() - begin)
            accepted += status == 200
            turned_away += status != 200
    out.put((took, accepted, turned_away))


def client(address, token, size, seconds, rate, seed, start, out):
    """Sends batches for so long, as fast as they are answered or at a rate; tells how long each took."""
    chance = random.Random(seed)
    connection = Connection(address, token)
    ready = [batch(size, chance) for _ in range(min(20_000 // size + 1, 400))]
    took, accepted, turned_away = [], 0, 0
    start.wait()
    end = time.perf_counter() + seconds
    due = time.perf_counter() + chance.random() / rate if rate else 0
    while time.perf_counter() < end:
        body = ready.pop() if ready else batch(size, chance)
        if rate:
            # From when it was due: a server that is late makes those behind it late too.
            time.sleep(max(0, due - time.perf_counter()))
            begin = due
            due += 1 / rate
        else:
            begin = time.perf_counter()
        status, answer = connection.ask(b"POST", b"/events", body)
        took.append(time.perf_counter() - begin)
        if status == 200:
            accepted += json.loads(answer)["data"]["accepted"] if size == 1 else size
        else:
            turned_away += 1
    out.put((took, accepted, turned_away))


def load(address, token, clients, size, seconds, rate=None):
    """The load of several processes; rate is of all together."""
    return begun(client, clients, address, token, size, seconds, rate / clients if rate else None)


def singles(address, token, processes, connections, seconds):
    """Single events of several processes with several connections each."""
    return begun(many, processes, address, token, connections, seconds)


def begun(work, processes, *arguments):
    """Processes that begin at once, when all have made what they send: that takes the cores that are measured."""
    out, start = multiprocessing.Queue(), multiprocessing.Barrier(processes + 1)
    jobs = [multiprocessing.Process(target=work, args=(*arguments, random.randrange(1 << 60), start, out)) for _ in range(processes)]
    for job in jobs:
        job.start()
    start.wait()
    return jobs, out


def engine(connection):
    """How many MiB the engine holds, its cache among them."""
    _, text = connection.ask(b"GET", b"/metrics")
    line = next(line for line in text.decode().splitlines() if line.startswith("travelsense_engine_bytes "))
    return int(float(line.split()[1])) >> 20


def result(jobs, out):
    took, accepted, turned_away = [], 0, 0
    for _ in jobs:
        some, events, away = out.get()
        took += some
        accepted += events
        turned_away += away
    for job in jobs:
        job.join()
    return sorted(took), accepted, turned_away


def at(took, share):
    return took[min(int(len(took) * share), len(took) - 1)] * 1e3 if took else float("nan")


def resident(pid):
    """How many MiB are resident, and how many of them are pages of files: of the program, above all."""
    with open(f"/proc/{pid}/status") as status:
        found = dict(line.split(":", 1) for line in status)
    return [int(found[name].split()[0]) // 1024 for name in ("VmRSS", "RssFile")]


def told(log, message):
    """The first line of a server's log that says so."""
    while True:
        with open(log.name) as lines:
            found = next((line for line in lines if message in line and line.endswith("\n")), None)
        if found:
            return json.loads(found)
        time.sleep(0.05)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("program")
    asked.add_argument("--seconds", type=float, default=10)
    asked.add_argument("--data")
    asked.add_argument("--memory", help="a folder in memory, to be compared with")
    asked.add_argument("--fill", type=int, default=0)
    asked.add_argument("--clients", type=int, default=16)
    asked.add_argument("--rounds", type=int, default=2)
    asked.add_argument("--write", action="store_true")
    asked = asked.parse_args()
    places = {"on disk": (asked.data, 0)}
    if asked.fill:
        places[f"beside {asked.fill:,} stored"] = (asked.data, asked.fill)
    if asked.memory:
        places["in memory"] = (asked.memory, 0)
    told = {place: [] for place in places}
    for _ in range(asked.rounds):
        for place, (folder, fill) in places.items():
            data = tempfile.mkdtemp(dir=folder)
            try:
                told[place].append(run(asked, data, fill))
            finally:
                shutil.rmtree(data)
            print(place, told[place][-1], flush=True)
    text = table({place: max(rounds, key=lambda figures: figures["rate"]) for place, rounds in told.items()}, asked)
    print(text)
    if asked.write:
        write(text)


def table(told, asked):
    rows = ["| | " + " | ".join(told) + " |", "|---|" + "---:|" * len(told)]
    first = next(iter(told.values()))
    for name in first:
        if name != "rate":
            rows.append(f"| {name} | " + " | ".join(figures[name] for figures in told.values()) + " |")
    beside = [f"{figures['rate'] / first['rate']:.2f} times as many {place}" for place, figures in told.items() if figures is not first]
    rates = f"Batches, against those on disk: {', '.join(beside)}. " if beside else ""
    machine = f"{os.cpu_count()} cores, which the clients share; of {asked.rounds} rounds that with the most batches, each load {asked.seconds:g} s."
    return "\n".join([*rows, "", rates + machine])


def write(text):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
    with open(path) as file:
        before, rest = file.read().split("<!-- ingest -->")
    _, after = rest.split("<!-- end ingest -->")
    with open(path, "w") as file:
        file.write(f"{before}<!-- ingest -->\n{text}\n<!-- end ingest -->{after}")


def run(asked, data, fill):
    """Starts a server in a folder and puts it under each load; what came of them."""
    environment = {**os.environ, "TRAVELSENSE_JWT_SECRET": SECRET}
    if fill:
        events = os.path.join(data, "fill.csv")
        with open(events, "w") as file:
            file.write("event_id,user_id,name,ts\n")
            for i in range(fill):
                file.write(f"{uuid.UUID(int=random.getrandbits(128), version=4)},u{i % 50_000},search,{1_700_000_000 + i // 10}\n")
        subprocess.run([asked.program, "import", events, "--data", data, "--time-unit", "s"], check=True, stdout=subprocess.DEVNULL)
        os.remove(events)
    token = subprocess.run(
        [asked.program, "token", "--sub", "bench", "--role", "admin"], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    arguments = [asked.program, "serve", "--data", data, "--bind", "127.0.0.1:0", "--log-format", "json", "--rate-limit", "off"]
    log = open(os.path.join(data, "log"), "w+")
    server = subprocess.Popen(arguments, env=environment, stderr=log, stdout=subprocess.DEVNULL)
    try:
        address = told(log, "listening")["address"]
        connection = Connection(address, token)
        begin = time.perf_counter()
        connection.ask(b"POST", b"/events", batch(100, random.Random()))
        figures = {"a batch that comes at once after the start": f"{(time.perf_counter() - begin) * 1e3:.0f} ms"}
        told(log, "timelines are ready")
        idle, mapped = resident(server.pid)
        idle -= engine(connection) + mapped
        took, events, away = result(*load(address, token, asked.clients, 100, asked.seconds))
        assert away == 0, f"{away} batches were turned away"
        figures["rate"] = events / asked.seconds
        figures[f"batches of 100, {asked.clients} clients"] = f"{events / asked.seconds:,.0f} events/s; {delays(took)}"
        took, events, _ = result(*singles(address, token, 4, 16, asked.seconds))
        figures["single events, 64 connections"] = f"{events / asked.seconds:,.0f} requests/s; {delays(took)}"
        took, events, _ = result(*load(address, token, asked.clients, 1, asked.seconds, rate=800))
        figures["single events, 800 a second"] = f"{events / asked.seconds:,.0f} requests/s; {delays(took)}"
        jobs = load(address, token, 4, 100, asked.seconds, rate=100)
        asks = []
        # The server closes connections that were idle for as long as the loads took.
        connection = Connection(address, token)
        connection.ask(b"GET", b"/realtime")
        end = time.perf_counter() + asked.seconds - 1
        while time.perf_counter() < end:
            begin = time.perf_counter()
            status, _ = connection.ask(b"GET", b"/realtime")
            assert status == 200
            asks.append(time.perf_counter() - begin)
            time.sleep(0.05)
        asks.sort()
        _, events, _ = result(*jobs)
        assert events >= 9_800 * asked.seconds, f"only {events} events came"
        figures["`GET /realtime` while 10,000 events/s come"] = delays(asks)
        held = engine(connection)
        busy, mapped = resident(server.pid)
        figures["memory beyond the engine's and the program's own pages"] = f"{idle} MiB before, {busy - held - mapped} MiB after"
        return figures
    finally:
        server.terminate()
        server.wait()


def delays(took):
    return f"p50 {at(took, 0.5):.1f}, p95 {at(took, 0.95):.1f}, p99 {at(took, 0.99):.1f} ms"


if __name__ == "__main__":
    main()
