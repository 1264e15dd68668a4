#!/usr/bin/env python3
"""migration.py [MB...]: moves a service from one state root to another, which play two hosts, and measures how long it stands still.

The service counts in memory and answers on a TCP connection, whose other end asks again and again and is never told to connect anew. Shown for each size
of its memory (10 and 1000 MB): as it is, after two pre-dumps, and lazily. Each host has a network namespace of its own, and the service's address
moves from the one to the other. Prints `ok` or `FAILED` for each way, and the rows of docs/checkpoint.md."""

import os
import shutil
import subprocess
import sys
import threading
import time

from world import RUNBOX, WORK, Side, join, lacking, sh, wait

HERE, THERE, CLIENT = "ck-here", "ck-there", "ck-client"
ADDRESS, CLIENTS = "10.99.0.2", "10.99.0.1"


def networks():
    """Two hosts with one address that moves, and a client; a bridge joins them."""
    for name in (HERE, THERE, CLIENT):
        sh("ip", "netns", "del", name)
    for name in (HERE, THERE, CLIENT):
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
    sh("ip", "-n", CLIENT, "link", "add", "br0", "type", "bridge")
    for name in (HERE, THERE):
        sh("ip", "-n", CLIENT, "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", "02:00:00:00:00:02", "netns", name)
        sh("ip", "-n", CLIENT, "link", "set", name, "master", "br0", "up")
        sh("ip", "-n", name, "address", "add", f"{ADDRESS}/24", "dev", "eth0")
    sh("ip", "-n", CLIENT, "address", "add", f"{CLIENTS}/24", "dev", "br0")
    sh("ip", "-n", CLIENT, "link", "set", "br0", "up")
    sh("ip", "-n", HERE, "link", "set", "eth0", "up")


def move_address():
    sh("ip", "-n", HERE, "link", "set", "eth0", "down")
    sh("ip", "-n", CLIENT, "link", "set", HERE, "down")
    sh("ip", "-n", THERE, "link", "set", "eth0", "up")


def forget_networks():
    for name in (HERE, THERE, CLIENT):
        sh("ip", "netns", "del", name)


