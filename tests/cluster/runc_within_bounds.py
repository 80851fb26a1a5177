"""An OCI runtime: runc, asked only for capabilities that this machine can give.

`docker run --privileged` asks for every capability there is. Where the machine itself
was started with fewer (its bounding set lacks some), runc refuses with "unable to
apply caps: operation not permitted" and no kind node can start. This wrapper takes
the missing ones out of the request, so the container has what the machine has.

Invariant: it only ever removes; where nothing is missing the request is untouched.
It runs at every container start and exec, so it imports next to nothing. docker_engine.py
puts a first line before it, which names the interpreter.
"""

# ruff: noqa: PTH118, PTH123 -- pathlib would double the time it takes to start

import json
import os
import sys

# In the order of their numbers in the kernel's linux/capability.h.
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip


def missing_capabilities() -> "set[str]":
    with open("/proc/self/status", encoding="ascii") as status:
        bounding_set = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return {f"CAP_{name}" for number, name in enumerate(CAPABILITIES) if not bounding_set >> number & 1}


def option(arguments: "list[str]", *names: str) -> "str | None":
    for position, argument in enumerate(arguments):
        name, has_value, value = argument.partition("=")
        if name in names:
            return value if has_value else arguments[position + 1]
    return None


def request_file(arguments: "list[str]") -> "str | None":
    """The file in which containerd's shim wrote what it wants, if this call has one."""
    if "exec" in arguments:
        return option(arguments, "--process", "-p")
    if "create" in arguments or "run" in arguments:
        bundle = option(arguments, "--bundle", "-b")
        return os.path.join(bundle, "config.json") if bundle else None
    return None


def remove_capabilities(path: str, missing: "set[str]") -> None:
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    process = request.get("process", request)  # an exec request is a process itself
    granted = process.get("capabilities")
    if not granted:
        return
    process["capabilities"] = {kind: [name for name in names or () if name not in missing] for kind, names in granted.items()}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(request, file)


def main() -> None:
    arguments = sys.argv[1:]
    path = request_file(arguments)
    missing = missing_capabilities()
    if path and missing:
        remove_capabilities(path, missing)
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 -- becoming runc is what it is for


if __name__ == "__main__":
    main()
