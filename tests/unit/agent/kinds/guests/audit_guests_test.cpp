#include "agent/kinds/guests/audit_guests.h"

#include <fstream>
#include <iterator>
#include <memory>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/guests/programs.h"
#include "agent/kinds/guests/rows.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::guests {

namespace {

std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/pve/" + name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr auto list_lxc = "pvesh get /nodes/localhost/lxc --output-format json";
constexpr auto list_qemu = "pvesh get /nodes/localhost/qemu --output-format json";

constexpr auto table_head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

/// As the inside of a container that runs.
void runs(SimHost& guest) {
  guest.file("/proc/1/cgroup", "0::/init.scope\n");
  guest.file("/proc/net/tcp", table_head);
}

/// A host with the containers 112, 120 and 130, and the VM 200.
void set_up(SimHost& host) {
  host.link("/etc/pve/local", "nodes/pve");
  for (const auto* vmid : {"112", "120", "130"})
    host.file(std::string("/etc/pve/nodes/pve/lxc/") + vmid + ".conf",
              sample(std::string(vmid) + ".conf"));
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf",
            "boot: order=scsi0;net0\ncores: 2\nefidisk0: local-zfs:vm-200-disk-0,size=1M\n"
            "hostpci0: 0000:04:00,pcie=1\nipconfig0: ip=10.42.20.7/24,gw=10.42.20.1\n"
            "ide2: none,media=cdrom\nmemory: 4096\nname: homeassistant\n"
            "net0: virtio=BC:24:11:AA:00:01,bridge=vmbr0,firewall=1,tag=20\n"
            "scsi0: local-zfs:vm-200-disk-1,size=32G,ssd=1\n"
            "scsi1: /dev/disk/by-id/ata-X,backup=0,size=8T\nunused0: tank:vm-200-disk-9\n"
            "cipassword: canary-secret\nusb0: host=1a86:7523\n"
            "[PENDING]\ncipassword: canary-secret\n");
  host.answer(list_lxc, {.out = R"([{"vmid": "112", "status": "stopped", "name": "trillian"},
      {"vmid": 120, "status": "running"}, {"vmid": 130, "status": "running"}])"});
  host.answer(list_qemu, {.out = R"([{"vmid": 200, "status": "running"}])"});
  host.file("/var/lib/lxc/112/rootfs/etc/hostname", "trillian\n");
  const auto empty = std::make_shared<SimHost>();
  runs(*empty);
  host.program("pct", [empty](const Command& command) {
    return containers({{"120", empty.get()}, {"130", empty.get()}})(command);
  });
}

Message<schema::AuditGuests::Facts> observe(Host& host) {
  const auto params = must(Message<schema::AuditGuests>::from_json("{}"));
  return must(AuditGuests::observe(params.reader(), host));
}

template <typename List>
auto row_of(List list, std::uint32_t vmid, std::string_view key) {
  for (auto row : list)
    if (row.getVmid() == vmid && view(row.getKey()) == key) return row;
  FAIL("there is no " << key << " of " << vmid);
  return list[0];
}

}  // namespace

TEST_CASE("guests: containers and VMs come with their states", "[agent][guests]") {
  SimHost host;
  set_up(host);

  const auto message = observe(host);
  const auto facts = message.reader();

  CHECK(facts.getCoverage().getProblems().size() == 0);
  CHECK(view(facts.getNode()) == "pve");
  REQUIRE(facts.getGuests().size() == 4);
  const auto trillian = facts.getGuests()[0];
  CHECK(trillian.getVmid() == 112);
  CHECK(view(trillian.getName()) == "trillian");
  CHECK(view(trillian.getState()) == "stopped");
  CHECK(trillian.getMemory() == std::uint64_t{16} << 30U);
  CHECK(trillian.getTags().size() == 3);
  CHECK(view(trillian.getStartupOrder()) == "order=5,up=20,down=60");
  CHECK(trillian.getOnboot());
  CHECK_FALSE(trillian.getUnprivileged());
  CHECK(facts.getGuests()[2].getUnprivileged());
  CHECK(facts.getGuests()[2].getIdmap());
  CHECK(facts.getGuests()[3].getType() == schema::AuditGuests::Type::QEMU);
  CHECK(view(facts.getGuests()[3].getName()) == "homeassistant");
}

