#!/usr/bin/env python3
"""Runs a command where every runtime, however old, sees a machine with cgroup v2.

    v2view.py COMMAND [ARGUMENT…]

On a machine whose /sys/fs/cgroup is version 2 the command simply runs. On a hybrid one (version 1 at /sys/fs/cgroup, version 2 at
/sys/fs/cgroup/unified) it runs in a mount namespace of its own where /sys/fs/cgroup is the version 2 tree; the machine's own mounts stay as they are.
"""
import os
import pathlib
import resource
import sys

sys.dont_write_bytecode = True  # no __pycache__ of root's in the source tree

import seccomp_program

CGROUP = pathlib.Path("/sys/fs/cgroup")
ENTERED = "RUNBOX_V2VIEW"


def is_v2():
    return (CGROUP / "cgroup.controllers").exists()


def let_memlock_pass():
    """crun lifts RLIMIT_MEMLOCK before it loads a device program and gives up where that is refused, though kernels since 5.11 no longer count
    programs against it. On a machine without CAP_SYS_RESOURCE a filter answers that one call with success, for all runtimes alike."""
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return
    except (ValueError, PermissionError):
        pass
    lib = seccomp_program.library()
    context = lib.seccomp_init(seccomp_program.ACTIONS["SCMP_ACT_ALLOW"])
    succeed = seccomp_program.ACTIONS["SCMP_ACT_ERRNO"]  # with errno 0
    no_new_privileges, off = 3, 0
    seccomp_program.check(lib.seccomp_attr_set(context, no_new_privileges, off), "attribute")
    is_memlock = seccomp_program.Comparison(1, seccomp_program.OPERATORS["SCMP_CMP_EQ"], resource.RLIMIT_MEMLOCK, 0)
    sets_a_limit = seccomp_program.Comparison(2, seccomp_program.OPERATORS["SCMP_CMP_NE"], 0, 0)
    call = lib.seccomp_syscall_resolve_name(b"prlimit64")
    seccomp_program.check(lib.seccomp_rule_add_array(context, succeed, call, 2, (seccomp_program.Comparison * 2)(is_memlock, sets_a_limit)), "rule")
    seccomp_program.check(lib.seccomp_load(context), "load")


def enter():
    """Executes this program again inside the view, once; returns when inside (or when no view is needed)."""
    if not is_v2():
        unified = CGROUP / "unified"
        if os.environ.get(ENTERED) or not (unified / "cgroup.controllers").exists():
            sys.exit(f"no cgroup v2 tree at {CGROUP} or {unified}: mount one (mount -t cgroup2 none DIR) and try again")
        os.environ[ENTERED] = "1"
        script = 'mount --bind "$0/unified" "$0" && exec "$@"'
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(CGROUP), sys.executable, *sys.argv])
    let_memlock_pass()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    enter()
    os.execvp(sys.argv[1], sys.argv[1:])
