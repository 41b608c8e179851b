#!/usr/bin/env python3
"""`relab run 0b`, killed and cut at random moments: it goes on when it is asked again, ends with a copy that is proven, and
never shows an open gate before. RELAB_SEED repeats a storm, RELAB_MOMENTS makes it longer."""

import collections
import json
import os
import random
import signal
import sys
import time

from bed.case import MachineCase, main, say
from bed.machine import SPARE, USB
from bed.wire import Wire

from support.lab import PING, phase, step, track

MOMENTS = int(os.environ.get("RELAB_MOMENTS", "20"))
# How often each step is struck, by chance, and after how long at most.
WEIGHTS = {"scrub": 2, "health": 1, "key": 1, "disk": 1, "preserve": 4, "snapshot": 1, "write": 9, "verify": 13}
PAUSE_MAX_S = collections.defaultdict(lambda: 5, verify=14)
CUT_MAX_S = 4
STEP_MAX_S = 300
PASSES_MAX = 6
COPY = 'dataset = "datapool", snapshot = "pre-rebuild", folder = "/mnt/usb", name = "copy"'
KEY = "correct horse battery"
STEPS = {"scrub": 'zfs_scrub = { pool = "datapool", max_age = "1h" }',
         "health": 'pool_health = { pool = "datapool" }',
         "key": 'zfs_key_check = { dataset = "datapool", key = "datapool-key" }',
         "disk": f'usb_disk = {{ serial = "{USB.serial}", folder = "/mnt/usb", format = true }}',
         "preserve": 'preserve = { paths = ["/etc", "/srv/app"], folder = "/mnt/usb", name = "config" }',
         "snapshot": 'zfs_snapshot = { dataset = "datapool", name = "pre-rebuild" }', "write": f"zfs_backup = {{ {COPY} }}",
         "verify": f'zfs_backup_verify = {{ {COPY}, key = "datapool-key" }}'}
CONDITIONS = ", ".join(f'{{ name = "{name}" }}' for name in ("backup.verified", "backup.drilled", "key.proven", "pools.intact"))

# Less than a minute of work, of which no step is over at once.
SMALL = f"""
zfs destroy -r datapool@daily-1; zfs destroy -r datapool/pbs; zfs destroy -r datapool/media
printf '{KEY}' | zfs change-key -o keyformat=passphrase -o pbkdf2iters=100000 datapool
head -c 8000000 /dev/urandom >/datapool/documents/more.bin
mkdir -p /srv/app
head -c 4000000 /dev/urandom >/srv/app/state.bin
sqlite3 /srv/app/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES(42)'
"""
# What stands under the final names, and what the digests of that are.
FINAL = """
cd /mnt/usb 2>/dev/null || exit 0
[ ! -e config.tar.zst ] || zstd -tq config.tar.zst
[ -e copy.zfs ] || exit 0
echo "size $(stat -c %s copy.zfs)"
echo "chunks $(split -b 64M --filter='b2sum -l 256' copy.zfs | cut -d' ' -f1 | tr '\\n' ' ')"
echo "manifest $( (cat copy.manifest || echo '{}') 2>/dev/null | tr '\\n' ' ')"
"""
LEFTOVERS = """
zfs list -H -o name | grep relab-drill || true
grep relab-drill /proc/mounts || true
ls -A /run/relab-drill 2>/dev/null || true
ls /mnt/usb | grep -E 'part$' || true
"""
# By hand, as the manifest tells it; relab takes no part.
RECEIVED = f"""
zpool create -f -m none scratch /dev/disk/by-id/virtio-{SPARE.serial}
zfs receive -u scratch/back </mnt/usb/copy.zfs
zfs list -Hp -r -t snapshot -o name,guid scratch/back | sed 's,scratch/back,datapool,' >/tmp/back
zfs list -Hp -r -t snapshot -o name,guid datapool | grep @pre-rebuild | diff - /tmp/back
printf '{KEY}' | zfs load-key scratch/back
zfs set mountpoint=/scratch scratch/back
zfs mount -a
zfs mount | grep -c '^scratch/'
diff -r /datapool /scratch && echo "all alike"
"""
# What was preserved, by tar alone.
PRESERVED = """
mkdir /tmp/config && zstd -dc /mnt/usb/config.tar.zst | tar -x -C /tmp/config
diff /srv/app/state.bin /tmp/config/srv/app/state.bin && diff -r /etc/apt /tmp/config/etc/apt
sqlite3 /tmp/config/srv/app/app.db 'SELECT * FROM t'
"""


