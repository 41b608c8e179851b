"""A running machine: the reference lab in miniature, in QEMU, by software emulation unless told otherwise."""

import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from bed.channel import Channel
from bed.monitor import Monitor
from bed.suites import BedError

GIB = 1 << 30
MEMORY_MIB = 2560
PROCESSORS = 2
# Inside; 127.0.0.1 and a free port of this machine outside.
AGENT_PORT = 7460
# Units that cost most of a minute under emulation and that nothing here needs.
MASKED = ("systemd-udev-settle lxc-net lxc lxc-monitord e2scrub_reap systemd-binfmt modprobe@efi_pstore modprobe@dm_mod "
          "modprobe@loop smartmontools cron systemd-logind zfs-import-cache zfs-import-scan zfs-volume-wait "
          "serial-getty@ttyS0 getty@tty1 systemd-networkd-wait-online").split()
KERNEL_LINE = ("root=LABEL=vmroot rw console=ttyS0 quiet loglevel=4 systemd.show_status=0 net.ifnames=0 mitigations=off "
               "tsc=reliable audit=0 apparmor=0 systemd.mask=sys-kernel-debug.mount systemd.mask=sys-kernel-tracing.mount "
               + " ".join(f"systemd.mask={unit}.service" for unit in MASKED))
# A disk that only carries files in; the same size always, since a saved state remembers it.
PARCEL_BYTES = 96 << 20


@dataclasses.dataclass(frozen=True)
class Disk:
    serial: str
    size: int = GIB
    usb: bool = False

    @property
    def id(self):
        return self.serial.lower()


OS_DISKS = [Disk("VMOS0001"), Disk("VMOS0002")]
DATA_DISKS = [Disk(f"VMDATA0{number}") for number in range(1, 5)]
SPARE = Disk("VMSPARE1")
USB = Disk("VMUSB001", size=4 * GIB, usb=True)
DISKS = [*OS_DISKS, *DATA_DISKS, SPARE, USB]


def layout():
    """All that a saved state depends on besides the image."""
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return repr((qemu, MEMORY_MIB, PROCESSORS, KERNEL_LINE, DISKS, PARCEL_BYTES, sorted(arguments_of("tcg"))))


