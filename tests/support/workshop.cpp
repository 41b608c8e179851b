#include "tests/support/workshop.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "tests/support/transcript.h"

namespace relab::agent {

namespace {

const FileStatus script{.type = FileType::regular, .mode = 0755};
constexpr std::string_view zfs = "zfs/2.3.9/";

/// `zfs list` of the columns that are asked for, out of the recorded ones.
Result<Output> zfs_list(const std::string& recorded, const Command& command) {
  static const auto known = split(
      "name,type,used,available,referenced,mountpoint,mounted,encryption,keystatus,keylocation,"
      "keyformat,encryptionroot,guid,creation,written,logicalused,compressratio,recordsize,volsize,"
      "quota",
      ',');
  const auto& argv = command.argv;
  const bool snapshots = argv.at(5) == "snapshot";
  Output output;
  for (const auto line : lines(recorded)) {
    const auto row = split(line, '\t');
    if ((row[1] == "snapshot") != snapshots || !row[0].starts_with(argv.back())) continue;
    std::vector<std::string> values;
    for (const auto column : split(argv.at(7), ',')) {
      const auto at = std::ranges::find(known, column);
      values.emplace_back(at == known.end() ? "-" : row[std::size_t(at - known.begin())]);
    }
    output.out += fmt::format("{}\n", fmt::join(values, "\t"));
  }
  return output;
}

}  // namespace

Workshop::Workshop() {
  add_system();
  add_processes();
  add_schedules();
  add_network();
  add_guests();
  add_pools();
  add_disks();
  add_cards();
  add_media();
  add_backups();
}

void Workshop::add_system() {
  host.file("/proc/sys/kernel/hostname", "pve\n");
  host.file("/proc/sys/kernel/osrelease", "6.17.2-1-pve\n");
  host.file("/proc/uptime", "1234.5 9\n");
  host.file("/proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Xeon\nphysical id\t: 0\ncore id\t: 0\n");
  host.file("/proc/meminfo", "MemTotal: 1024 kB\n");
  host.file("/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n");
  host.answer("uname -m", {.out = "x86_64\n"});
  host.file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
            std::string("\x06\x00\x00\x00\x00", 5));
  host.file("/sys/class/dmi/id/sys_vendor", "HP\n");
  host.file("/sys/class/dmi/id/product_name", "HP Z640 Workstation\n");
  host.file("/sys/devices/system/edac/mc/mc0/ce_count", "0\n");
  host.file("/sys/devices/system/edac/mc/mc0/ue_count", "0\n");
  host.file("/sys/devices/system/edac/mc/mc0/dimm0/dimm_edac_mode", "SECDED\n");
  host.file("/boot/vmlinuz-6.17.2-1-pve", "");
  host.file("/var/lib/dpkg/status",
            "Package: zfsutils-linux\nStatus: install ok installed\nVersion: 2.3.9\n");
  host.file("/etc/apt/sources.list", "deb https://mirror/debian trixie main\n");
  host.file("/etc/apt/sources.list.d/pve.sources",
            "Types: deb\nURIs: https://mirror/pve\nSuites: trixie\nComponents: main\n");
  host.file("/etc/apt/preferences.d/kernel", "Package: x\nPin: version 1\nPin-Priority: -1\n");
  host.file("/var/lib/apt/lists/h_dists_trixie_InRelease", "");
  host.answer("pveversion", {.out = "pve-manager/9.2.11/3f1c (running kernel: 6.17.2-1-pve)\n"});
  host.file("/etc/pve/.version", "{}");
  host.link("/etc/pve/local", "nodes/pve");
}

