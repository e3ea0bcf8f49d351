"""Runs a command that ends when the process that started it ends. A program of its own, not a module.

``python leash.py PARENT_PID UID GID COMMAND …`` becomes COMMAND, under that account (−1: as it is), and the
kernel sends it SIGINT the moment the *thread* that forked it is gone, however it went.

It is a program because the order matters (the kernel forgets the promise when the account changes) and
because running Python between fork and exec of a process with threads is not safe.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Drop the rights, tie the leash, become the command."""
    parent_pid, uid, gid = (int(argument) for argument in sys.argv[1:4])
    command = sys.argv[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:  # it went before the leash was tied
        sys.exit(1)
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606  # that is what this program is for


if __name__ == "__main__":
    main()