class Killed(MachineCase):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("RELAB_SEED") or random.randrange(2**32))
        print(f"RELAB_SEED={self.seed}", file=sys.stderr)
        self.random, self.running = random.Random(self.seed), None
        self.strikes, self.steps, self.ends = collections.Counter(), collections.Counter(), collections.Counter()
        self.machine.must(SMALL)
        self.wire = Wire(self.machine.port)
        self.addCleanup(self.wire.close)
        self.lab_ = self.lab()
        self.lab_["z640"].endpoint = f"tcp://127.0.0.1:{self.wire.port}"
        steps = [step(name, kind, deadline="10m") for name, kind in STEPS.items()]
        self.lab_.describe(
            phase("0a", track("audit", "z640", step("zfs", "audit_zfs = {}"))),
            phase("0b", track("copy", "z640", *steps)),
            phase("1", track("next", "z640", step("hello", PING)), more=f'after = ["0a", "0b"]\ngate = [{CONDITIONS}]'))
        self.lab_.init()
        piped = self.lab_.folder / "piped"
        piped.write_text(KEY)
        with open(piped, encoding="utf-8") as file:
            self.assert_ended(self.lab_.relab("secret", "set", "datapool-key", stdin=file), 0)
        self.assert_ended(self.lab_.enrol("z640"), 0)
        self.lab_["z640"].start()
        self.assert_ended(self.lab_.relab("run", "0a"), 0)

    # ---- what is done to it

    def kill_controller(self):
        self.running.kill()

    def kill_agent(self):
        self.lab_["z640"].kill()

    def kill_both(self):
        self.kill_controller()
        self.kill_agent()

    def hang_up(self):
        self.wire.cut()
        time.sleep(self.random.uniform(0, CUT_MAX_S))
        self.wire.mend()

    def fall_silent(self):
        self.wire.silence()
        time.sleep(self.random.uniform(0, CUT_MAX_S))
        self.wire.mend()

    # ---- what has to hold all the time

    def is_whole(self):
        """Whether there is a copy under its final name. Half of one is never there."""
        said = dict(line.split(" ", 1) for line in self.machine.must(FINAL).splitlines())
        if not said:
            return False
        manifest = json.loads(said["manifest"])
        self.assertEqual((said["size"], said["chunks"].split()), (manifest.get("bytes"), manifest.get("chunks")),
                         "a false copy stands there")
        return True

    def assert_no_open_gate_over_nothing(self):
        gate = self.lab_.relab("gate", "1")
        self.assertIn(gate.code, (0, 3), gate)
        whole = self.is_whole()
        if gate.code == 0:
            self.assertTrue(whole, f"the gate is open, and there is no copy\n{gate}")
        return gate.code == 0

    # ---- the storm

    def go_on(self):
        """A run, unless one is going on. One that ended by itself did so with a copy, or said what failed."""
        if self.running is not None and not self.running.is_running():
            self.assert_clear(self.running.wait())
            self.running = None
        if self.running is None:
            self.running = self.lab_.start("run", "0b", start_new_session=True)

    def come_to(self, step):
        """Until it is at this step, or farther."""
        order = ["nothing", *WEIGHTS]
        end = time.monotonic() + STEP_MAX_S
        self.go_on()
        while order.index(self.step_now()) < order.index(step):
            self.assertLess(time.monotonic(), end, f"it does not come to '{step}'")
            time.sleep(0.3)
            self.go_on()

    def assert_clear(self, ended):
        if ended.code == -signal.SIGKILL:
            return
        self.ends[ended.code] += 1
        self.assertIn(ended.code, (0, 1), ended)
        if ended.code == 1:
            self.assertIn("\nfailed ", ended.out + ended.err)
            say(f"a run that failed:\n{ended}")

    def strike(self):
        kind = self.random.choice((self.kill_controller, self.kill_agent, self.kill_both, self.hang_up, self.fall_silent))
        name = kind.__name__.replace("_", " ")
        self.strikes[name] += 1
        step_now = self.step_now()
        self.steps[step_now] += 1
        kind()
        opened = self.assert_no_open_gate_over_nothing()
        say(f"{sum(self.strikes.values()):2}. {name} at '{step_now}'; the gate is {'open' if opened else 'shut'}")

    def step_now(self):
        """The last one that was ordered."""
        runs = {row["phase"]: row["lastRun"] for row in self.lab_.relab_json("status")["phases"]}
        tasks = runs["0b"]["tasks"] if runs["0b"] else []
        return tasks[-1]["step"].rpartition("/")[2] if tasks else "nothing"

    def test_it_ends_with_a_proven_copy_whatever_happens_meanwhile(self):
        order = list(WEIGHTS)
        for target in sorted(self.random.choices(order, WEIGHTS.values(), k=MOMENTS), key=order.index):
            self.come_to(target)
            until = time.monotonic() + self.random.uniform(0, PAUSE_MAX_S[target])
            while time.monotonic() < until and self.running.is_running():
                time.sleep(0.02)
            self.strike()
        self.end()
        self.assert_ended(self.lab_.relab("gate", "1"), 0)
        self.assertTrue(self.is_whole())
        self.assertEqual(self.machine.must(LEFTOVERS).strip(), "")
        self.assertEqual(self.machine.must(RECEIVED, timeout_s=600).splitlines(), ["2", "all alike"])
        self.assertEqual(self.machine.must(PRESERVED).split(), ["42"])
        self.assert_ended(self.lab_.relab("ledger", "verify"), 0)
        told = "; ".join(", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
                         for counts in (self.strikes, self.steps))
        print(f"killed: {MOMENTS} moments ({told}; {self.ends[0]} runs succeeded, {self.ends[1]} failed clearly)",
              file=sys.stderr)

    def end(self):
        """Undisturbed from now on. What a kill made fail may fail once more, clearly, and is asked for again."""
        for _ in range(PASSES_MAX):
            self.go_on()
            ended = self.running.wait(900)
            if ended.code == 0:
                self.ends[0] += 1
                return
            self.assertFalse(self.assert_no_open_gate_over_nothing())
        self.fail(f"it does not come to an end\n{ended}")


if __name__ == "__main__":
    main()