void Workshop::add_processes() {
  const auto process = [&](const std::string& pid, const std::string& name) {
    host.file("/proc/" + pid + "/status", "Name:\t" + name + "\nPPid:\t1\nUid:\t0\t0\t0\t0\n");
    host.file("/proc/" + pid + "/cgroup", "0::/system.slice/" + name + ".service\n");
    host.file("/proc/" + pid + "/comm", name + "\n");
    host.file("/proc/" + pid + "/cmdline", "/usr/sbin/" + name + std::string(1, '\0'));
    host.directory("/proc/" + pid + "/fd");
  };
  process("1", "systemd");
  process("700", "sshd");
  host.link("/proc/700/fd/3", "socket:[1532]");
  host.directory("/run/systemd/system");
  host.file("/etc/passwd", "root:x:0:0::/root:/bin/bash\n");
  const std::string head =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n";
  host.file("/proc/net/tcp", head +
                                 "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 "
                                 "00:00000000 00000000     0        0 1532 1 0 100 0 0 10 0\n");
  for (const auto* table : {"tcp6", "udp", "udp6"}) host.file(Path("/proc/net") / table, head);
  host.answer("systemctl list-units --all --no-pager --output=json",
              {.out = R"([{"unit":"ssh.service","load":"loaded","active":"active",
                           "sub":"running","description":"OpenBSD"}])"});
  host.answer("systemctl list-unit-files --no-pager --output=json",
              {.out = R"([{"unit_file":"ssh.service","state":"enabled","preset":"enabled"}])"});
}

void Workshop::add_schedules() {
  host.answer("systemctl list-timers --all --no-pager --output=json",
              {.out = data_file("pve/systemctl-list-timers.json")});
  host.file("/usr/sbin/cron", "", script);
  host.file("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n");
  host.file("/etc/cron.d/zfsutils-linux", data_file("pve/cron.d-zfsutils-linux.txt"));
  host.file("/var/spool/cron/crontabs/root", data_file("pve/crontab-root.txt"),
            {.type = FileType::regular, .mode = 0600});
  for (const auto* period : {"hourly", "daily", "weekly", "monthly", "yearly"})
    host.directory(std::string("/etc/cron.") + period);
  host.file("/etc/cron.daily/logrotate", "", script);
  host.file("/etc/anacrontab", "1 5 cron.daily run-parts /etc/cron.daily\n");
  host.file("/var/spool/cron/atjobs/a0000101c8a3b4", "");
  host.file("/etc/pve/jobs.cfg", data_file("pve/jobs.cfg"));
}

void Workshop::add_network() {
  host.answer("ip -json -details address",
              {.out = R"([{"ifname":"vmbr0","flags":["UP"],"addr_info":[{"local":"10.42.10.2",
                "prefixlen":24,"scope":"global"}],"linkinfo":{"info_kind":"bridge",
                "info_data":{"vlan_filtering":1}}}])"});
  host.answer("ip -json -4 route show table all",
              {.out = R"([{"dst":"default","gateway":"10.42.10.1","dev":"vmbr0"}])"});
  host.answer("ip -json -6 route show table all", {.out = "[]"});
  host.answer("ip -json -4 rule", {.out = R"([{"priority":0,"src":"all","table":"local"}])"});
  host.answer("ip -json -6 rule", {.out = "[]"});
  host.answer("bridge -json -compressvlans vlan show",
              {.out = R"([{"ifname":"vmbr0","vlans":[{"vlan":60,"flags":["PVID"]}]}])"});
  host.answer("nft --json list ruleset", {.out = data_file("firewall/nft-list-ruleset.json")});
  host.directory("/proc/sys/net/ipv6");
  host.file("/proc/sys/net/ipv4/ip_forward", "1\n");
  host.file("/proc/sys/net/ipv6/conf/all/forwarding", "0\n");
  host.file("/etc/hosts", "127.0.0.1 localhost\n10.42.10.2 pve.lab pve\n");
  host.file("/etc/resolv.conf", "nameserver 10.42.10.53\n");
  host.file("/etc/network/interfaces", data_file("pve/interfaces"));
  host.file("/etc/pve/firewall/cluster.fw", data_file("pve/cluster.fw"));
  host.file("/etc/pve/firewall/112.fw", data_file("pve/112.fw"));
  host.file("/etc/pve/nodes/pve/host.fw", data_file("pve/host.fw"));
  host.answer("pve-firewall status", {.out = data_file("pve/pve-firewall-status.txt")});
  host.answer("wg show all dump", {.out = data_file("wireguard/wg-show-all-dump.ok.t0.tsv")});
}

