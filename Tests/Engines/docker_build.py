"""`docker build` with both builders: the classic one, whose containers have the daemon's default runtime, and BuildKit, which calls a runtime by itself."""

import re

from bench import WORK, Case, Skip, sh, write
from docker import spoken

FIRST_FILE = """FROM box AS first
ARG WORD=none
ENV KEPT=$WORD
RUN echo from run > /tmp/made && id && echo $KEPT
RUN ["/bin/sh", "-c", "mkdir -p /srv/own && chown 1000:3000 /srv/own"]
WORKDIR /srv/own
USER user:more
RUN touch mine && stat -c '%u %g' mine && pwd && id -G
COPY --chown=77:88 file /srv/copied
USER root
RUN stat -c '%u %g' /srv/copied && cat /proc/self/status | grep -E '^(CapEff|Seccomp|NoNewPrivs):' && test ! -e /dev/mem
FROM box
COPY --from=first /tmp/made /srv/copied /got/
ENTRYPOINT ["cat", "/got/made"]
"""


def build(e, word, dockerfile, kit, *flags):
    """Status, and of what was printed the lines that the containers wrote or that tell of a failure."""
    folder = f"{WORK}/build-{word}-{e.tag}"
    write(folder + "/Dockerfile", dockerfile)
    write(folder + "/file", "context\n")
    environment = ["env", f"DOCKER_BUILDKIT={int(kit)}"]
    progress = ["--progress", "plain"] if kit else []
    status, out, err = sh(*environment, *e.client, "build", *progress, "--no-cache", *flags, "-t", f"built-{word}", folder)
    if "is not a docker command" in err or "BuildKit is enabled but" in err or "buildx component is missing" in err:
        raise Skip("this Docker's client has no BuildKit")
    text = out + err
    if kit:
        lines = [re.sub(r"^#\d+ [\d.]+ ", "ran ", line) for line in text.splitlines() if re.match(r"#\d+ \d+\.\d+ ", line)]
        lines += [line for line in text.splitlines() if re.match(r"(ERROR|error|failed|executor|unable|process)", line)]
    else:
        noise = r"Sending|Step|Successfully|Removing| --->|DEPRECATED| +Install| +environment|WARNING|$"
        lines = [line for line in text.splitlines() if not re.match(noise, line)]
    lines = [re.sub(r"\b[0-9a-z]{25}\b", "ID", re.sub(r"runc run failed: ", "", line)) for line in lines]
    return "\n".join([f"{status}:"] + [spoken(line) if "OCI runtime" in line else program(line) for line in lines])


def program(line):
    """BuildKit shows what the runtime itself says; of that the words that are everybody's."""
    found = re.search(r'(exec: "[^"]*"): (executable file not found in \$PATH|no such file or directory|permission denied)', line)
    return " ".join(["ran", found[1], found[2]]) if found else line


def whole(kit):
    def run(e):
        made = build(e, "whole", FIRST_FILE, kit, "--build-arg", "WORD=given", "--network", "none")
        return "\n".join([made, e.box("built-whole")])
    return run


def stage(kit, text, *flags):
    return lambda e: build(e, "stage", "FROM box\n" + text + "\n", kit, *flags)


def health(kit):
    """What a Dockerfile says of a container's life."""
    def run(e):
        build(e, "life",
            "FROM box\nSTOPSIGNAL USR2\nVOLUME /keep\nEXPOSE 80\nHEALTHCHECK CMD true\n"
            "SHELL [\"/bin/sh\", \"-ec\"]\nCMD echo life; pwd; mount | grep -c ' /keep '\n", kit, "--network", "none")
        return e.box("built-life")
    return run


def secret(e):
    path = f"{WORK}/secret-{e.tag}"
    write(path, "hidden\n")
    return stage(True, "RUN --mount=type=secret,id=word cat /run/secrets/word; ls /run/secrets", "--secret", f"id=word,src={path}", "--network", "none")(e)


BOTH = [
    ("stages, users, arguments", whole, ": [|] .*uid=0.*given.*1000 3000.*77 88.*from run$"),
    ("RUN with a status", lambda kit: stage(kit, "RUN echo before; exit 3", "--network", "none"), "before.*(returned a non-zero code: 3|exit code: 3)"),
    ("RUN killed", lambda kit: stage(kit, "RUN kill -9 $$ || true; sh -c 'kill -9 $$' 2> /dev/null; echo $?", "--network", "none"), "137"),
    ("RUN of what is not there", lambda kit: stage(kit, 'RUN ["nothere"]', "--network", "none"), "nothere"),
    ("RUN of no program", lambda kit: stage(kit, 'RUN ["/bin/plainfile"]', "--network", "none"), "plainfile"),
    ("RUN in a folder that is a file", lambda kit: stage(kit, "WORKDIR /etc/passwd\nRUN true", "--network", "none"), "^[1-9]"),
    ("RUN as no user", lambda kit: stage(kit, "USER nobody-here\nRUN true", "--network", "none"), "nobody-here"),
    ("RUN, many at once in layers", lambda kit: stage(kit, "\n".join(f"RUN echo {n} > /tmp/{n}" for n in range(5)) + "\nRUN cat /tmp/0 /tmp/4; ls /tmp",
        "--network", "none"), "[|] (ran )?0 [|] (ran )?4"),
    ("the host's network", lambda kit: stage(kit, "RUN ls /sys/class/net", "--network", "host"), "lo"),
    ("a limit, a host", lambda kit: stage(kit, "RUN ulimit -n; cat /etc/hosts | grep there", "--ulimit", "nofile=77:77", "--add-host", "there:192.0.2.7",
        "--network", "none"), "192.0.2.7"),
    ("health, signal, volume", health, "^0: [|] life [|] / [|] 1$"),
]
CLASSIC = [Case(f"build, {name}", make(False), expected, clean=True) for name, make, expected in BOTH]
BUILDKIT = [Case(f"BuildKit, {name}", make(True), expected, clean=True) for name, make, expected in BOTH] + [
    Case("BuildKit, a cache and a tmpfs",
        stage(True,
            "RUN --mount=type=cache,target=/c echo kept > /c/file\n"
            "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t cat /c/file; grep -c ' /t ' /proc/mounts",
                                               "--network", "none"), "kept [|] (ran )?1", clean=True),
    Case("BuildKit, a bind of the context", stage(True, "RUN --mount=type=bind,source=file,target=/f cat /f; sleep 1; touch /f; true", "--network", "none"), "context"),
    Case("BuildKit, a secret", secret, "hidden [|] (ran )?word", clean=True),
    Case("BuildKit, RUN --network=none", stage(True, "RUN --network=none ls /sys/class/net"), "(lo|Unknown flag: network)"),
    Case("BuildKit, RUN --security=insecure", stage(True, "RUN --security=insecure grep CapEff /proc/self/status", "--network", "none"),
        "(?i)(entitlement|CapEff|not allowed|unknown flag: (--)?security)", clean=True),
]
