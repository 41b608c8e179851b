"""What may differ between a real machine and its simulation, each with the reason. Everything else is a fault of the simulation."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Rule:
    # Of the whole command, and of the field in its answer; both are searched for.
    command: str
    field: str
    reason: str
    # The share by which two numbers may differ; None: whatever the two are.
    within: float | None = None
    # Or both are of this form.
    form: str | None = None
    # Or the simulation does not have it at all.
    only_real: bool = False

    def excuses(self, command, field, real, simulated):
        if not re.search(self.command, command) or not re.search(self.field, field):
            return False
        if self.only_real:
            return simulated == "(nothing)"
        if self.form is not None:
            return bool(re.fullmatch(self.form, str(real)) and re.fullmatch(self.form, str(simulated)))
        if self.within is None:
            return True
        try:
            one, other = float(real), float(simulated)
        except ValueError:
            return False
        return abs(one - other) <= self.within * max(abs(one), abs(other))


TIME = r"\d{2}:\d{2}:\d{2}"
NUMBER = r"\d+"
# Of the time since 1970: half an hour.
SOON = 1e-6

UNKEPT = "the audit does not keep it, and no kind reads it"
MADE = "made anew on each machine"
UNASKED = r"--unknown|^pct exec .* -- none$"
LOUD = "no kind asks for that: a simulation says that it does not know it"

RULES = [
    # ---- what passes by itself
    Rule(r"^date --file=-", r"^out line", "each machine has its own time", within=SOON),
    Rule(r"", r"\.creation$|createdAt$|^began$|(startedAt|endedAt|scannedAt)$", "each machine has its own time", within=SOON),
    Rule(r"^zpool (status|import)|zfsScrub", r"^out line|zfsScrub\.words$", "each machine has its own time",
         form=r"(scan: )?(scrub|resilver) (repaired|resilvered) \S+ in " + TIME + r" with 0 errors on .*"),
    Rule(r"^zfs holds", r"\.time$", "each machine has its own time"),
    Rule(r"smartctl", r"local_time", "each machine has its own time"),
    # ---- what is made of chance
    Rule(r"", r"@\S*\.guid$|snapshots\[[\w-]+\]\.guid$", MADE + ", and of snapshots an audit does not keep it", form=NUMBER),
    Rule(r"", r"(createtxg|createTxg)$", MADE + ", and an audit does not keep it", form=NUMBER),
    # ---- what is measured
    Rule(r"", r"\.(allocated|free|used|available|capacity|referenced|fragmentation)(\.value)?$|available$",
         "metadata of ZFS comes and goes by itself", within=0.05),
    Rule(r"zfs send -nvP -R", r"^out total$", "an audit keeps how large a dataset is, not its snapshots", within=0.5),
    Rule(r"zfs send -nvP -w", r"^out total$", "an audit keeps how large a dataset is, not its snapshots", form=NUMBER),
    Rule(r"", r"^(out )?rpool\.(allocated|free)(\.value)?$", "rpool is nearly empty: a few blocks are much of it", within=0.5),
    Rule(r"^zpool status -j", r"scan_stats\.(start|end)_time$", "each machine has its own time", within=SOON),
    Rule(r"zfs send -nvP", r"^out \S+@", "an audit keeps how large a dataset is, not its snapshots", form=NUMBER),
    # ---- what an audit does not keep
    Rule(r"^z(pool|fs) get", r"\.source$", UNKEPT + "; the user's own properties have theirs"),
    Rule(r"^zpool get", r"\.load_guid\.", UNKEPT, only_real=True),
    Rule(r"^lsblk", r"\[zd\d+\]\.phy-sec$", UNKEPT),
    Rule(r"^smartctl", r"^out (smartctl\.(build_info|platform_info|svn_revision|pre_release)|device\.)", UNKEPT, only_real=True),
    Rule(r"^smartctl", r"^out smartctl\.version", UNKEPT),
    Rule(r"^smartctl .*-d sat", r"^(status|out smartctl\.(exit_status|messages))",
         "an audit keeps the last report alone, also where the one before it was another"),
    Rule(r"^ip ", r"allmulti|altnames|broadcast|g[rs]o_|gso_|max_mtu|min_mtu|num_[rt]x_queues|parent(bus|dev)|promiscuity|qdisc|"
         r"tso_|txqlen|noprefixroute|mngtmpaddr|inet6_addr_gen_mode|group|addr_info\[\d+\]\.protocol|expires|hoplimit", UNKEPT, only_real=True),
    Rule(r"^ip ", r"linkinfo\.info_(slave_)?(data|kind)|\.link_(index|netnsid)$|\[tap\d\]\.link$", UNKEPT, only_real=True),
    Rule(r"^ip ", r"life_time$", "each machine has its own time"),
    Rule(r"^ip .*route", r"^out \[(.*\.255|127\.0\.0\.0/8|ff00::/8)\]", "routes of the kernel that no audit keeps", only_real=True),
    Rule(r"^nft", r"metainfo\.(release_name|version)$|\.handle$", UNKEPT),
    Rule(r"^systemctl list-timers", r"\.(left|passed)$", UNKEPT),
    Rule(r"^systemctl list-timers", r"\.(next|last)$", "an audit keeps milliseconds", within=1e-9),
    Rule(r"^systemctl list-unit", r"^out \[", "an audit keeps neither devices, slices and scopes, nor what never runs", only_real=True),
    Rule(r"^zpool get", r"\.(bclone\w+|dedup_table_\w+|last_scrubbed_txg)\.", UNKEPT, only_real=True),
    Rule(r"^zpool status -j", r"\.(spa_version|zpl_version|txg|(alloc|def|total|phys)_space|rep_dev_size|slow_ios)$|scan_stats\.",
         UNKEPT, only_real=True),
    Rule(r"^blkid", r"^out (BLOCK_SIZE|USAGE|VERSION|UUID_SUB|PTUUID|ENDIANNESS|FS\w+|"
         r"PART_ENTRY_(DISK|NUMBER|OFFSET|SCHEME|SIZE|TYPE|FLAGS))$", UNKEPT, only_real=True),
    Rule(r"^wipefs --all", r"^out line", "no kind reads which bytes they were", only_real=True),
    Rule(r"^dpkg-query", r"^out (?!proxmox-|pve-|zfs|linux-image-|lxc|qemu-server|docker|containerd|runc|nvidia-)",
         "an audit names the packages that matter, and counts the others: a simulation takes them for usual ones"),
    Rule(r"^systemctl list-unit-files", r"^out \[(chrony|postfix)\.service\]", "of packages that are taken for installed"),
    Rule(r"^systemctl list-unit-files", r"^out \[systemd-[\w-]+\.(service|socket)\]\.(state|preset)$",
         "an audit does not tell of files that neither start nor mask anything", form=r"static|disabled|enabled|None"),
    Rule(r"^cat /proc/self/mountinfo", r"^out /(dev|proc|run|sys|tmp)\b", "an audit keeps no file systems of the kernel"),
    Rule(r"^cat /proc/self/mountinfo", r"\.options$", "ZFS before 2.2 has no relatime by itself; no kind reads it",
         form=r"rw(,relatime)?"),
    Rule(r"^@list /rpool-data$", r"^told (\[note\])?$", "an audit keeps no files"),
    Rule(r"^wg show|^@audit network", r"\.(received|sent)$|^out line \d$", "how often a tunnel has tried to begin by now, and on which port if none was said",
         form=r"\d+|wg1 \(none\) \(none\) \d+ off|wg0 9/cK7\S+ \S+ 198\.51\.100\.20:13231 \S+ 0 0 \d+ 25"),
    # ---- what a simulation cannot know of a server
    Rule(r"^curl ", r"^err (Subject|Issuer|Version|Serial Number|Signature|Signature Algorithm|Public Key Algorithm|Start date|Expire date|"
         r"X509v3 [\w ]+):", "what a certificate says of itself no kind reads", only_real=True),
    Rule(r"^curl ", r"^err (More details here: |curl failed to verify|establish a secure connection|how to fix it)",
         "no kind reads more than the first line of a complaint", only_real=True),
    Rule(r"^curl ", r"^err curl: \(60\) SSL certificate problem: ", "a simulation does not look into certificates", form=r"is said|\(nothing\)"),
    Rule(r"httpProbe", r"\.error$", "a simulation does not look into certificates",
         form=r"curl: \(60\) SSL certificate problem: (self-signed certificate|unable to get local issuer certificate)"),
    Rule(r"^curl .* http://", r"^status$|^err curl: \((52|56)\) (Empty reply|Recv failure)", "how a server of TLS takes plain text differs from one to the next",
         form=r"5[26]|is said|\(nothing\)"),
    Rule(r"httpProbe", r"\.exitCode$", "how a server of TLS takes plain text differs from one to the next", form=r"5[26]"),
    Rule(r"httpProbe", r"\.error$", "how a server of TLS takes plain text differs from one to the next",
         form=r"curl: \((52|56)\) (Empty reply from server|Recv failure: Connection reset by peer)"),
    # ---- what another version says in other words
    Rule(r"^curl ", r"^err curl: \(35\) OpenSSL/", "each has its own version of OpenSSL", form=r"is said|\(nothing\)"),
    Rule(r"httpProbe", r"\.error$", "each has its own version of OpenSSL",
         form=r"curl: \(35\) OpenSSL/[\d.]+: error:0A00010B:SSL routines::wrong version number"),
    Rule(r"^lsblk", r"\.mountpoints(\[0\])?$", "util-linux 2.41 prints [] for [null]", form=r"\[\]|None|\(nothing\)"),
    Rule(r"^lsblk", r"\.tran$", "util-linux 2.41 names virtio, and names it of partitions, too", form=r"virtio|None"),
    Rule(r"^ip -4 address (add|del)", r"^err ", "the kernel's own words come in two wordings",
         form=r"is said|\(nothing\)"),
    Rule(r"^mount .* /dev/none ", r"^err mount: ", "util-linux 2.41 says it in other words"),
    Rule(r"^systemctl enable none", r"^err Failed to enable unit: Unit (file )?none.service does not exist",
         "systemd 256 says it in other words"),
    Rule(r"^systemctl (en|dis)able", r"^err (Created symlink|Removed) ", "systemd 256 has other quotes"),
    # ---- file systems
    Rule(r"", r"blockdevices\[\w+\]\.uuid$|^out UUID$|(usbDisk|preserve)\.uuid$|signatures.*\.uuid$", MADE,
         form=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    Rule(r"@task .*(usbDisk|mountCheck|preserve)", r"\.(size|free)$", "ext4 keeps a little more or less for itself", within=0.03),
    Rule(r"@task .*(preserve|restore|zfsBackup)", r"\.(digest|manifestDigest|signedBy)$", "times and the agent's key are in it",
         form=r"[0-9a-f]{64}"),
    Rule(r"@task .*restore", r"changes\[\+ 3 entries: .*; of /mnt/usb/config\.tar\.zst, signed by the agent with the key [0-9a-f]{64}\]$",
         "each agent has keys of its own"),
    Rule(r"@task .*zfsBackup", r"zfsBackup\.bytes$", "a simulated stream is short, and each byte of it stands for several"),
    Rule(r"@task .*zfsBackup", r"zfsBackup\.estimate$", "an audit keeps how large a dataset is, not its snapshots", within=0.1),
    Rule(r"@task .*zfsBackup", r"changes\[\+ /mnt/usb/copy\.zfs, about [\d.]+ MiB of datapool@copied and 12 snapshot\(s\)\]$",
         "an audit keeps how large a dataset is, not its snapshots"),
    Rule(r"@task .*zfsBackupVerify", r"zfsBackupVerify\.(bytes|records)$", "a simulated stream is short, and each byte of it stands for several",
         form=NUMBER),
    Rule(r"@task .*zfsBackupVerify", r"drill\.(needed|available)$", "an audit keeps how large a dataset is, not its snapshots", form=NUMBER),
    Rule(r"@task .*zfsBackupVerify", r"drill\.datasets\[[^\]]+\]\.(entries|configFiles|sampled|bytes)$", "an audit keeps no files", form=NUMBER),
    Rule(r"@task .*preserve", r"\.bytes$", "attributes are in it, and it is compressed", within=0.6),
    Rule(r"", r"writtenAt$", "each machine has its own time", within=SOON),
    # ---- udev, which tells lsblk a moment later that a disk was wiped
    Rule(r"^lsblk", r"\[sda\]\.(fstype|uuid)$", "udev takes a moment", form=r"ext4|None|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    Rule(r"@task .*wipeDisk", r"after\.wipeDisk\.disk\.users", "udev takes a moment"),
    Rule(r"^wipefs --all", r"^err wipefs: /dev/sda: device already locked, waiting to get lock", "udev takes a moment", only_real=True),
    # ---- systemd
    Rule(r"^systemctl show", r"Timestamp$", "each machine has its own time, and systemd forgets a unit that is stopped",
         form=r"(@\d+)?"),
    Rule(r"^systemctl show", r"InvocationID$", MADE + ", and systemd forgets a unit that is stopped", form=r"([0-9a-f]{32})?"),
    # ---- Proxmox
    Rule(r"^pvesh get .*/storage ", r"\.(avail|total|used|used_fraction)$", "each has room of its own"),
    Rule(r"^pvesm status", r"^out line", "each has room of its own, and version 9 names units",
         form=r"Name Type Status Total.*|\S+ (dir|zfspool) active [\d .]+%"),
    Rule(r"^pvesh get .*/lxc ", r"\.(cpu|disk|diskread|diskwrite|mem|netin|netout|swap|pressure\w+)$", "measured; no kind reads it",
         only_real=True),
    Rule(r"^pvesh get .*/lxc ", r"\.(uptime|pid)$", "measured; no kind reads it"),
    Rule(r"^pvesh get .*/content ", r"\.(ctime|size)$", "a simulated template is as large as most, and made when it is asked for"),
    Rule(r"^pveam list", r"^out line", "a simulated template is as large as most", form=r"\S+ +\d+\.\d\dMB"),
    Rule(r"^sha512sum -b", r"^out line", "a simulated template has a content of its own", form=r"[0-9a-f]{128} \*\S+"),
    Rule(r"guestTemplate", r"\.(expected|sha512|size)$", "a simulated template has a content of its own"),
    Rule(r"^pveam download", r"^out line", "its progress; no kind reads it", only_real=True),
    Rule(r"^(pct config|cat /etc/pve)", r"^out line", "each has its own hardware address",
         form=r"net\d: name=\w+,bridge=\w+(,gw=\S+)?,hwaddr=BC:24:11(:[0-9A-F]{2}){3},ip=10\.42\.60\.11/24,tag=60,type=veth"),
    Rule(r"@task .*\"guest\"", r"settings\[\d+\]\.value$", "each has its own hardware address",
         form=r"name=\w+,bridge=\w+,gw=\S+,hwaddr=BC:24:11(:[0-9A-F]{2}){3},ip=10\.42\.60\.12/24,tag=60,type=veth"),
    Rule(r"^pct start", r"^err .*startup for container '\d+' failed$", "LXC's own words are before it"),
    Rule(r"^pct exec .*is-system-running", r"^(out line|status)", "sys-kernel-debug.mount is refused to a real container in a container",
         form=r"initializing|starting|degraded|running|0|1"),
    Rule(r"^pct exec .*--failed", r"^asked$", "sys-kernel-debug.mount is refused to a real container in a container"),
    Rule(r"guestPower", r"\.(systemd|failed.*)$", "sys-kernel-debug.mount is refused to a real container in a container"),
    # ---- what a simulation refuses, loudly, since no kind asks for it
    Rule(UNASKED, r"^status$", LOUD, form=r"[1-9]\d*|\(nothing\)"),
    Rule(UNASKED, r"^fault$", LOUD, form=r"unsupported|\(nothing\)"),
    Rule(UNASKED, r"^what$", LOUD, form=r"the simulation does not know the command: .*|\(nothing\)"),
    Rule(UNASKED, r"^(err|out) ", LOUD, only_real=True),
]