void Workshop::add_guests() {
  using namespace std::string_literals;
  host.file("/etc/pve/nodes/pve/lxc/130.conf", data_file("pve/130.conf"));
  mount(host, {"/", "/tank/media"});
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf", "cores: 2\nmemory: 4096\nname: ha\n");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 130, "status": "running"}])"});
  host.answer("pvesh get /nodes/localhost/qemu --output-format json",
              {.out = R"([{"vmid": 200, "status": "running"}])"});
  guest_.file("/etc/hostname", "sonarr\n");
  guest_.file("/var/lib/sonarr/config.xml", data_file("services/arr/config.sonarr.xml"));
  guest_.file("/etc/systemd/system/sonarr.service",
              "[Service]\nExecStart=/opt/Sonarr/Sonarr -nobrowser -data=/var/lib/sonarr/\n");
  guest_.file("/proc/77/cmdline", "/opt/Sonarr/Sonarr\0-nobrowser\0-data=/var/lib/sonarr/\0"s);
  guest_.file("/var/lib/sonarr/sonarr.db", "SQLite format 3");
  guest_.file("/proc/77/cgroup", "0::/system.slice/sonarr.service\n");
  host.program("pct", containers({{"130", &guest_}}));
  host.program("pvesm", [](const Command& command) {
    const auto& volume = command.argv.back();
    return Output{.out = "/rpool/" + volume.substr(volume.find(':') + 1) + "\n"};
  });
  const std::string root = "/rpool/subvol-130-disk-0";
  host.file(root + "/etc/hostname", "sonarr\n");
  for (const auto* tail : {"", "-wal", "-shm"})
    host.file(root + "/var/lib/sonarr/sonarr.db" + tail, "SQLite format 3");
  host.program("sqlite3",
               [uri = "file:" + root +
                      "/var/lib/sonarr/sonarr.db?mode=ro&readonly_shm=1"](const Command& command) {
                 const bool known = command.argv[command.argv.size() - 2] == uri;
                 return known ? Output{.out = R"([{"Path":"/media/tv"},{"Path":null}])"}
                              : Output{.out = R"([{"Path":"/media/old"},{"Path":null}])"};
               });
  host.file("/tank/media/tv/x", "");
}

void Workshop::add_pools() {
  const auto folder = std::string(zfs);
  const auto list = transcript(folder + "zfs-list-Hp.txt").out;
  host.directory("/sys/module/zfs");
  host.device("/dev/zfs", {.type = FileType::character});
  host.program("zfs", [list](const Command& command) { return zfs_list(list, command); });
  host.answer("zpool version", transcript(folder + "zfs-version.txt"));
  host.answer("zpool list -Hp -o name,guid,health",
              {.out = "datapool\t2617305587654582695\tONLINE\n"
                      "rpool\t7457531438187287706\tONLINE\n"});
  const auto properties = transcript(folder + "zpool-get-Hp-all.txt").out;
  std::string others;
  for (const auto line : lines(properties))
    others += fmt::format("rpool{}\n", line.substr(line.find('\t')));
  host.answer("zpool get -Hp all", {.out = properties + others});
  host.answer("zpool status -j --json-int -v", transcript(folder + "zpool-status-j.txt"));
  host.answer("zpool import", {.status = 0, .err = "no pools available to import\n"});
}

void Workshop::add_disks() {
  host.directory("/run/udev/data");
  std::string rows;
  for (const auto* disk : {"d0 vdd", "d1 vde", "d2 vdf", "d3 vdg", "r0 vdb", "r1 vdc"}) {
    const std::string serial(disk, 2);
    const std::string name(disk + 3);
    rows += fmt::format(
        R"({0}{{"kname":"{1}","name":"{1}","path":"/dev/{1}","type":"disk","serial":"{2}",
            "model":"M","size":1073741824,"tran":"sata","rota":true,"ro":false,"rm":false}},
           {{"kname":"{1}1","name":"{1}1","path":"/dev/{1}1","type":"part","pkname":"{1}",
            "fstype":"zfs_member","size":1073000000}})",
        rows.empty() ? "" : ",", name, serial);
    host.device("/dev/" + name, {.type = FileType::block});
    host.device("/dev/" + name + "1", {.type = FileType::block});
    host.directory("/sys/devices/pci0000:00/ata1/block/" + name);
    host.link("/sys/block/" + name, "../devices/pci0000:00/ata1/block/" + name);
    host.link("/dev/disk/by-id/virtio-" + serial, "../../" + name);
    host.link("/dev/disk/by-id/virtio-" + serial + "-part1", "../../" + name + "1");
  }
  host.program("lsblk", Output{.out = "{\"blockdevices\":[" + rows + "]}"});
  host.program("smartctl", Output{.out = data_file("disks/smart-hdd.json")});
}