TEST_CASE("guests: disks tell storage, size and whether a backup takes them", "[agent][guests]") {
  SimHost host;
  set_up(host);

  const auto message = observe(host);
  const auto disks = message.reader().getDisks();

  const auto rootfs = row_of(disks, 112, "rootfs");
  CHECK(view(rootfs.getStorage()) == "local-zfs");
  CHECK(view(rootfs.getVolume()) == "subvol-112-disk-0");
  CHECK(rootfs.getSize() == std::uint64_t{64} << 30U);
  CHECK(rootfs.getBackup());
  CHECK(row_of(disks, 200, "scsi0").getBackup());
  CHECK(view(row_of(disks, 200, "scsi0").getOptions()) == "ssd=1");
  CHECK_FALSE(row_of(disks, 200, "scsi1").getBackup());
  CHECK(view(row_of(disks, 200, "scsi1").getVolume()) == "/dev/disk/by-id/ata-X");
  CHECK(row_of(disks, 200, "ide2").getCdrom());
  CHECK(row_of(disks, 200, "unused0").getUnused());
  CHECK(row_of(disks, 200, "efidisk0").getSize() == 1U << 20U);
}

TEST_CASE("guests: binds, networks, devices and raw lines are listed", "[agent][guests]") {
  SimHost host;
  set_up(host);

  const auto message = observe(host);
  const auto facts = message.reader();

  const auto models = row_of(facts.getMounts(), 112, "mp0");
  CHECK(view(models.getHostPath()) == "/tank/models");
  CHECK(view(models.getGuestPath()) == "/models");
  CHECK(models.getReadOnly());
  CHECK(view(row_of(facts.getMounts(), 130, "lxc.mount.entry").getHostPath()) == "/dev/net/tun");
  const auto net = row_of(facts.getNetworks(), 130, "net0");
  CHECK(net.getTag() == 20);
  CHECK(view(net.getIp()) == "10.42.20.30/24");
  CHECK(view(net.getMac()) == "BC:24:11:51:02:30");
  CHECK(net.getFirewall());
  const auto vm_net = row_of(facts.getNetworks(), 200, "net0");
  CHECK(view(vm_net.getModel()) == "virtio");
  CHECK(view(vm_net.getMac()) == "BC:24:11:AA:00:01");
  CHECK(view(vm_net.getGateway()) == "10.42.20.1");
  CHECK(view(row_of(facts.getDevices(), 112, "dev1").getWhat()) == "/dev/nvidiactl");
  CHECK(view(row_of(facts.getDevices(), 200, "hostpci0").getWhat()) == "0000:04:00");
  CHECK(view(row_of(facts.getDevices(), 200, "usb0").getWhat()) == "1a86:7523");
  CHECK(facts.getRawLines().size() == 9);
  CHECK(view(row_of(facts.getRawLines(), 200, "cipassword").getValue()) == "(not shown)");
}

TEST_CASE("guests: a line that has no field of its own is listed as it is, less its secrets",
          "[agent][guests]") {
  const auto [line, value] = GENERATE(table<std::string, std::string>(
      {{"args: -device virtio-rng-pci", "-device virtio-rng-pci"},
       {"vga: virtio", "virtio"},
       {"ciuser: admin", "admin"},
       {"ipconfig7: ip=10.0.0.7/24", "ip=10.0.0.7/24"},
       {"args: -object secret,id=s0 --password canary", "-object secret,id=s0 --password ***"},
       {"env: TOKEN=canary", "(not shown)"},
       {"sshkeys: ssh-ed25519%20AAAA", "(not shown)"}}));
  SimHost host;
  set_up(host);
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf", "name: homeassistant\n" + line + "\n");

  const auto message = observe(host);

  const auto key = line.substr(0, line.find(':'));
  CHECK(view(row_of(message.reader().getRawLines(), 200, key).getValue()) == value);
}

TEST_CASE("guests: snapshots and pending changes are told apart from the present",
          "[agent][guests]") {
  SimHost host;
  set_up(host);

  const auto message = observe(host);
  const auto facts = message.reader();

  REQUIRE(facts.getSnapshots().size() == 1);
  CHECK(facts.getSnapshots()[0].getTime() == 1791230400000);
  CHECK(view(facts.getGuests()[0].getParent()) == "before_docker");
  CHECK(row_of(facts.getPending(), 130, "swap").getDeleted());
  CHECK(view(row_of(facts.getPending(), 130, "memory").getValue()) == "4096");
}

