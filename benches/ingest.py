"""How many events a server takes, each answered once it is on disk; figures of one machine and one run.

    python benches/ingest.py target/release/travelsense [--seconds 10] [--data DIR] [--memory /dev/shm] [--fill 10000000]

With `--memory` the batches are sent once more to a server whose files are there, where waiting for the disk costs nothing. `--fill` puts so
many events there before, as one import. The loads begin once the server has read what is there, as its log tells; how long a batch takes that
comes at once is told too.
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
    asked = argparse.ArgumentParser()
    asked.add_argument("program")
    asked.add_argument("--seconds", type=float, default=10)
    asked.add_argument("--data")
    asked.add_argument("--memory", help="a folder in memory, to be compared with")
    asked.add_argument("--fill", type=int, default=0)
    asked.add_argument("--clients", type=int, default=16)
    asked = asked.parse_args()
    places = [asked.data] + ([asked.memory] if asked.memory else [])
    rates = []
    for place in places:
        data = tempfile.mkdtemp(dir=place)
        try:
            rates.append(run(asked, data, whole=place == asked.data))
        finally:
            shutil.rmtree(data)
    if asked.memory:
        print(f"on disk {rates[0] / rates[1]:.2f} times as many as in memory")


def run(asked, data, whole):
    environment = {**os.environ, "TRAVELSENSE_JWT_SECRET": SECRET}
    if asked.fill:
        fill = os.path.join(data, "fill.csv")
        with open(fill, "w") as file:
            file.write("event_id,user_id,name,ts\n")
            for i in range(asked.fill):
                file.write(f"{uuid.UUID(int=random.getrandbits(128), version=4)},u{i % 50_000},search,{1_700_000_000 + i // 10}\n")
        subprocess.run([asked.program, "import", fill, "--data", data, "--time-unit", "s"], check=True, stdout=subprocess.DEVNULL)
        os.remove(fill)
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
        print(f"the first batch after the start: {(time.perf_counter() - begin) * 1e3:.0f} ms")
        told(log, "timelines are ready")
        idle, mapped = resident(server.pid)
        idle -= engine(connection)
        took, events, away = result(*load(address, token, asked.clients, 100, asked.seconds))
        print(f"batches of 100: {events / asked.seconds:,.0f} events/s, p50 {at(took, 0.5):.1f} ms, p99 {at(took, 0.99):.1f} ms, {away} turned away")
        rate = events / asked.seconds
        if not whole:
            return rate
        took, events, _ = result(*singles(address, token, 4, 16, asked.seconds))
        print(f"single events over 64 connections: {events / asked.seconds:,.0f} requests/s, p50 {at(took, 0.5):.1f} ms, p99 {at(took, 0.99):.1f} ms")
        took, events, _ = result(*load(address, token, asked.clients, 1, asked.seconds, rate=800))
        print(f"single events at 800/s: {events / asked.seconds:,.0f} requests/s, p50 {at(took, 0.5):.1f} ms, p99 {at(took, 0.99):.1f} ms")
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
        print(f"GET /realtime while {events / asked.seconds:,.0f} events/s arrive: p50 {at(asks, 0.5):.1f} ms, p95 {at(asks, 0.95):.1f} ms, p99 {at(asks, 0.99):.1f} ms")
        held = engine(connection)
        busy, more = resident(server.pid)
        busy -= held
        print(f"resident memory beyond the engine's {held} MiB: {idle} MiB before, {mapped} of them pages of the program, {busy} MiB after, {more} of them")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        return rate
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
