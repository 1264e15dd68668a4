"""The cases of Buildah: single commands and whole builds, by a runtime or with a plain chroot."""

import os
import re

import podman
from bench import ROOT, RUNBOX, RUNC, WORK, Case, on_terminal, sh, write
from podman import BOX, class_of, need

settle = podman.settle
# Logs; and Buildah asks for ambient capabilities that are not inheritable, which the specification wants a warning for;
# runc gives none.
NOISE = re.compile("time=|.*(level=|ambient capabilities)")


def reason(text):
    """Why a runtime made no container. runc adds that a file of its own is not there."""
    text = class_of("Error: OCI runtime error: " + text)
    return text.replace("no such file or directory ", "")


class Buildah:
    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag = manager, runtime, tag
        # As root `oci` is what it chooses by itself; an ordinary user gets the same with `rootless`.
        self.isolation = "oci" if ROOT else "rootless"

    def name(self, word):
        return f"{word}-{self.tag}"

    def do(self, *words, input=None):
        status, out, err = sh("buildah", *words, input=input)
        return self.told(status, out, err)

    def told(self, status, out, err):
        """Status, output, and of the errors what the user's own commands say; of the runtimes' the reason."""
        # An error of the runtime's goes over several lines, in its own words up to the one that begins with a colon.
        err = re.sub(r"(?ms)^error running container: .*?^: exit status \d+$", lambda found: "Error: runtime: " + reason(found[0]), err)
        lines = []
        for line in err.splitlines():
            if line.startswith("Error:"):
                lines.append("error " + (re.findall(r"exit status \d+", line) or [line.rsplit(": ", 1)[1]])[-1])
            elif not NOISE.match(line):
                lines.append("stderr " + line)
        return "\n".join([f"{status}:"] + out.splitlines() + lines)

    def run(self, *words, isolation=None, input=None, image=BOX):
        """A command in a working container, which is then removed."""
        made = sh("buildah", "from", "--pull-never", image)[1].strip()
        flags = words[:words.index("--")]
        told = self.do("run", "--runtime", self.runtime, "--isolation", isolation or self.isolation, *flags, made, *words[words.index("--"):], input=input)
        sh("buildah", "rm", made)
        return told.replace(made, "WORKING")

    def build(self, text, *words, isolation=None, run=None, files=(), network="none"):
        """A build, and what a container of its image says."""
        folder, image = f"{WORK}/build-{self.tag}", "localhost/built-" + self.tag
        sh("rm", "-rf", folder)
        write(folder + "/Dockerfile", text)
        for name, content in files:
            write(f"{folder}/{name}", content)
        status, out, err = sh("buildah", "build", "--runtime", self.runtime, "--isolation", isolation or self.isolation, "--pull-never", "--layers=false",
            "--network", network, "-t", image, *words, folder)
        out = "\n".join(line for line in out.splitlines() if not line.startswith(("STEP", "COMMIT", "Getting", "Writing", "Storing", "--> ", "Successfully",
            "[")) and not re.fullmatch("[0-9a-f]{64}", line))
        err = "\n".join(line for line in err.splitlines() if not line.startswith(("STEP", "COMMIT", "Getting", "Copying", "Writing", "Storing", "--> ", "[")))
        told = self.told(status, out, err)
        if status == 0 and run:
            told += "\n" + self.run("--", "sh", "-c", run, image=image)
        sh("buildah", "rmi", "-f", image)
        return told


LOOK = """id; pwd; hostname | wc -c > /dev/null; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; ls /proc/self/fd | wc -l; umask
cat /proc/self/mountinfo | while read a b c d e f g; do case $e in /proc/*|/sys/*) f=${f%%,*};; esac; echo "$e $f"; done | sort
ls -l /dev | while read a b c d e f; do echo "$a $c $d"; done | sort; cat /proc/sys/net/ipv4/ping_group_range"""


def ran(name, expected, *words, clean=False, **others):
    return Case(name, lambda e: e.run(*words, **others), expected, clean)


def shell(name, expected, line, *flags, **others):
    return ran(name, expected, *flags, "--", "sh", "-c", line, **others)


def volumes(e):
    folder = f"{WORK}/bvol-{e.tag}"
    write(folder + "/file", "from the host\n")
    os.chmod(folder, 0o777)
    look = "cat /v/file; touch /v/made && echo made; rm -f /v/made"
    text = [e.run("-v", f"{folder}:/v{options}", "--", "sh", "-c", look) for options in ("", ":ro", ":z", ":rshared", ":O")]
    text += [e.run("--mount", f"type=bind,source={folder},destination=/v,ro", "--", "sh", "-c", look), e.run("--mount",
        "type=tmpfs,destination=/t,tmpfs-size=1m", "--", "sh", "-c", "df -k /t | awk 'NR == 2 {print $2}'")]
    return "\n".join(text)


