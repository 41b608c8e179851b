// Lab files out of audits.

#include "controller/adopt/adopt.h"

#include <fmt/format.h>
#include <set>

#include "controller/adopt/address_plan.h"
#include "controller/adopt/lab_text.h"
#include "controller/lab/lab.h"
#include "controller/lab/programs.h"
#include "tests/support/audited.h"

namespace relab::controller {

namespace {

using lab::parse_ipv4;

constexpr std::string_view disks = R"({"auditDisks": {"disks": [
    {"name": "sda", "serial": "OS1", "model": "SSD 500", "size": "500107862016"},
    {"name": "sdb", "serial": "OS2", "model": "SSD 500", "size": "500107862016"},
    {"name": "sdc", "serial": "ZDH1", "model": "HDD", "size": "2000398934016"},
    {"name": "sdd", "serial": "ZDH2", "model": "HDD", "size": "2000398934016"},
    {"name": "sde", "serial": "ZDH3", "model": "HDD", "size": "2000398934016"},
    {"name": "sdf", "serial": "ZDH4", "model": "HDD", "size": "2000398934016"},
    {"name": "sdg", "serial": "USB1", "model": "Expansion", "size": "8001563222016", "usb": true},
    {"name": "sdh", "serial": "OLD1", "model": "Forgotten", "size": "320072933376"},
    {"name": "sdi", "serial": "", "model": "Virtual", "size": "1000000000"}],
  "mounts": [{"point": "/", "type": "zfs", "source": "rpool/ROOT/pve-1"},
             {"point": "/datapool", "type": "zfs", "source": "datapool"}]}})";

constexpr std::string_view pools =
    R"({"auditZfs": {"pools": [{"name": "rpool"}, {"name": "datapool"}],
  "vdevs": [
    {"pool": "rpool", "depth": 0, "name": "rpool", "kind": "root", "role": "data"},
    {"pool": "rpool", "depth": 1, "name": "mirror-0", "kind": "mirror", "role": "data"},
    {"pool": "rpool", "depth": 2, "name": "sda3", "kind": "disk", "role": "data", "serial": "OS1"},
    {"pool": "rpool", "depth": 2, "name": "sdb3", "kind": "disk", "role": "data", "serial": "OS2"},
    {"pool": "datapool", "depth": 0, "name": "datapool", "kind": "root", "role": "data"},
    {"pool": "datapool", "depth": 1, "name": "raidz2-0", "kind": "raidz2", "role": "data"},
    {"pool": "datapool", "depth": 2, "name": "sdc", "kind": "disk", "role": "data", "serial": "ZDH1"},
    {"pool": "datapool", "depth": 2, "name": "sdd", "kind": "disk", "role": "data", "serial": "ZDH2"},
    {"pool": "datapool", "depth": 2, "name": "sde", "kind": "disk", "role": "data", "serial": "ZDH3"},
    {"pool": "datapool", "depth": 2, "name": "sdf", "kind": "disk", "role": "data", "serial": "ZDH4"}],
  "datasets": [
    {"name": "rpool", "encryption": "off"},
    {"name": "datapool", "encryption": "aes-256-gcm", "keyFormat": "passphrase"}]}})";

constexpr std::string_view network = R"({"auditNetwork": {
  "interfaces": [{"name": "lo"}, {"name": "vmbr0", "kind": "bridge"},
                 {"name": "veth110i0", "kind": "veth", "guest": true}],
  "addresses": [{"interface": "lo", "address": "127.0.0.1", "prefix": 8, "scope": "host"},
                {"interface": "vmbr0", "address": "10.42.10.2", "prefix": 24, "scope": "global"}],
  "routes": [{"destination": "default", "gateway": "10.42.10.1", "interface": "vmbr0"}]}})";

