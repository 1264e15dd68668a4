#!/bin/sh
# Runs inside the container of `services.sh tools`: the common tools of a Debian system work under the default seccomp
# profile and 14 capabilities, and what the profile refuses is refused. Says what went wrong and ends with 1 at the
# first surprise.
set -eu

works() { "$@" >/dev/null 2>/tmp/errors || { echo "should work: $*: $(cat /tmp/errors)"; exit 1; }; }
refused() { ! "$@" >/dev/null 2>&1 || { echo "should be refused: $*"; exit 1; }; }

mkdir /tmp/tools && cd /tmp/tools

# Files
works sh -c 'echo one >a && cp -a a b && mv b c && ln c d && ln -s d e && cat e'
works chown nobody:nogroup a
works chmod 4755 a
works mknod null c 1 3
works mkfifo pipe
works touch -d 2020-01-01 a
works sh -c 'dd if=/dev/zero of=big bs=64k count=16 && truncate -s 1M big && fallocate -l 2M big && sync big'
works sh -c 'tar -cf - /etc | tar -xf - && diff -r --no-dereference /etc etc'
works sh -c 'gzip -k big && gunzip -c big.gz | cmp - big'
works find / -xdev -name passwd -newer /proc/1
works sh -c 'ls -lR /etc | sort | uniq -c | sed s/root/user/ | awk "{ print \$1 }" | head -50 | md5sum'
works stat --file-system /
works df
works flock lock true
works setpriv --reuid=nobody --clear-groups true
works chroot / true

# Packages and users, as an image's build does
works dpkg --list
works dpkg --verify coreutils
works adduser --system --no-create-home service || works useradd --system service
works su -s /bin/sh -c id nobody

# Processes, timers, limits, terminals
works sh -c 'sleep 100 & kill $! && ! wait $!'
works timeout 5 nice -n 5 true
works taskset -p 1
works prlimit --nofile
works ionice -c 3 true
works script -qec true /dev/null
works nproc
works uname -a
works setarch linux32 true

# Python touches many calls: threads, processes, sockets, asynchronous I/O, files, memory
works python3 -c '
import asyncio, mmap, os, select, socket, subprocess, tempfile, threading, time
thread = threading.Thread(target=time.sleep, args=(0.01,)); thread.start(); thread.join()
assert subprocess.check_output(["echo", "hello"]) == b"hello\n"
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET):
    kind = socket.SOCK_RAW if family in (socket.AF_NETLINK, socket.AF_PACKET) else socket.SOCK_STREAM
    socket.socket(family, kind).close()
async def main():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    server.close()
asyncio.run(main())
select.epoll().close(); os.close(os.memfd_create("x")); os.close(os.eventfd(0)) if hasattr(os, "eventfd") else None
mmap.mmap(-1, 4096).close(); os.getrandom(8); os.sched_yield(); os.pidfd_open(os.getpid())
with tempfile.TemporaryFile() as file: os.posix_fallocate(file.fileno(), 0, 4096); os.fsync(file.fileno()); os.sendfile(1, file.fileno(), 0, 16)
'

# What a contained process does not get
refused mount -t tmpfs tmpfs /tmp
refused umount /proc
refused unshare --user true
refused unshare --mount true
refused nsenter --target 1 --mount true
refused hostname other
refused date --set 2020-01-01
refused swapon /dev/null
refused dmesg
refused setarch --addr-no-randomize true
works python3 -c '
import ctypes, errno, socket
def refused(family, padding=0):
    result = libc.syscall(ctypes.c_long(socket_call), ctypes.c_long(family + padding), ctypes.c_long(5), ctypes.c_long(0))
    return result == -1 and ctypes.get_errno() == errno.EPERM
import os, platform
libc = ctypes.CDLL(None, use_errno=True)
socket_call = {"x86_64": 41, "aarch64": 198}[platform.machine()]
for family in (38, 40):  # AF_ALG and AF_VSOCK, plain and with a bit that the kernel ignores but a filter compares
    assert refused(family) and refused(family, 1 << 32), family
def error(number, *arguments):
    ctypes.set_errno(0); libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)); return ctypes.get_errno()
assert error(435, 0, 0) == errno.ENOSYS                       # clone3: libcs fall back
for number in (425, 438, 440, 428, 442):                      # io_uring_setup, pidfd_getfd, process_madvise, open_tree, mount_setattr
    assert error(number) == errno.EPERM, number
'
