#!/usr/bin/env python3
"""A seccomp agent for tests: agent.py SOCKET [NUMBER=ERRNO|NUMBER:VALUE|NUMBER?]...

Takes one container process state after the other and decides on every call that its filter asks about: a call with the
number fails with the errno, returns the value, or gets no answer at all ("?"); all others go on. What it sees is printed
as lines: `state JSON`, `descriptors N`, `closed` (the connection has ended as it must), `call NUMBER` for each call.
"""
import array, fcntl, os, select, socket, struct, sys, threading

RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
lock = threading.Lock()


def say(*words):
    with lock:
        print(*words, flush=True)


def rules(words):
    found = {}
    for word in words:
        for mark in "=:?":
            number, separator, value = word.partition(mark)
            if separator:
                found[int(number)] = (mark, int(value or 0))
                break
    return found


def decide(listener, decisions):
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            return say("over")
        notification = bytearray(80)
        try:
            fcntl.ioctl(listener, RECEIVE, notification)
        except FileNotFoundError:
            continue  # the caller was killed meanwhile
        identity, _pid, _flags, number = struct.unpack_from("=QIIi", notification)
        say("call", number)
        mark, value = decisions.get(number, ("", 0))
        if mark == "?":
            continue
        answer = struct.pack("=QqiI", identity, value if mark == ":" else 0, -value if mark == "=" else 0,
                             0 if mark else CONTINUE)
        try:
            fcntl.ioctl(listener, SEND, bytearray(answer))
        except FileNotFoundError:
            pass


def serve(connection, decisions):
    room = socket.CMSG_SPACE(16 * 4)
    text, ancillary, _, _ = connection.recvmsg(1 << 16, room)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) // 4 * 4])
    while part := connection.recv(1 << 16):
        text += part
    say("state", text.decode())
    say("descriptors", len(descriptors))
    say("closed")
    if descriptors:
        decide(descriptors[0], decisions)


def main():
    path, decisions = sys.argv[1], rules(sys.argv[2:])
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(8)
    say("listening")
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection, decisions), daemon=True).start()


main()
