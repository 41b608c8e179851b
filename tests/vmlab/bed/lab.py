"""The lab of the integration tests, with its agent inside of a machine, as the systemd unit that is shipped."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from support.lab import Lab  # noqa: E402
from support.programs import RELAB_AGENT, wait_until  # noqa: E402

from bed.machine import AGENT_PORT  # noqa: E402
from bed.suites import BedError  # noqa: E402

NAME = "z640"
# Shared libraries of the development build that the other Debian has in another version.
PRIVATE_LIBRARIES = ("libfmt", "libspdlog")
LIBRARY_FOLDER = "/opt/relab/lib"
UNIT = "/etc/systemd/system/relab-agent.service"
# Generous: processes start a hundred times slower inside.
PATIENCE_S = 300


class MachineAgent:
    """The agent in a machine. What the tests ask of an agent, it answers as the one on loopback does."""

    def __init__(self, machine, role="proxmox"):
        self.machine, self.name, self.role = machine, NAME, role
        self.endpoint = f"tcp://127.0.0.1:{machine.port}"

    def plant(self, folder):
        """Installs the programs of the build tree, stripped, and the unit; starts nothing."""
        program = pathlib.Path(folder) / "relab-agent.stripped"
        subprocess.run(["strip", "--strip-all", "-o", str(program), str(RELAB_AGENT)], check=True)
        files = {"/usr/bin/relab-agent": program, UNIT: ROOT / "packaging" / "debian" / "relab-agent.service",
                 "/usr/share/relab/roles": ROOT / "packaging" / "roles"}
        linked = subprocess.run(["ldd", str(RELAB_AGENT)], stdout=subprocess.PIPE, text=True, check=True).stdout
        for name, path in re.findall(r"^\s*(\S+) => (/\S+)", linked, re.MULTILINE):
            if name.startswith(PRIVATE_LIBRARIES):
                files[f"{LIBRARY_FOLDER}/{name}"] = pathlib.Path(path).resolve()
        self.machine.carry(files)
        self.machine.must(f"""
mkdir -p {UNIT}.d
printf '[Service]\\nEnvironment=LD_LIBRARY_PATH={LIBRARY_FOLDER}\\n' >{UNIT}.d/libraries.conf
printf 'RELAB_AGENT_OPTIONS="{" ".join(self.options())}"\\n' >/etc/default/relab-agent
systemctl daemon-reload
""")

    def options(self):
        return ["--name", self.name, "--role", self.role, "--roles-dir", "/usr/share/relab/roles",
                "--listen", f"tcp://0.0.0.0:{AGENT_PORT}"]

    def run(self, command, *more):
        words = " ".join(["LD_LIBRARY_PATH=" + LIBRARY_FOLDER, "relab-agent", command, *self.options(), *more])
        return self.machine.must(words)

    def start(self):
        self.machine.must("systemctl start relab-agent", timeout_s=PATIENCE_S)
        return self

    def stop(self):
        self.machine.must("systemctl stop relab-agent", timeout_s=PATIENCE_S)

    def kill(self):
        """At once; systemd starts it again in a while."""
        self.machine.must("systemctl kill -s KILL relab-agent")

    def close(self):
        """It ends with its machine."""

    def log(self):
        return self.machine.run("journalctl -u relab-agent --no-pager -o cat")[1]


class InstalledAgent(MachineAgent):
    """The same by its Debian packages, and with nothing that they do not bring."""

    def __init__(self, machine, packages):
        super().__init__(machine)
        self.packages = packages

    def plant(self, folder):
        self.machine.carry({f"/srv/relab/{file.name}": file for file in self.packages})
        self.machine.must("DEBIAN_FRONTEND=noninteractive apt-get install -qq -y /srv/relab/*.deb")

    def options(self):
        return []


class MachineLab(Lab):
    """A controller here, and the agent of the Proxmox host in a machine."""

    def __init__(self, machine, agent=None):
        self.machine = machine
        super().__init__(names=(NAME,))
        self.agents = {NAME: agent or MachineAgent(machine)}
        self.describe()
        self[NAME].plant(self.folder)

    def describe(self, *phases):
        """The miniature of the reference lab: its disks and pools as they are in the machine."""
        if not isinstance(self.agents[NAME], MachineAgent):
            return
        text = (ROOT / "tests" / "vmlab" / "lab.toml").read_text(encoding="utf-8")
        self.file.write_text(text.replace("@AGENT@", self[NAME].endpoint) + "\n".join(phases), encoding="utf-8")

    def relab(self, *arguments, patience=PATIENCE_S, **options):
        return super().relab(*arguments, patience=patience, **options)

    def enrol(self, name=NAME, *more):
        agent = self[name]
        self.machine.must("rm -f /root/code; systemd-run -q --unit=relab-enrol --setenv=LD_LIBRARY_PATH=" + LIBRARY_FOLDER +
                          " relab-agent enrol --ttl 240 --code-file /root/code " + " ".join(agent.options()))
        code = self.folder / "code"
        code.write_text(wait_until("the code", lambda: self.machine.run("cat /root/code")[1], patience=PATIENCE_S))
        ended = self.relab("enrol", name, "--code-file", code, *more)
        if ended.code != 0:
            self.machine.must("systemctl stop relab-enrol")
            return ended
        status = self.machine.must("while systemctl is-active -q relab-enrol; do sleep 0.2; done; "
                                   "systemctl show -p Result --value relab-enrol 2>/dev/null || true").strip()
        if status not in ("success", ""):
            raise BedError(f"the agent's side of the enrolment ended with {status}")
        return ended