def with_terminal(e):
    made = sh("buildah", "from", "--pull-never", BOX)[1].strip()
    told = on_terminal("buildah", "run", "--runtime", e.runtime, "--isolation", e.isolation, "-t", made, "sh", "-c", "tty; sleep 1; exit 4")
    sh("buildah", "rm", made)
    return "\n".join(line for line in told.splitlines() if not line.startswith("Error:") and not NOISE.match(line))


def kept(e):
    """A working container: its files stay from one run to the next, are committed, mounted."""
    image = "localhost/kept-" + e.tag
    made = sh("buildah", "from", "--pull-never", BOX)[1].strip()
    run = ["run", "--runtime", e.runtime, "--isolation", e.isolation, made]
    text = [e.do(*run, "--", "sh", "-c", "echo one > /kept"), e.do(*run, "cat", "/kept"), e.do("config", "--env", "A=b", "--user", "user", "--workingdir",
        "/tmp", made),
            e.do(*run, "sh", "-c", "echo $A; id -u; pwd"), str(sh("buildah", "commit", "-q", made, image)[0]), str(sh("buildah", "rm", made)[0])]
    text += [e.run("--", "sh", "-c", "cat /kept; id -u", image=image), str(sh("buildah", "rmi", image)[0])]
    return "\n".join(text)


def from_nothing(e):
    made = sh("buildah", "from", "scratch")[1].strip()
    text = [e.do("add", "-q", made, WORK + "/tree.tar", "/").splitlines()[0], e.do("run", "--runtime", e.runtime, "--isolation", e.isolation, made, "echo",
        "from scratch"), str(sh("buildah", "rm", made)[0])]
    return "\n".join(text)


RUNS = [
    ran("run", "^0: [|] out$", "--", "echo", "out", clean=True),
    shell("run: both streams and the status", "^7: [|] out [|] stderr err", "echo out; echo err >&2; exit 7"),
    ran("run of what is not there", "^(1|127): ", "--", "nothere", clean=True), ran("run of no program", "^(1|126): ", "--", "/bin/plainfile", clean=True),
        ran("run of a folder", "^(1|126): ", "--", "/etc"),
    shell("run: a process that is killed", "^0: [|] 137 [|]", "sh -c 'kill -9 $$'; echo $?"),
    shell("run with input", "^3: [|] in", "cat; exit 3", input="in\n"),
    Case("run with a terminal", with_terminal, "^4: [|] /dev/pts/0"),
    shell("run: what it sees", "uid=0", LOOK),
    shell("run: an ordinary user's view", "uid=1000", LOOK, "--user", "user"),
    shell("run --user by numbers", "uid=77.*gid=88", "id", "--user", "77:88"),
    ran("run --user that is unknown", "^(1|125): ", "--user", "nobodyhere", "--", "true"),
    shell("run --workingdir, --env, --hostname", "^0: [|] /tmp [|] a b [|] inner", "pwd; echo $A; hostname", "--workingdir", "/tmp", "--env", "A=a b",
        "--hostname", "inner"),
    shell("run --cap-add, --cap-drop", "CapEff", "grep Cap /proc/self/status", "--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_CHOWN"),
    shell("run --cap-drop all", "CapEff:.0000000000000000", "grep Cap /proc/self/status", "--cap-drop", "all"),
    Case("run with volumes and mounts", volumes, "from the host [|] made.*1024"),
    shell("run --network none", "^0: [|] lo$", "ls /sys/class/net", "--network", "none"),
    shell("run --network host", "lo", "ls /sys/class/net | grep lo", "--network", "host"),
    shell("run with the host's namespaces", "^0: [|] fine", "test $$ != 1 && echo fine", "--pid", "host", "--ipc", "host", "--uts", "host"),
    shell("run --no-pivot", "^0: [|] fine", "echo fine", "--no-pivot"),
    shell("run with the chroot alone", "^7: [|] out [|] stderr err", "echo out; echo err >&2; sleep 1; exit 7", isolation="chroot"),
    shell("run with the chroot alone: a user", "uid=1000", "id; pwd", "--user", "user", isolation="chroot"),
    Case("a working container that is kept", kept, "^0: [|] 0: [|] one .* b [|] 1000 [|] /tmp"),
    Case("from scratch", from_nothing, "from scratch"),
]