void Workshop::add_cards() {
  const std::string real = "/sys/devices/pci0000:00/0000:04:00.0";
  host.file("/usr/share/misc/pci.ids", data_file("pci/pci.ids"));
  host.directory(real);
  host.link("/sys/bus/pci/devices/0000:04:00.0", "../../../devices/pci0000:00/0000:04:00.0");
  host.file(real + "/vendor", "0x8086\n");
  host.file(real + "/device", "0x56a6\n");
  host.file(real + "/class", "0x030000\n");
  host.file(real + "/subsystem_vendor", "0x1849\n");
  host.file(real + "/subsystem_device", "0x6006\n");
  host.file(real + "/revision", "0x05\n");
  host.link(real + "/driver", "../../bus/pci/drivers/i915");
  host.link(real + "/iommu_group", "../../../kernel/iommu_groups/31");
  host.file(real + "/boot_vga", "1\n");
  for (const auto* node : {"card0", "renderD128"}) {
    host.link(std::string("/sys/class/drm/") + node,
              "../../devices/pci0000:00/0000:04:00.0/drm/" + std::string(node));
    host.link(real + "/drm/" + node + "/device", "../../../0000:04:00.0");
    host.device(std::string("/dev/dri/") + node,
                {.type = FileType::character, .mode = 0660, .gid = 104, .major = 226});
  }
  host.link("/dev/dri/by-path/pci-0000:04:00.0-render", "../renderD128");
  host.file("/sys/kernel/debug/dri/0/gt0/uc/huc_info", data_file("pci/host-huc_info.ok.txt"));
}

void Workshop::add_media() {
  host.file("/etc/jellyfin/system.xml",
            "<?xml version=\"1.0\"?><ServerConfiguration><ServerName>films</ServerName>"
            "</ServerConfiguration>");
  host.file("/etc/jellyfin/network.xml",
            "<NetworkConfiguration><InternalHttpPort>8097</InternalHttpPort>"
            "</NetworkConfiguration>");
  host.file("/etc/jellyfin/encoding.xml", data_file("services/jellyfin/encoding.xml"));
  const std::string library = "/var/lib/jellyfin/root/default/Movies/";
  host.file(library + "options.xml",
            "<LibraryOptions><PathInfos><MediaPathInfo><Path>/media/movies</Path></MediaPathInfo>"
            "</PathInfos></LibraryOptions>");
  host.file(library + "movies.mblink", "/media/movies");
  host.file(library + "movies.collection", "");
  host.file("/media/movies/x", "");
}

void Workshop::add_backups() {
  host.file("/usr/sbin/proxmox-backup-manager", "");
  for (const auto* name : {"datastore.cfg", "prune.cfg", "verification.cfg"})
    host.file(std::string("/etc/proxmox-backup/") + name, data_file(std::string("pve/") + name));
  host.file("/etc/proxmox-backup/sync.cfg",
            "sync: offsite\n\tremote home2\n\tremote-store other\n\tschedule hourly\n"
            "\tstore tank-main\n");
  host.directory("/mnt/datastore/tank-main/.chunks");
  host.file("/etc/hostname", "pve\n");
  host.file("/etc/pve/storage.cfg", data_file("pve/storage.cfg"));
  host.answer("pvesh get /nodes/localhost/storage --output-format json",
              {.out = data_file("pve/pvesh-nodes-node-storage.json")});
}

}  // namespace relab::agent
