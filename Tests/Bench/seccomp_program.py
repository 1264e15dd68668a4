#!/usr/bin/env python3
"""Compiles an OCI `linux.seccomp` section to the kernel's filter program, by the machine's libseccomp.

    seccomp_program.py PROFILE.json OUTPUT      PROFILE.json holds the section itself, as config/seccomp.json does

The floor loads the result. It also shows that libseccomp takes the default profile as it is.
"""
import ctypes
import json
import os
import sys

ACTIONS = {"SCMP_ACT_ALLOW": 0x7FFF0000, "SCMP_ACT_ERRNO": 0x00050000}  # the two that the default profile uses
OPERATORS = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4, "SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7}
ARCHITECTURES = {
    "SCMP_ARCH_X86_64": 0xC000003E, "SCMP_ARCH_X86": 0x40000003, "SCMP_ARCH_X32": 0x4000003E,
    "SCMP_ARCH_AARCH64": 0xC00000B7, "SCMP_ARCH_ARM": 0x40000028,
}
UNKNOWN_CALL = -1
ALREADY_THERE = -17  # EEXIST: the native architecture


class Comparison(ctypes.Structure):
    _fields_ = [("index", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def library():
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    for function in (lib.seccomp_arch_add, lib.seccomp_rule_add_array, lib.seccomp_export_bpf, lib.seccomp_release, lib.seccomp_load, lib.seccomp_attr_set):
        function.argtypes = [ctypes.c_void_p] + {
            "seccomp_arch_add": [ctypes.c_uint32],
            "seccomp_rule_add_array": [ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison)],
            "seccomp_export_bpf": [ctypes.c_int],
            "seccomp_attr_set": [ctypes.c_int, ctypes.c_uint32],
        }.get(function.__name__, [])
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    return lib


def check(result, what):
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")


def action(rule, name, errno_key):
    return ACTIONS[rule[name]] | (rule.get(errno_key, 1) if rule[name] == "SCMP_ACT_ERRNO" else 0)


def comparisons(rule):
    return [Comparison(a["index"], OPERATORS[a["op"]], a["value"], a.get("valueTwo", 0)) for a in rule.get("args", [])]


def compile_profile(profile, output):
    """Writes the program to the path and answers the names that this libseccomp does not know."""
    lib = library()
    context = lib.seccomp_init(action(profile, "defaultAction", "defaultErrnoRet"))
    unknown = []
    for name in profile["architectures"]:
        result = lib.seccomp_arch_add(context, ARCHITECTURES[name])
        if result != ALREADY_THERE:
            check(result, name)
    for rule in profile["syscalls"]:
        arguments = comparisons(rule)
        for name in rule["names"]:
            number = lib.seccomp_syscall_resolve_name(name.encode())
            if number == UNKNOWN_CALL:
                unknown.append(name)
                continue
            check(lib.seccomp_rule_add_array(context, action(rule, "action", "errnoRet"), number, len(arguments), (Comparison * 6)(*arguments)), name)
    with open(output, "wb") as file:
        check(lib.seccomp_export_bpf(context, file.fileno()), "export")
    lib.seccomp_release(context)
    return unknown


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        unknown = compile_profile(json.load(file), sys.argv[2])
    print(f"{os.path.getsize(sys.argv[2]) // 8} instructions" + (f"; this libseccomp does not know {' '.join(unknown)}" if unknown else ""))