constexpr std::string_view guests = R"({"auditGuests": {
  "guests": [
    {"vmid": 110, "name": "jellyfin", "type": "lxc", "unprivileged": true, "cores": 4,
     "memory": "4294967296", "ostype": "debian", "onboot": true, "startupOrder": "order=2,up=30",
     "features": "nesting=1,keyctl=1", "description": "Films and series\nand more"},
    {"vmid": 111, "name": "arr", "type": "lxc", "ostype": "alpine"},
    {"vmid": 200, "name": "Windows 11 (old).local", "type": "qemu", "cores": 2, "sockets": 2,
     "memory": "8589934592"},
    {"vmid": 201, "name": "jellyfin", "type": "lxc", "unprivileged": true, "ostype": "debian"},
    {"vmid": 900, "name": "golden", "type": "lxc", "template": true}],
  "disks": [
    {"vmid": 110, "key": "rootfs", "storage": "local-zfs", "volume": "subvol-110-disk-0",
     "size": "17179869184"},
    {"vmid": 111, "key": "rootfs", "storage": "local-zfs", "volume": "subvol-111-disk-0",
     "size": "8589934592"},
    {"vmid": 200, "key": "efidisk0", "storage": "local-zfs", "size": "1048576"},
    {"vmid": 200, "key": "ide2", "storage": "local", "size": "600000000", "cdrom": true},
    {"vmid": 200, "key": "scsi0", "storage": "local-zfs", "size": "68719476736"}],
  "mounts": [
    {"vmid": 110, "key": "mp0", "hostPath": "/datapool/media", "guestPath": "/media",
     "readOnly": true},
    {"vmid": 110, "key": "mp1", "hostPath": "/mnt/elsewhere", "guestPath": "/x"}],
  "networks": [
    {"vmid": 110, "key": "net0", "bridge": "vmbr0", "tag": 20, "ip": "10.42.20.10/24",
     "gateway": "10.42.20.1"},
    {"vmid": 111, "key": "net0", "bridge": "vmbr0", "tag": 20, "ip": "dhcp"},
    {"vmid": 111, "key": "net1", "bridge": "vmbr1", "ip": "172.16.0.5/24"},
    {"vmid": 200, "key": "net0", "bridge": "vmbr0"},
    {"vmid": 201, "key": "net0", "bridge": "vmbr0", "tag": 60, "ip": "192.168.7.9/24"}],
  "devices": [
    {"vmid": 110, "key": "dev0", "what": "/dev/dri/renderD128", "options": "gid=104"},
    {"vmid": 200, "key": "hostpci0", "what": "0000:05:00", "options": "pcie=1"}]}})";

constexpr std::string_view cards = R"({"auditPci": {
  "devices": [{"address": "0000:04:00.0", "vendorId": "8086", "deviceId": "56a6"},
              {"address": "0000:05:00.0", "vendorId": "10de", "deviceId": "2504"}],
  "gpus": [{"address": "0000:04:00.0", "vendor": "Intel Corporation", "name": "Arc A310",
            "render": "renderD128"},
           {"address": "0000:05:00.0", "vendor": "NVIDIA Corporation", "name": "RTX 3060"},
           {"address": "0000:07:00.0", "vendor": "Matrox Electronics Systems Ltd.", "name": "G200"}]}})";

constexpr std::string_view apps = R"({"auditArr": {"apps": [
    {"app": "sonarr", "vmid": 111, "port": 8989, "dataPath": "/var/lib/sonarr"},
    {"app": "radarr", "vmid": 111, "container": "radarr", "port": 7878, "publishedPort": 17878},
    {"app": "bazarr", "vmid": 111, "port": 6767},
    {"app": "prowlarr", "vmid": 0, "port": 9696, "dataPath": "/root/prowlarr"}]}})";

constexpr std::string_view media = R"({"auditJellyfin": {"servers": [
    {"vmid": 110, "port": 8096, "dataPath": "/var/lib/jellyfin"}]}})";

constexpr std::string_view hardware = R"({"auditPackages": {"hardware": {
    "vendor": "HP", "product": "Z640 \"Workstation\"", "cpu": "Xeon E5", "memory": "67430000000",
    "errorCorrection": "multi-bit"}}})";

