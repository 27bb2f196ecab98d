"""One command, measured from outside."""

import os
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
LOOK = 0.005  # seconds between two looks at the memory


def measure(command, folder, environment, log):
    """Wall and CPU time in seconds of a command with all it started, and its own CPU time and peak memory in MiB."""
    with open(log, "wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        memory = Memory(process.pid)
        # Not reaped yet, so that the kernel still tells its own time apart from that of its children.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - started
    memory.stop()
    own = own_time(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as output:
            raise SystemExit(f"{' '.join(command)} exited with {process.returncode}:\n{output.read()[-4000:]}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "own_cpu": own, "own_memory": memory.peak / 1024}


class Memory(threading.Thread):
    """Looks at a process's memory until it is told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(LOOK):
            self.peak = max(self.peak, peak(self.pid))

    def stop(self):
        self.ended.set()
        self.join()


def peak(pid):
    """The high-water mark of a process's memory since it was executed, in KiB. The ru_maxrss of wait4 would be its children's as well."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def own_time(pid):
    """CPU seconds of a process that has ended, without its children."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK
