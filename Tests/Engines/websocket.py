"""As much of a WebSocket as kubectl needs of a container engine's streaming server: frames, and the channels of exec, attach and port-forward."""

import base64
import os
import re
import socket
import struct
import time

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)


class Closed(Exception):
    pass


class WebSocket:
    def __init__(self, url, protocol="v4.channel.k8s.io"):
        host, port, path = re.match(r"http://([^:/]+):(\d+)(/.*)", url).groups()
        self.socket = socket.create_connection((host, int(port)), 60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://{host}\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.socket.recv(1)
            if not more:
                raise Closed(head.decode())
            head += more
        self.answer = head.split(b"\r\n")[0].decode()
        if " 101 " not in self.answer:
            raise Closed(self.answer)

    def send(self, channel, data):
        self.frame(2, bytes([channel]) + data)

    def frame(self, kind, data):
        """Every frame of a client is masked."""
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | kind]) + size + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Closed()
            data += more
        return data

    def receive(self):
        """Channel and data of the next frame."""
        while True:
            first, second = self.exactly(2)
            size = second & 0x7F
            if size >= 126:
                size = struct.unpack(">H" if size == 126 else ">Q", self.exactly(2 if size == 126 else 8))[0]
            data = self.exactly(size)
            if first & 15 == 8:
                raise Closed()
            if first & 15 in (1, 2) and data:
                return data[0], data[1:]

    def gather(self, until=None, timeout=60):
        """What comes by channel, until the other side closes or `until` was seen in the output."""
        found, end = {}, time.monotonic() + timeout
        self.socket.settimeout(timeout)
        try:
            while time.monotonic() < end:
                channel, data = self.receive()
                found[channel] = found.get(channel, b"") + data
                if until and until in found.get(STDOUT, b""):
                    break
        except (Closed, OSError):
            pass
        return {channel: data.decode(errors="replace") for channel, data in found.items()}

    def close(self):
        self.socket.close()