/// The machine of these facts, some of them replaced.
struct Machine : Audited {
  Machine() {
    again("disks", std::string(disks));
    again("zfs", std::string(pools));
    again("network", std::string(network));
    again("guests", std::string(guests));
    again("pci", std::string(cards));
    again("arr", std::string(apps));
    again("jellyfin", std::string(media));
    again("packages", std::string(hardware));
    again("pbs", R"({"auditPbs": {"coverage": {"absent": "no such thing"}}})");
  }
  std::string text() const {
    return must(adopt({.lab = "home", .host = "pve"}, audit_of(records.state, "pve")));
  }
  /// What the text says, which has no mistake.
  Message<schema::Lab> description() const {
    const auto written = text();
    auto reading = lab::parse_lab(written, "adopted");
    for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(lab::to_string(mistake));
    INFO(written);
    REQUIRE(reading.lab);
    return std::move(*reading.lab);
  }
};

template <typename List>
auto named(const List& list, std::string_view name) {
  for (const auto element : list)
    if (view(element.getName()) == name) return element;
  FAIL("there is no " << name);
  throw std::logic_error("unreachable");
}

Seat seat(const std::string& machine, unsigned tag, const std::string& address,
          unsigned prefix = 24) {
  return {.machine = machine,
          .tag = tag,
          .address = parse_ipv4(address),
          .prefix = prefix,
          .how = "by DHCP"};
}

}  // namespace

TEST_CASE("adopt: what the audit found is a lab file", "[controller][adopt]") {
  const Machine machine;

  const auto lab = machine.description();

  const auto reader = lab.reader();
  CHECK(view(reader.getName()) == "home");
  const auto host = reader.getHosts()[0];
  CHECK(view(host.getName()) == "pve");
  CHECK(view(host.getIp()) == "10.42.10.2");
  CHECK(view(host.getModel()) == "HP Z640 \"Workstation\"");
  CHECK(host.getEcc());
  CHECK(host.getExpect().size() == reflect::audit_sections().size() - 1);
  CHECK(view(reader.getNetwork().getSupernet()) == "10.42.0.0/16");
  CHECK(reader.getPlan().getPhases()[0].getTracks()[0].getSteps().size() ==
        reflect::audit_sections().size());
}

