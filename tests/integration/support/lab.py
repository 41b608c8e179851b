"""A lab file with agents on loopback, and the controller that works on it."""

import json
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile

from support.agent import Agent
from support.programs import RELAB, RELAB_FORGE, Ended, Running, clean_environment, wait_until

PASSPHRASE = "correct horse battery staple"


def free_port():
    """One outside of the range from which the kernel takes ports for connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def step(name, kind, deadline="1m"):
    return f'{{ name = "{name}", task = {{ {kind} }}, deadline = "{deadline}" }}'


def track(name, agent, *steps):
    return f'{{ name = "{name}", agent = "{agent}", steps = [{", ".join(steps)}] }}'


def phase(name, *tracks, more=""):
    lines = ",\n  ".join(tracks)
    return f'[[plan.phases]]\nname = "{name}"\ntitle = "Phase {name}"\n{more}\ntracks = [\n  {lines}\n]\n'


PING = 'ping = { echo = "hello" }'
DISKS = "audit_disks = {}"


class Lab:
    """A folder with keys, state, lab.toml and agents; everything that it started ends with it."""

    def __init__(self, names=("alpha",), ports=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relab-test-"))
        self.file = self.folder / "lab.toml"
        self.config_dir, self.state_dir = self.folder / "config", self.folder / "state"
        self.passphrase_file = self.folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n")
        self.agents = {name: Agent(self.folder / name, name, (ports or {}).get(name) or free_port()) for name in names}
        self.expect = []
        self.started = []
        self.environment = clean_environment(self.folder)
        self.describe(phase("one", track("t", names[0], step("hello", PING))))

    def __getitem__(self, name):
        return self.agents[name]

    @property
    def ledger_file(self):
        return self.state_dir / "ledger.db"

    def describe(self, *phases):
        """Writes lab.toml anew."""
        hosts = "".join(f'[[hosts]]\nname = "{agent.name}"\nvlan = "loopback"\nip = "127.0.1.{number}"\n'
                        f'agent = "{agent.endpoint}"\nexpect = {json.dumps(self.expect)}\n\n'
                        for number, agent in enumerate(self.agents.values(), 1))
        self.file.write_text(
            'name = "loop"\n\n[network]\nsupernet = "127.0.0.0/16"\n\n[[network.vlans]]\nname = "loopback"\nid = 1\n'
            'subnet = "127.0.1.0/24"\ngateway = "127.0.1.254"\n\n' + hosts + "\n".join(phases))

    # ---- the controller

    def command(self, *arguments, secret=True):
        passphrase = ["--passphrase-file", self.passphrase_file] if secret else []
        return [RELAB, "--lab", self.file, "--config-dir", self.config_dir, "--state-dir", self.state_dir,
                *passphrase, *arguments]

    def start(self, *arguments, secret=True, **options):
        name = self.folder / f"relab.{len(self.started)}"
        running = Running(self.command(*arguments, secret=secret), f"{name}.out", f"{name}.err",
                          env=self.environment, cwd=self.folder, **options)
        self.started.append(running)
        return running

    def relab(self, *arguments, secret=True, patience=120, **options):
        """Runs a command of the controller to its end, without a terminal."""
        # A session of its own: there is no terminal to ask for a passphrase on.
        return self.start(*arguments, secret=secret, start_new_session=True, **options).wait(patience)

    def relab_json(self, *arguments):
        ended = self.relab(*arguments, "--output", "json")
        try:
            return json.loads(ended.out)
        except ValueError as error:
            raise AssertionError(f"no JSON: {error}\n{ended}") from error

    def init(self):
        ended = self.relab("init", "--kdf", "interactive", "--name", "tester")
        assert ended.code == 0, ended

    def enrol(self, name, *more):
        """Enrols an agent as its operator would; returns how the controller's side ended."""
        agent = self.agents[name]
        code = agent.folder / "code"
        code.unlink(missing_ok=True)
        waiting = agent.spawn("enrol", "--ttl", "60", "--code-file", code)
        try:
            wait_until("the code", lambda: code.exists() and code.read_text())
            ended = self.relab("enrol", name, "--code-file", code, *more)
            if ended.code == 0:
                other = waiting.wait()
                assert other.code == 0, other
            return ended
        finally:
            waiting.kill()

    def forge(self, name, *commands):
        """Sends what no honest controller would; returns the agent's answers."""
        arguments = [RELAB_FORGE, self.config_dir / "controller.key", self.passphrase_file, self.ledger_file, name]
        done = subprocess.run([str(argument) for argument in arguments], input="\n".join(commands) + "\n",
                              capture_output=True, text=True, timeout=120, check=False, env=self.environment)
        assert done.returncode == 0, Ended(arguments, done.returncode, done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    # ---- copies

    def copy(self):
        """The same lab, keys, ledger and agents once more. The two must not run at a time."""
        twin = Lab(tuple(self.agents), {name: agent.port for name, agent in self.agents.items()})
        for folder in (self.config_dir, self.state_dir):
            if folder.exists():
                shutil.copytree(folder, twin.folder / folder.name)
        for name, agent in self.agents.items():
            if agent.state_dir.exists():
                shutil.copytree(agent.state_dir, twin[name].state_dir)
        return twin

    def close(self):
        for running in self.started:
            running.kill()
        for agent in self.agents.values():
            agent.close()
        shutil.rmtree(self.folder, ignore_errors=True)