TEST_CASE("guests: passwords never reach the facts", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.file("/etc/pve/nodes/pve/lxc/130.conf",
            "lxc.environment: KEY=canary-secret\ncanary-secret\n");

  CHECK_THAT(observe(host).to_json(), !Catch::Contains("canary-secret"));
}

TEST_CASE("guests: a machine without Proxmox has none, and says so", "[agent][guests]") {
  SimHost host;

  const auto message = observe(host);

  CHECK_THAT(str(message.reader().getCoverage().getAbsent()),
             Catch::Contains("no Proxmox VE host"));
  CHECK(message.reader().getCoverage().getProblems().size() == 0);
}

TEST_CASE("guests: an empty /etc/pve is an error, not an absence", "[agent][guests]") {
  SimHost host;
  if (GENERATE(true, false))
    host.directory("/etc/pve");
  else
    host.file("/usr/bin/pvesh", "");
  const auto params = must(Message<schema::AuditGuests>::from_json("{}"));

  const auto facts = AuditGuests::observe(params.reader(), host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == Fault::damaged);
}

TEST_CASE("guests: a renamed host is an error", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.link("/etc/pve/local", "nodes/renamed");
  const auto params = must(Message<schema::AuditGuests>::from_json("{}"));

  const auto facts = AuditGuests::observe(params.reader(), host);

  REQUIRE_FALSE(facts);
  CHECK_THAT(facts.error().what, Catch::Contains("'renamed'"));
}

TEST_CASE("guests: guests of a node that no cluster knows are a problem", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.file("/etc/pve/nodes/old/lxc/101.conf", "hostname: pihole\n");
  const bool member = GENERATE(true, false);
  if (member) host.file("/etc/pve/.members", R"({"nodelist": {"pve": {}, "old": {}}})");

  const auto message = observe(host);
  const auto coverage = message.reader().getCoverage();

  CHECK(coverage.getProblems().size() == (member ? 0 : 1));
  CHECK(coverage.getParts().size() == (member ? 1 : 0));
}

TEST_CASE("guests: the two lists must agree", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.answer(list_lxc, {.out = R"([{"vmid": 112, "status": "stopped"},
      {"vmid": 120, "status": "running"}, {"vmid": 121, "name": "prometheus"}])"});

  const auto message = observe(host);
  const auto problems = message.reader().getCoverage().getProblems();

  REQUIRE(problems.size() == 2);
  CHECK(view(problems[0].getPart()) == "guest 130");
  CHECK(view(problems[1].getPart()) == "guest 121");
  CHECK_THAT(str(problems[1].getWhy()), Catch::Contains("prometheus"));
}

TEST_CASE("guests: without states the configurations still come, with a problem",
          "[agent][guests]") {
  SimHost host;
  set_up(host);
  const auto output =
      GENERATE(Output{.status = 1, .err = "ipcc_send_rec failed\n"}, Output{.out = "[{\"vmid\": 1"},
               Output{.out = "{}"}, Output{.out = "[{\"name\": \"x\"}]"}, Output{.out = ""});
  host.answer(list_lxc, output);

  const auto message = observe(host);

  CHECK(message.reader().getGuests().size() == 4);
  REQUIRE(message.reader().getCoverage().getProblems().size() == 1);
  CHECK(view(message.reader().getCoverage().getProblems()[0].getPart()) == "states of lxc guests");
}

TEST_CASE("guests: an unreadable configuration does not stop the others", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.broken("/etc/pve/nodes/pve/lxc/120.conf",
              {.fault = Fault::damaged, .what = "input/output error"});

  const auto message = observe(host);

  CHECK(message.reader().getGuests().size() == 3);
  REQUIRE(message.reader().getCoverage().getProblems().size() == 2);
}

TEST_CASE("guests: lines that are not understood are a problem", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.file("/etc/pve/nodes/pve/lxc/120.conf", "hostname: pbs\n<<<<<<< HEAD\n");

  const auto message = observe(host);

  const auto problems = message.reader().getCoverage().getProblems();
  REQUIRE(problems.size() == 1);
  CHECK_THAT(str(problems[0].getWhy()), Catch::StartsWith("lines 2 of"));
}

TEST_CASE("guests: a VM's memory may be a property string", "[agent][guests]") {
  SimHost host;
  set_up(host);
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf", "memory: current=2048\n");

  const auto message = observe(host);

  CHECK(message.reader().getGuests()[3].getMemory() == std::uint64_t{2} << 30U);
  CHECK(view(message.reader().getGuests()[3].getName()) == "VM 200");
}

TEST_CASE("guests: a block device of the host is a disk, a directory is a bind",
          "[agent][guests]") {
  const auto config =
      parse_pve_config("mp0: /dev/sdb1,mp=/a\nmp1: /tank/b,mp=/b\n", GuestType::lxc);

  CHECK(disks_of(config.current, GuestType::lxc).at(0).volume == "/dev/sdb1");
  CHECK(binds_of(config.current, GuestType::lxc).at(0).source == "/tank/b");
}

namespace {

const std::string tcp =
    std::string(table_head) +
    "   0: 00000000:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000   110        0 "
    "15321 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "15322 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0C0A2A0A:2382 020A2A0A:C001 01 00000000:00000000 00:00000000 00000000   110        0 "
    "15323 1 0000000000000000 20 4 30 10 -1\n";

/// What was found of the guest, a line for each row.
std::string found_in(const Message<schema::AuditGuests::Facts>& message, std::uint32_t vmid) {
  std::string text;
  for (const auto unit : message.reader().getUnits())
    if (unit.getVmid() == vmid)
      text += fmt::format("{}{}{}\n", str(unit.getName()), unit.getEnabled() ? " enabled" : "",
                          unit.getRuns() ? " runs" : "");
  for (const auto port : message.reader().getPorts())
    if (port.getVmid() == vmid)
      text += fmt::format("{}:{}\n", str(port.getAddress()), port.getPort());
  return text;
}

void enable(SimHost& host, const std::string& root, const std::string& unit) {
  const auto file = "/lib/systemd/system/" + unit;
  host.file(root + file, "[Service]\nExecStart=/bin/x\n");
  host.link(root + "/etc/systemd/system/multi-user.target.wants/" + unit, file);
}

}  // namespace

TEST_CASE("guests: what runs in containers is told by their own systems", "[agent][guests]") {
  SimHost monitoring;
  runs(monitoring);
  monitoring.file("/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = canary-secret\n");
  monitoring.file("/etc/systemd/network/home.netdev", "[NetDev]\nKind=wireguard\n[WireGuard]\n");
  monitoring.file("/etc/systemd/network/br0.netdev", "[NetDev]\nKind=bridge\n");
  monitoring.file("/proc/215/cgroup", "0::/system.slice/docker-aa.scope/system.slice/in.service\n");
  monitoring.file("/proc/216/cgroup", "0::/system.slice/apt-daily.service\n");
  enable(monitoring, "", "prometheus.service");
  enable(monitoring, "", "wg-quick@wg0.service");
  monitoring.file("/proc/211/cgroup", "0::/system.slice/prometheus.service\n");
  monitoring.file("/proc/212/cgroup", "0::/system.slice/system-getty.slice/getty@tty1.service\n");
  monitoring.file("/proc/214/cgroup", "0::/system.slice/run-r0a1b.service\n");
  monitoring.file("/proc/213/cgroup", "0::/user.slice/user-0.slice/session-c1.scope\n");
  monitoring.file("/proc/net/tcp", tcp);
  SimHost host;
  set_up(host);
  enable(host, "/var/lib/lxc/112/rootfs", "docker.service");
  SimHost empty;
  runs(empty);
  host.program("pct", containers({{"120", &monitoring}, {"130", &empty}}));

  const auto message = observe(host);

  CHECK(message.reader().getCoverage().getProblems().size() == 0);
  CHECK(found_in(message, 120) ==
        "getty@tty1.service runs\nprometheus.service enabled runs\nwg-quick@wg0.service enabled\n"
        "0.0.0.0:9090\n");
  // It is stopped: what would start with it is known all the same.
  CHECK(found_in(message, 112) == "docker.service enabled\n");
  CHECK(found_in(message, 130).empty());
  std::vector<std::string> tunnels;
  for (const auto tunnel : message.reader().getTunnels())
    tunnels.push_back(fmt::format("{} {}", tunnel.getVmid(), str(tunnel.getPath())));
  CHECK(tunnels == std::vector<std::string>{"120 /etc/systemd/network/home.netdev",
                                            "120 /etc/wireguard/wg0.conf"});
  CHECK_THAT(message.to_json(), !Catch::Contains("canary-secret"));
}