TEST_CASE("adopt: disks have the roles that their pools give them", "[controller][adopt]") {
  const Machine machine;
  const auto lab = machine.description();

  std::vector<std::string> told;
  for (const auto disk : lab.reader().getDisks())
    told.push_back(str(disk.getName()) + " " + str(disk.getSerial()));
  CHECK(told == std::vector<std::string>{"os1 OS1", "os2 OS2", "data1 ZDH1", "data2 ZDH2",
                                         "data3 ZDH3", "data4 ZDH4", "usb1 USB1"});
  CHECK(lab.reader().getDisks()[0].getSize() == 500'000'000'000);
  CHECK(lab.reader().getDisks()[2].getSize() == 2'000'000'000'000);
  const auto pool = named(lab.reader().getPools(), "datapool");
  CHECK(pool.getLayout() == schema::Lab::Pool::Layout::RAIDZ2);
  CHECK(pool.getEncrypted());
  CHECK(pool.getKeyFormat() == schema::Lab::Pool::KeyFormat::PASSPHRASE);
  CHECK_FALSE(named(lab.reader().getPools(), "rpool").getEncrypted());
  CHECK_THAT(machine.text(), Catch::Contains("sdh (Forgotten, serial OLD1) is left out") &&
                                 Catch::Contains("sdi (Virtual, serial not told) is left out"));
}

TEST_CASE("adopt: guests are as they are, and what is otherwise is said", "[controller][adopt]") {
  const Machine machine;
  const auto lab = machine.description();
  const auto text = machine.text();

  const auto jellyfin = named(lab.reader().getGuests(), "jellyfin");
  CHECK(jellyfin.getVmid() == 110);
  CHECK_FALSE(jellyfin.getPrivileged());
  CHECK(jellyfin.getNesting());
  CHECK(jellyfin.getOrder() == 2);
  CHECK(view(jellyfin.getIp()) == "10.42.20.10");
  CHECK(view(jellyfin.getPurpose()) == "Films and series");
  CHECK(jellyfin.getDisk() == std::uint64_t{16} << 30U);
  REQUIRE(jellyfin.getMounts().size() == 1);
  CHECK(jellyfin.getMounts()[0].getReadOnly());
  REQUIRE(jellyfin.getGpus().size() == 1);
  CHECK(view(jellyfin.getGpus()[0]) == "intel1");
  REQUIRE(jellyfin.getServices().size() == 1);
  CHECK(view(jellyfin.getServices()[0].getPath()) == "/var/lib/jellyfin");

  const auto arr = named(lab.reader().getGuests(), "arr");
  CHECK(arr.getPrivileged());
  CHECK(arr.getCores() == 1);
  CHECK(arr.getServices().size() == 2);
  CHECK_THAT(text, Catch::Contains("today by DHCP") && Catch::Contains("bazarr on port 6767") &&
                       Catch::Contains("another card, net1: 172.16.0.5/24 on vmbr1") &&
                       Catch::Contains("mp1: /mnt/elsewhere at /x is in no pool") &&
                       Catch::Contains("On the host itself: prowlarr, port 9696"));

  const auto windows = named(lab.reader().getGuests(), "windows-11-old");
  CHECK(windows.getType() == schema::Lab::Guest::Type::VM);
  CHECK(windows.getCores() == 4);
  CHECK(windows.getDisk() == std::uint64_t{64} << 30U);
  CHECK(view(windows.getGpus()[0]) == "nvidia1");
  // Two of one name are two, and a template is no guest.
  CHECK(named(lab.reader().getGuests(), "jellyfin-201").getVmid() == 201);
  CHECK(lab.reader().getGuests().size() == 4);
}

TEST_CASE("adopt: a backup server is a service of its guest, and told of the host",
          "[controller][adopt]") {
  Machine machine;
  machine.again("pbs", R"({"auditPbs": {"servers": [
      {"place": "this machine", "vmid": 0, "running": true, "installed": true},
      {"place": "container 201", "vmid": 201, "running": true, "installed": false},
      {"place": "container 110", "vmid": 110, "running": true, "installed": true}]}})");
  const auto lab = machine.description();

  const auto services = named(lab.reader().getGuests(), "jellyfin").getServices();
  REQUIRE(services.size() == 2);
  CHECK(services[1].getKind() == schema::Lab::Service::Kind::PBS);
  CHECK(services[1].getPort() == 8007);
  // Of another, only the configuration was left.
  CHECK(named(lab.reader().getGuests(), "jellyfin-201").getServices().size() == 0);
  CHECK_THAT(machine.text(), Catch::Contains("On the host itself: Proxmox Backup Server"));
}

TEST_CASE("adopt: programs that were found in containers are services of theirs",
          "[controller][adopt]") {
  Machine machine;
  std::string with(guests);
  const std::string before = R"("devices": [)";
  with.insert(with.find(before), R"("units": [
      {"vmid": 201, "name": "cron.service", "enabled": true, "runs": true},
      {"vmid": 201, "name": "cronicle.service", "enabled": true, "runs": true},
      {"vmid": 201, "name": "grafana-server.service", "enabled": true, "runs": true},
      {"vmid": 201, "name": "nextcloud.service", "enabled": true, "runs": true},
      {"vmid": 201, "name": "prometheus.service", "enabled": true, "runs": true},
      {"vmid": 201, "name": "wg-quick@wg0.service", "enabled": true},
      {"vmid": 111, "name": "sonarr.service", "enabled": true, "runs": true}],
    "ports": [{"vmid": 201, "address": "::", "port": 3000},
              {"vmid": 201, "address": "0.0.0.0", "port": 8080}],
    "docker": [{"vmid": 201, "name": "old", "image": "ollama/ollama:0.1", "state": "exited",
                "published": [11435], "folders": ["/opt/old"]},
               {"vmid": 201, "name": "web", "image": "caddy:2", "state": "running",
                "published": [80, 443], "folders": ["/etc/site", "/srv/site"]},
               {"vmid": 201, "name": "ollama", "image": "ollama/ollama:latest", "state": "running",
                "published": [11434], "folders": ["/opt/ollama"]},
               {"vmid": 201, "name": "tower", "image": "containrrr/watchtower"}],
    )");
  machine.again("guests", with);
  const auto lab = machine.description();

  std::vector<std::string> told;
  for (const auto service : named(lab.reader().getGuests(), "jellyfin-201").getServices())
    told.push_back(fmt::format("{} {} {}", lab::program(service.getKind()).name, service.getPort(),
                               str(service.getPath())));
  CHECK(told == std::vector<std::string>{
                    "caddy 443 ", "ollama 11434 /opt/ollama", "grafana 3000 /var/lib/grafana",
                    // It listens elsewhere.
                    "prometheus 0 /var/lib/prometheus", "wireguard 0 /etc/wireguard"});
  // What another section knows better is there once.
  CHECK(named(lab.reader().getGuests(), "arr").getServices().size() == 2);
  CHECK_THAT(machine.text(), Catch::Contains("nextcloud.service runs in it: relab knows no such") &&
                                 Catch::Contains("in Docker: tower, of containrrr/watchtower") &&
                                 Catch::Contains("in Docker: old, one more ollama") &&
                                 Catch::Contains("web has /srv/site: which one its path is") &&
                                 Catch::Contains("cronicle.service runs in it") &&
                                 !Catch::Contains("cron.service"));
}