def arguments_of(accelerator):
    if accelerator == "kvm":
        return ["-M", "q35,kernel-irqchip=on", "-accel", "kvm", "-cpu", "host"]
    return ["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Machine:
    """One folder holds its disks, sockets and logs. Ended by `close`, and with whoever started it unless it is `lasting`."""

    def __init__(self, folder, accelerator="tcg", lasting=False):
        self.folder = pathlib.Path(folder)
        self.accelerator = accelerator
        self.lasting = lasting
        self.port = None
        self._monitor = None
        self._process = None

    def _path(self, name):
        return self.folder / name

    # ---- starting and ending

    def create_disks(self, image):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._qcow2("root", backing=image / "root.ext4")
        for disk in DISKS:
            self._qcow2(disk.id, size=disk.size)

    def _qcow2(self, name, size=None, backing=None):
        base = ["-F", "raw", "-b", str(backing)] if backing else []
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, str(self._path(f"{name}.qcow2")),
                        *([str(size)] if size else [])], check=True)

    def start(self, image, state=None):
        """Boots, or goes on from a saved state."""
        parcel = self._path("parcel")
        if not parcel.exists():
            with open(parcel, "wb") as file:
                file.truncate(PARCEL_BYTES)
        self.port = free_port()
        (self._path("port")).write_text(str(self.port), encoding="utf-8")
        argv = ["qemu-system-x86_64", "-name", "relab-vmlab", "-nodefaults", "-no-user-config", "-display", "none",
                *arguments_of(self.accelerator), "-m", str(MEMORY_MIB), "-smp", str(PROCESSORS),
                "-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd"), "-append", KERNEL_LINE,
                "-object", "rng-random,filename=/dev/urandom,id=entropy", "-device", "virtio-rng-pci,rng=entropy",
                "-chardev", f"file,id=console,path={self._path('console.log')}", "-serial", "chardev:console",
                "-chardev", f"socket,id=channel,path={self._path('channel')},server=on,wait=off",
                "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=channel,name=org.qemu.guest_agent.0",
                "-qmp", f"unix:{self._path('monitor')},server=on,wait=off",
                # Nothing inside reaches anything outside; from outside, loopback reaches the agent's port.
                "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:{AGENT_PORT}",
                "-device", "virtio-net-pci,netdev=net,id=nic,mac=52:54:00:0a:42:10,romfile=",
                *self._drive("root", "vmroot"), "-device", "qemu-xhci,id=usb"]
        for disk in DISKS:
            argv += self._drive(disk.id, disk.serial, usb=disk.usb)
        argv += ["-blockdev", f"driver=raw,node-name=n-parcel,read-only=on,file.driver=file,file.filename={parcel}",
                 "-device", "virtio-blk-pci,drive=n-parcel,id=parcel,serial=parcel"]
        if state:
            argv += ["-loadvm", state]
        if not self.lasting:
            argv = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
        for name in ("channel", "monitor"):
            self._path(name).unlink(missing_ok=True)
        with open(self._path("qemu.log"), "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self._path("pid").write_text(str(self._process.pid), encoding="utf-8")

    def _drive(self, name, serial, usb=False):
        # What the machine flushes is not flushed here: it outlives its own crashes, and ours are not tested.
        node = (f"driver=qcow2,node-name=n-{name},discard=unmap,cache.no-flush=on,file.driver=file,"
                f"file.filename={self._path(name + '.qcow2')}")
        model = f"usb-storage,bus=usb.0,removable=on,drive=n-{name},id={name},serial={serial}" if usb else \
            f"virtio-blk-pci,drive=n-{name},id={name},serial={serial}"
        return ["-blockdev", node, "-device", model]

    def log_tail(self):
        texts = []
        for name in ("qemu.log", "console.log"):
            with open(self._path(name), encoding="utf-8", errors="replace") as file:
                texts.append(f"---- the end of {name}\n" + file.read()[-1500:])
        return "\n".join(texts)

    def wait(self, deadline_s=300):
        """Until its guest agent answers."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if self._process and self._process.poll() is not None:
                raise BedError(f"QEMU ended by itself, with {self._process.returncode}\n{self.log_tail()}")
            try:
                Channel(self._path("channel")).close()
                return
            except (OSError, ConnectionError):
                time.sleep(0.1)
        raise BedError(f"the machine did not answer in {deadline_s} s\n{self.log_tail()}")

    @classmethod
    def attached(cls, folder):
        """One that somebody else started in this folder."""
        machine = cls(folder)
        try:
            machine.port = int((machine.folder / "port").read_text(encoding="utf-8"))
            machine.pid()
        except (OSError, ValueError) as error:
            raise BedError(f"no machine runs in {folder}") from error
        return machine

    def pid(self):
        """Of the QEMU that runs in this folder, if it is still that one."""
        number = int(self._path("pid").read_text(encoding="utf-8"))
        command = pathlib.Path(f"/proc/{number}/cmdline").read_bytes()
        if f"path={self._path('channel')}".encode() not in command:
            raise BedError(f"process {number} is no machine of {self.folder}")
        return number

    def close(self):
        if self._monitor:
            self._monitor.close()
            self._monitor = None
        try:
            number = self.pid()
        except (OSError, ValueError, BedError):
            number = None
        if number:
            os.kill(number, signal.SIGTERM)
            end = time.monotonic() + 20
            while pathlib.Path(f"/proc/{number}/exe").exists() and time.monotonic() < end:
                if self._process and self._process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                if pathlib.Path(f"/proc/{number}/exe").exists():
                    os.kill(number, signal.SIGKILL)
        if self._process:
            self._process.wait()
            self._process = None

    def remove(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what can be done to it

    @property
    def monitor(self):
        if not self._monitor:
            self._monitor = Monitor(self._path("monitor"))
        return self._monitor

    def save(self, state):
        self.monitor.human(f"savevm {state}")

    def forward(self, inside):
        """A port of this machine's loopback that leads to a port of the machine from now on, also after its restart."""
        port = free_port()
        self.monitor.human(f"hostfwd_add net tcp:127.0.0.1:{port}-:{inside}")
        return port

    def reboot(self):
        """In order, as a person would; returns when it has begun to start again."""
        # Not at once: the channel ends with the machine, and has to answer first.
        self.must("systemd-run -q --collect bash -c 'sleep 1; systemctl reboot'")
        self.monitor.event("RESET")

    def set_clock(self):
        """A machine that goes on from a saved state believes that no time went by."""
        self.must(f"date -u -s @{time.time():.3f} >/dev/null")

    def run(self, script, given=b"", timeout_s=600):
        """A bash script inside: exit status, standard output and standard error, as text."""
        channel = Channel(self._path("channel"), timeout_s=30)
        try:
            status, out, err = channel.run(script, given, timeout_s)
        finally:
            channel.close()
        return status, out.decode(errors="replace"), err.decode(errors="replace")

    def must(self, script, given=b"", timeout_s=600):
        """The output of a script that has to succeed."""
        status, out, err = self.run("set -e\n" + script, given, timeout_s)
        if status != 0:
            raise BedError(f"exit {status} in the machine from:\n{script}\n{out[-2000:]}{err[-2000:]}")
        return out

    def unplug(self, disk):
        """Pulls a disk out, whatever is going on."""
        self.monitor.call("device_del", id=disk.id)
        self.monitor.event("DEVICE_DELETED")

    def plug(self, disk, contents=None):
        """Plugs a disk in that was pulled out: as it was left, or, by the same serial number, with what another one has."""
        self.monitor.call("device_add", id=disk.id, drive=f"n-{(contents or disk).id}", serial=disk.serial,
                          **({"driver": "usb-storage", "bus": "usb.0", "removable": True} if disk.usb
                             else {"driver": "virtio-blk-pci"}))

    def carry(self, files):
        """Puts files into the machine, from {path inside: path here}, with their modes."""
        import io
        import tarfile
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            for inside, here in files.items():
                archive.add(here, arcname=inside.lstrip("/"), recursive=True)
        text = data.getvalue()
        if len(text) > PARCEL_BYTES:
            raise BedError(f"{len(text)} bytes do not fit into the parcel of {PARCEL_BYTES}")
        with open(self._path("parcel"), "r+b") as file:
            file.write(text)
        # Past the cache inside, which may remember another parcel.
        self.must("dd if=/dev/disk/by-id/virtio-parcel bs=1M iflag=direct status=none "
                  f"count={-(-len(text) // (1 << 20))} | tar -x -C / --no-same-owner")
