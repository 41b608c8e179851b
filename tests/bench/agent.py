#!/usr/bin/env python3
"""Figures of a built relab on this machine: the agent's memory, start and idle CPU, and a whole audit.

Usage: agent.py BUILD_FOLDER SOURCE_FOLDER
Prints figures and judges nothing; compare within one run, machines are noisy."""
import os, pathlib, socket, statistics, subprocess, sys, tempfile, time

SECTIONS = "zfs disks guests arr jellyfin pbs network schedules services pci packages".split()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_lab(path, port):
    tracks = ",\n".join(
        f'{{ name = "{s}", agent = "here", steps = [{{ name = "{s}", task = {{ audit_{s} = {{}} }} }}] }}' for s in SECTIONS)
    path.write_text(f'''name = "bench"
[network]
supernet = "127.0.0.0/16"
vlans = [{{ name = "loopback", id = 1, subnet = "127.0.1.0/24", gateway = "127.0.1.254" }}]
[[hosts]]
name = "here"
vlan = "loopback"
ip = "127.0.1.1"
agent = "tcp://127.0.0.1:{port}"
[[plan.phases]]
name = "0a"
title = "Audit"
tracks = [{tracks}]
''')


class Trial:
    def __init__(self, build, source, folder):
        self.folder, self.port = folder, free_port()
        write_lab(folder / "lab.toml", self.port)
        (folder / "pass").write_text("a passphrase for a bench\n")
        self.relab = [f"{build}/relab", "--lab", folder / "lab.toml", "--config-dir", folder / "config", "--state-dir", folder / "state",
                      "--passphrase-file", folder / "pass"]
        self.agent = [f"{build}/relab-agent", "--state-dir", folder / "agent", "--listen", f"tcp://127.0.0.1:{self.port}", "--name", "here",
                      "--roles-dir", f"{source}/packaging/roles"]

    def call(self, *arguments):
        return subprocess.run([*self.relab, *arguments], check=True, capture_output=True, timeout=120)

    def enrol(self):
        self.call("init", "--kdf", "interactive")
        code = self.folder / "code"
        waiting = subprocess.Popen([*self.agent, "enrol", "--code-file", code], stdout=subprocess.DEVNULL)
        for _ in range(200):
            if code.exists():
                break
            time.sleep(0.05)
        self.call("enrol", "here", "--code-file", code)
        waiting.wait(timeout=30)

    def start(self):
        """The agent, and the milliseconds from its start until systemd would call it ready."""
        path = str(self.folder / "notify")
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(20)
            begun = time.monotonic()
            process = subprocess.Popen([*self.agent, "run", "--log-level", "off"], env={**os.environ, "NOTIFY_SOCKET": path})
            while b"READY=1" not in notify.recv(4096):
                pass
            return process, (time.monotonic() - begun) * 1000


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def main():
    build, source = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="relab-bench-") as name:
        trial = Trial(build, source, pathlib.Path(name))
        trial.enrol()
        starts = []
        for _ in range(5):
            process, took = trial.start()
            starts.append(took)
            process.terminate()
            process.wait(timeout=60)
        process, took = trial.start()
        try:
            print(f"start to ready, median of 5     {statistics.median(starts):8.1f} ms")
            print(f"resident, idle                  {resident_kib(process.pid) / 1024:8.1f} MiB")
            before = cpu_ticks(process.pid)
            time.sleep(10)
            print(f"CPU in 10 s of idling           {(cpu_ticks(process.pid) - before) / os.sysconf('SC_CLK_TCK') * 1000:8.1f} ms")
            audits = []
            for _ in range(3):
                begun = time.monotonic()
                trial.call("run", "0a")
                audits.append(time.monotonic() - begun)
            print(f"relab run 0a, median of 3       {statistics.median(audits) * 1000:8.1f} ms (with the passphrase's work)")
            print(f"resident after three audits     {resident_kib(process.pid) / 1024:8.1f} MiB")
        finally:
            process.terminate()
            process.wait(timeout=60)
    for program in ("relab-agent", "relab"):
        print(f"size of {program:24}{os.path.getsize(f'{build}/{program}') / 1048576:8.1f} MiB, with debug information")


main()