TEST_CASE("adopt: a network that no lab file can have is planned anew", "[controller][adopt]") {
  const Machine machine;
  const auto lab = machine.description();

  const auto vlan = named(lab.reader().getNetwork().getVlans(), "vlan60");
  CHECK(view(vlan.getSubnet()) == "10.42.60.0/24");
  CHECK(view(named(lab.reader().getGuests(), "jellyfin-201").getIp()) == "10.42.60.9");
  CHECK_THAT(machine.text(), Catch::Contains("today 192.168.7.9") &&
                                 Catch::Contains("today 192.168.7.0/24 with the tag 60"));
}

TEST_CASE("adopt: the usual flat network of a home", "[controller][adopt]") {
  const auto third_octet = GENERATE(0U, 1U, 178U);
  Machine machine;
  const auto flat = [&](std::string text) {
    const auto prefix = "192.168." + std::to_string(third_octet) + ".";
    for (const auto* old : {"10.42.10.", "10.42.20."})
      for (auto at = text.find(old); at != std::string::npos; at = text.find(old))
        text.replace(at, std::string_view(old).size(), prefix);
    for (auto at = text.find(R"("tag": 20, )"); at != std::string::npos;
         at = text.find(R"("tag": 20, )"))
      text.erase(at, 11);
    return text;
  };
  machine.again("network", flat(std::string(network)));
  machine.again("guests", flat(std::string(guests)));

  const auto lab = machine.description();

  const auto host = lab.reader().getHosts()[0];
  const auto jellyfin = named(lab.reader().getGuests(), "jellyfin");
  CHECK(view(host.getVlan()) == view(jellyfin.getVlan()));
  CHECK(view(host.getIp()) ==
        "192.168." + std::to_string(third_octet == 0 ? 1 : third_octet) + ".2");
  const bool told = machine.text().find("today 192.168.0.2") != std::string::npos;
  CHECK(told == (third_octet == 0));
}

TEST_CASE("adopt: what was not read is said, and what cannot be missing is missed",
          "[controller][adopt]") {
  const Machine machine;
  auto audit = audit_of(machine.records.state, "pve");
  audit.unread = {"schedules"};
  CHECK_THAT(must(adopt({.lab = "home", .host = "pve"}, audit)),
             Catch::Contains("NOT READ: the section 'schedules'"));
  audit.disks.reset();
  CHECK(adopt({.lab = "home", .host = "pve"}, audit).error().fault == Fault::missing);

  const auto nothing = audit_of(machine.records.state, "other");
  CHECK(nothing.unread.size() == reflect::audit_sections().size());
}