TEST_CASE("guests: Docker's containers in guests are told, without their environment",
          "[agent][guests]") {
  SimHost docker;
  runs(docker);
  docker.file("/usr/bin/docker", "");
  docker.answer("docker ps --all --quiet --no-trunc", {.out = "aa11\n"});
  docker.answer("docker inspect --type container aa11",
                {.out = R"([{"Id": "aa11", "Name": "/ollama", "State": {"Status": "running"},
    "Config": {"Image": "ollama/ollama:0.12.6", "Env": ["KEY=canary-secret"]},
    "Mounts": [{"Type": "bind", "Source": "/opt/ollama", "Destination": "/root/.ollama"},
               {"Type": "bind", "Source": "/etc/localtime", "Destination": "/etc/localtime"},
               {"Type": "volume", "Name": "cache", "Source": "/var/lib/docker/volumes/cache/_data",
                "Destination": "/cache"}],
    "NetworkSettings": {"Ports": {"11434/tcp": [{"HostIp": "0.0.0.0", "HostPort": "11434"},
                                                {"HostIp": "::", "HostPort": "11434"}]}}}])"});
  SimHost host;
  set_up(host);
  SimHost empty;
  runs(empty);
  host.program("pct", containers({{"120", &empty}, {"130", &docker}}));

  const auto message = observe(host);

  REQUIRE(message.reader().getDocker().size() == 1);
  const auto found = message.reader().getDocker()[0];
  CHECK(found.getVmid() == 130);
  CHECK(view(found.getName()) == "ollama");
  CHECK(view(found.getImage()) == "ollama/ollama:0.12.6");
  CHECK(view(found.getState()) == "running");
  REQUIRE(found.getPublished().size() == 1);
  CHECK(found.getPublished()[0] == 11434);
  // What is the system's is none of its own.
  REQUIRE(found.getFolders().size() == 2);
  CHECK(view(found.getFolders()[0]) == "/opt/ollama");
  CHECK(view(found.getFolders()[1]) == "/var/lib/docker/volumes/cache/_data");
  CHECK_THAT(message.to_json(), !Catch::Contains("canary-secret"));
}

TEST_CASE("guests: a container that cannot be looked into is a problem, not an empty one",
          "[agent][guests]") {
  SimHost host;
  set_up(host);
  SimHost odd;
  runs(odd);
  odd.file("/proc/net/tcp", "no table\n");
  SimHost blind;
  const auto way = GENERATE("no answer", "odd table", "no processes", "no root file system");
  if (way == std::string("no processes"))
    host.program("pct", containers({{"120", &blind}, {"130", &odd}}));
  if (way == std::string("no answer")) host.program("pct", containers({{"130", &odd}}));
  if (way == std::string("odd table"))
    host.program("pct", containers({{"120", &odd}, {"130", &odd}}));
  if (way == std::string("no root file system"))
    host.remove("/var/lib/lxc/112/rootfs/etc/hostname");
  if (way == std::string("no root file system")) host.remove("/var/lib/lxc/112/rootfs/etc");
  INFO(way);

  const auto message = observe(host);

  CHECK(message.reader().getGuests().size() == 4);
  CHECK(message.reader().getCoverage().getProblems().size() > 0);
}

TEST_CASE("guests: the unit of a process is the system's, also within control groups of others",
          "[agent][guests]") {
  CHECK(unit_of_cgroup("0::/system.slice/nginx.service\n") == "nginx.service");
  CHECK(unit_of_cgroup("0::/lxc/130/ns/system.slice/nginx.service\n") == "nginx.service");
  CHECK(unit_of_cgroup("0::/system.slice/incus.service/payload/x.service\n") == "incus.service");
  CHECK(unit_of_cgroup("12:pids:/system.slice/a.service\n0::/system.slice/a.service\n") ==
        "a.service");
  CHECK(unit_of_cgroup("0::/init.scope\n").empty());
  CHECK(unit_of_cgroup("0::/system.slice/docker-aa11.scope\n").empty());
  CHECK(unit_of_cgroup("0::/system.slice/docker-aa.scope/system.slice/x.service\n").empty());
  CHECK(unit_of_cgroup("0::/user.slice/user@1000.service/app.slice/x.service\n").empty());
  CHECK(unit_of_cgroup("").empty());
}

}  // namespace relab::agent::guests