class Asker:
    """The other end: asks each few milliseconds, and notes when which number came."""

    def __init__(self, port):
        code = (
            "import socket,sys,time\n"
            f"s=socket.create_connection(('{ADDRESS}',{port}))\n"
            "s.settimeout(280)\n"
            "while True:\n"
            " s.sendall(b'?\\n'); t=s.recv(64)\n"
            " if not t: print('closed',flush=True); break\n"
            " print(time.monotonic(),t.split()[-1].decode(),flush=True); time.sleep(0.005)\n"
        )
        self.process = subprocess.Popen(["ip", "netns", "exec", CLIENT, "python3", "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.answers, self.odd = [], []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            try:
                when, number = line.split()
                self.answers.append((float(when), int(number)))
            except ValueError:
                self.odd.append(line.strip())

    def standstill(self, since):
        """The longest time between two answers."""
        times = [when for when, _ in self.answers if when >= since - 1]
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(5)


def size(path):
    return sum(os.path.getsize(f"{path}/{name}") for name in os.listdir(path)) >> 20


def move(megabytes, way):
    """One move. Returns what it came to, and its figures."""
    one, two = Side("one", RUNBOX), Side("two", RUNBOX)
    shared = f"{WORK}/shared"
    shutil.rmtree(shared, ignore_errors=True)
    os.makedirs(shared)

    networks()

    def change(c, network=HERE):
        join(c, network)
        c["mounts"].append({"destination": "/data", "source": shared, "options": ["rbind", "rw"]})

    # 20 pages for each number, 50 numbers a second: 4 MB a second.
    one.bundle(f"mb={megabytes}", "dirty=20", "tick=20", "check=0", "listen=7300", change=change)
    one.last = lambda path=None: Side.last(one, f"{shared}/n")
    two.bundle(change=lambda c: change(c, THERE))
    two.last = lambda path=None: Side.last(two, f"{shared}/n")
    asker = pages = dump = None
    try:
        one.start("--pid-file", f"{one.base}/pid")
        if not wait(lambda: one.last() > 20, 200):
            return "does not begin", None
        asker = Asker(7300)
        if not wait(lambda: len(asker.answers) > 20, 100):
            return f"does not answer: {asker.odd}", None
        flags, parent = ["--tcp-established"], []
        if way == "pre-dump":
            for step in (0, 1):
                result = one.checkpoint("--pre-dump", *flags, *parent, image=f"pre{step}")
                if result[0]:
                    return f"pre-dump: {result[2]}", None
                parent = ["--parent-path", f"../pre{step}"]
        began = time.monotonic()
        if way == "lazy":
            ready, end = os.pipe()
            os.set_inheritable(end, True)
            os.makedirs(f"{two.base}/work")
            dump = subprocess.Popen(one.words("checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:7301", "--status-fd", end, *flags, "--image-path", f"{one.base}/image", "--work-path", f"{one.base}/work", one.id),
                                    pass_fds=[end], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.close(end)
            os.read(ready, 1)
            pages = subprocess.Popen(["criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", "7301", "--images-dir", f"{one.base}/image", "--work-dir", f"{two.base}/work"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait(lambda: os.path.exists(f"{two.base}/work/lazy-pages.socket"))
            flags.append("--lazy-pages")
        else:
            result = one.checkpoint(*flags, *parent)
            if result[0]:
                return f"checkpoint: {result[2]}", None
        saved = time.monotonic()
        move_address()
        result = two.detached(two.words("restore", "-d", *flags, "--image-path", f"{one.base}/image", "--work-path", f"{two.base}/work", "--bundle", two.path, two.id), {})
        two.begun.append(two.id)
        if result[0]:
            return f"restore: {result[1]}", None
        moved = time.monotonic()
        if dump and dump.wait(280):
            return f"lazy checkpoint: {dump.returncode}", None
        wait(lambda: asker.answers[-1][0] > moved + 1, 60)
        memory = sh("ip", "netns", "exec", CLIENT, "python3", "-c", f"import socket; s=socket.create_connection(('{ADDRESS}',7300)); s.sendall(b'c\\n'); print(s.recv(9).decode().strip())")[1].strip()
        numbers = one.numbers(f"{shared}/n")
        whole = numbers == list(range(1, len(numbers) + 1))
        asked = [number for _, number in asker.answers]
        figures = {"still": asker.standstill(began), "save": saved - began, "restore": moved - saved, "image": size(f"{one.base}/image")}
        told = f"memory {memory}, {'no number lost' if whole else 'numbers lost'}, connection {'kept' if asked == sorted(asked) and not asker.odd and asker.answers[-1][0] > moved else f'lost {asker.odd}'}, {two.status()} there, {one.status()} here"
        return told, figures
    finally:
        for process in (pages, dump):
            if process:
                process.kill()
        if asker:
            asker.end()
        one.clean()
        two.clean()
        shutil.rmtree(one.base, ignore_errors=True)
        shutil.rmtree(two.base, ignore_errors=True)


def main():
    why = lacking()
    if why:
        print(f"skipped: migration: {why}")
        return 0
    bad, rows = 0, []
    for megabytes in [int(word) for word in sys.argv[1:]] or [10, 1000]:
        for way in ("plain", "pre-dump", "lazy"):
            told, figures = move(megabytes, way)
            right = told == "memory whole, no number lost, connection kept, running there, gone here"
            bad += not right
            print(f"{'ok' if right else 'FAILED'}: migration of {megabytes} MB, {way}: {told} {figures or ''}", flush=True)
            if figures:
                rows.append(f"| {megabytes} MB | {way} | {figures['still']:.2f} s | {figures['save']:.2f} s | {figures['restore']:.2f} s | {figures['image']} MB |")
    print("\n".join(f"    {row}" for row in rows))
    forget_networks()
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