TEST_CASE("adopt: a pool that a lab file cannot describe is left out, loudly",
          "[controller][adopt]") {
  Machine machine;
  std::string other(pools);
  const auto swap = [&](std::string_view from, std::string_view to) {
    const auto at = other.find(from);
    REQUIRE(at != std::string::npos);
    other.replace(at, from.size(), to);
  };
  SECTION("two vdevs") { swap(R"("depth": 2, "name": "sde")", R"("depth": 1, "name": "sde")"); }
  SECTION("a log device") {
    swap(R"("role": "data", "serial": "ZDH4")", R"("role": "log", "serial": "ZDH4")");
  }
  SECTION("a disk that nobody can tell") { swap(R"("serial": "ZDH4")", R"("serial": "")"); }
  machine.again("zfs", other);

  const auto lab = machine.description();

  CHECK(lab.reader().getPools().size() == 1);
  CHECK_THAT(machine.text(), Catch::Contains("The pool 'datapool' is left out"));
}

TEST_CASE("adopt: hostile words stay words", "[controller][adopt]") {
  Machine machine;
  machine.again("guests", R"({"auditGuests": {"guests": [
      {"vmid": 100, "name": "a\"]\n[[guests]]\nname = \"b", "type": "lxc", "ostype": "x\ny",
       "description": "\"\\ \u202e '''\n[plan]"}],
    "rawLines": [{"vmid": 100, "key": "lxc.hook", "value": "x\n[[guests]]"}]}})");

  const auto lab = machine.description();

  CHECK(lab.reader().getGuests().size() == 1);
}

TEST_CASE("address plan: what can stay stays, and has the first choice", "[controller][adopt]") {
  const auto plan = plan_addresses({seat("pve", 0, "10.42.10.2"), seat("a", 30, "10.99.0.7"),
                                    seat("b", 20, "10.42.30.7"), seat("c", 0, "10.42.30.8")});

  CHECK(plan.supernet.text() == "10.42.0.0/16");
  CHECK(plan.machines.at("pve").address.text() == "10.42.10.2");
  CHECK(plan.machines.at("c").address.text() == "10.42.30.8");
  CHECK(plan.machines.at("c").remark.empty());
  // Its number is taken by what can stay; and this one's subnet is not that of its tag.
  CHECK(plan.machines.at("a").remark == "today 10.99.0.7");
  CHECK(plan.machines.at("b").address.text() == "10.42.20.7");
  CHECK(plan.machines.at("b").remark == "today 10.42.30.7");
}

TEST_CASE("address plan: every machine has an address of its own", "[controller][adopt]") {
  std::vector<Seat> seats = {seat("pve", 0, "10.42.10.1"), seat("twin", 0, "10.42.10.1"),
                             seat("last", 0, "10.42.10.254")};
  for (int i = 0; i < 100; ++i) seats.push_back(seat("g" + std::to_string(i), 0, ""));

  const auto plan = plan_addresses(seats);

  REQUIRE(plan.vlans.size() == 1);
  std::set<std::string> used = {plan.vlans[0].gateway.text()};
  for (const auto& [name, seated] : plan.machines) {
    CHECK(used.insert(seated.address.text()).second);
    CHECK(plan.vlans[0].subnet.contains(seated.address));
  }
  CHECK(plan.machines.at("pve").address.text() == "10.42.10.1");
}

TEST_CASE("lab text: sizes are as their makers say", "[controller][adopt]") {
  CHECK(nominal_size(2'000'398'934'016) == 2'000'000'000'000);
  CHECK(nominal_size(500'107'862'016) == 500'000'000'000);
  CHECK(nominal_size(8'001'563'222'016) == 8'000'000'000'000);
  CHECK(nominal_size(256'060'514'304) == 256'000'000'000);
  CHECK(nominal_size(1'920'383'410'176) == 1'920'000'000'000);
  CHECK(nominal_size(0) == 0);
  LabText out;
  out.size("a", std::uint64_t{4} << 30U);
  out.size("b", 2'000'000'000'000);
  out.size("c", 12'345);
  out.size("d", 0);
  CHECK(out.str() == "a = \"4GiB\"\nb = \"2TB\"\nc = \"12345B\"\n");
}

}  // namespace relab::controller