BUILD = """FROM localhost/box
ARG WORD=default
ENV A=$WORD PATH=/bin
WORKDIR /work
COPY file /work/file
RUN echo "run $A" && cat file && pwd && id -u
USER 1000:1000
RUN id -u && touch /made-by-user || echo not there
USER 0
RUN ["/bin/sh", "-c", "echo exec form; mkdir /new; chown 1000:1000 /new"]
"""
STAGES = """FROM localhost/box AS first
RUN echo built > /result
FROM localhost/box
COPY --from=first --chown=1000:1000 /result /result
RUN stat -c '%u %n' /result
"""
MOUNTED = """FROM localhost/box
RUN --mount=type=bind,source=file,target=/bound cat /bound
RUN --mount=type=tmpfs,target=/t touch /t/x && ls /t
RUN --mount=type=cache,target=/cache echo cached > /cache/file && ls /cache
RUN --mount=type=secret,id=word cat /run/secrets/word
RUN ls /t /cache /bound | wc -l
"""
FAILS = "FROM localhost/box\nRUN echo before; exit 9\n"
LOOKS = "FROM localhost/box\nRUN sh -c '" + LOOK.replace("'", "'\\''").replace("\n", "; ") + "'\n"


def built(name, expected, text, *words, clean=False, **others):
    return Case(name, lambda e: e.build(text, *words, **others), expected, clean)


def secret(e):
    write(f"{WORK}/secret", "hidden\n")
    return e.build(MOUNTED, "--secret", f"id=word,src={WORK}/secret", files=[("file", "bound\n")])


def by_podman(e):
    """`podman build` calls the same code."""
    folder, image = f"{WORK}/pbuild-{e.tag}", "localhost/pbuilt-" + e.tag
    write(folder + "/Dockerfile", "FROM localhost/box\nRUN echo in the build; id -u\nCMD [\"sh\", \"-c\", \"echo in the container; exit 5\"]\n")
    first = sh("podman", "--runtime", e.runtime, "--cgroup-manager", e.manager, "build", "--layers=false", "--network", "none", "-t", image, folder)
    second = sh("podman", "--runtime", e.runtime, "--cgroup-manager", e.manager, "run", "--rm", image)
    sh("podman", "rmi", "-f", image)
    return f"{first[0]} {'in the build' in first[1]} {second[0]} {second[1]}"


def limited_build(e):
    need("memory")
    return e.build("FROM localhost/box\nRUN cat /sys/fs/cgroup/memory.max /proc/self/limits | head -1\n", "--memory", "64m")


BUILDS = [
    built("build", "run given [|] from the context [|] /work [|] 0 [|] 1000 [|] not there [|] exec form", BUILD, "--build-arg", "WORD=given", files=[("file",
        "from the context\n")], run="cat /work/file; stat -c %u /new", clean=True),
    built("build in stages", "1000 /result", STAGES, run="cat /result"),
    Case("build with mounts and a secret", secret, "bound [|] x [|] file [|] hidden"),
    built("build that fails", "^(9|1|125): [|] before .*9", FAILS, clean=True),
    built("build of what is not there", "^(127|1|125): ", "FROM localhost/box\nRUN [\"/nothere\"]\n"),
    built("build: what it sees", "uid=0", LOOKS),
    built("build with a chroot alone", "in the chroot", "FROM localhost/box\nRUN echo in the chroot; sleep 1\n", isolation="chroot", network="host"),
    built("build --ulimit, --shm-size, --add-host", "^0: [|] 77 [|] 1024 [|] 1",
        "FROM localhost/box\nRUN ulimit -n; df -k /dev/shm | awk 'NR == 2 {print $2}'; grep -c named /etc/hosts\n", "--ulimit", "nofile=77:77", "--shm-size",
        "1m", "--add-host", "named:1.2.3.4", network="host"),
    built("build --cap-add, seccomp=unconfined", "Seccomp:.0", "FROM localhost/box\nRUN grep -E '^(CapEff|Seccomp:)' /proc/self/status\n", "--cap-add",
        "SYS_ADMIN", "--security-opt", "seccomp=unconfined"),
    built("build --device", "^0: [|] /dev/mine", "FROM localhost/box\nRUN ls /dev/mine\n", "--device", "/dev/zero:/dev/mine"),
    built("build --volume", "root:x:0", "FROM localhost/box\nRUN cat /v/passwd\n", "--volume", WORK + "/tree/etc:/v:ro"),
    # For an ordinary user's build Buildah asks for no cgroup.
    Case("build --memory", limited_build, "67108864" if ROOT else "memory.max': No such file"),
    Case("podman build", by_podman, "^0 True 5 in the container"),
]

CASES = RUNS + BUILDS
# What tells most, for the short modes.
SHORT = RUNS[:3] + [RUNS[8], RUNS[15], BUILDS[0], BUILDS[3]]


def pair(manager):
    return [Buildah(manager, RUNBOX, "runbox"), Buildah(manager, RUNC, "runc")]
