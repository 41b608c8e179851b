#include "agent/host/sim/sim_host.h"
#include "agent/kinds/packages/audit.h"
#include "tests/support/must.h"

namespace relab::agent::packages {

namespace {

void machine_without_proxmox(SimHost& host) {
  host.file("/proc/sys/kernel/hostname", "pve\n");
  host.file("/proc/sys/kernel/osrelease", "7.0.14-14-pve\n");
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
  host.file("/sys/devices/system/edac/mc/mc0/ce_count", "3\n");
  host.file("/sys/devices/system/edac/mc/mc0/ue_count", "0\n");
  host.file("/sys/devices/system/edac/mc/mc0/dimm0/dimm_edac_mode", "SECDED\n");
  host.file("/boot/vmlinuz-7.0.14-14-pve", "");
  host.file("/boot/vmlinuz-6.17.2-1-pve", "");
  host.file("/var/lib/dpkg/status",
            "Package: zfsutils-linux\nStatus: install ok installed\nVersion: 2.4.4\n\n"
            "Package: proxmox-backup-server\nStatus: install ok installed\nVersion: 4.2.3-1\n");
  host.file("/etc/apt/sources.list", "deb https://me:canary@mirror/debian trixie main\n");
  host.file("/etc/apt/sources.list.d/pve-enterprise.sources",
            "Types: deb\nURIs: https://enterprise.proxmox.com/debian/pve\nSuites: trixie\n"
            "Components: pve-enterprise\nEnabled: false\n");
  host.file("/etc/apt/sources.list.d/old.list.save", "deb nonsense\n");
  host.file("/etc/apt/preferences.d/kernel", "Package: x\nPin: version 1\nPin-Priority: -1\n");
  host.file("/var/lib/apt/lists/h_dists_trixie_InRelease", "");
}

void machine(SimHost& host) {
  machine_without_proxmox(host);
  host.answer("pveversion", {.out = "pve-manager/9.2.11/3f1c (running kernel: 7.0.14-14-pve)\n"});
}

Message<schema::AuditPackages::Facts> observe(SimHost& host) {
  const auto params = must(Message<schema::AuditPackages>::from_json("{}"));
  return must(AuditPackages::observe(params.reader(), host));
}

std::vector<std::string> problems(schema::AuditPackages::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto problem : facts.getCoverage().getProblems())
    parts.push_back(str(problem.getPart()));
  return parts;
}

std::vector<std::string> parts(schema::AuditPackages::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto part : facts.getCoverage().getParts()) parts.push_back(str(part.getPart()));
  return parts;
}

}  // namespace

TEST_CASE("packages audit: a Proxmox host is told whole", "[agent][packages]") {
  SimHost host;
  machine(host);

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts).empty());
  CHECK(parts(facts).empty());
  CHECK(view(facts.getSystem().getHostname()) == "pve");
  CHECK(view(facts.getSystem().getCodename()) == "trixie");
  CHECK(view(facts.getSystem().getBootMode()) == "efi");
  CHECK(view(facts.getSystem().getSecureBoot()) == "off");
  CHECK(facts.getSystem().getUptime() == 1234);
  CHECK(view(facts.getHardware().getErrorCorrection()) == "SECDED");
  CHECK(facts.getHardware().getCorrectedErrors() == 3);
  CHECK(facts.getHardware().getMemory() == 1048576);
  REQUIRE(facts.getKernels().size() == 2);
  CHECK_FALSE(facts.getKernels()[0].getRunning());
  CHECK(facts.getKernels()[1].getRunning());
  CHECK(view(facts.getProxmox().getVirtualEnvironment()) == "9.2.11");
  CHECK(view(facts.getProxmox().getBackupServer()) == "4.2.3-1");
}

TEST_CASE("packages audit: sources, pins and what apt passes over are told", "[agent][packages]") {
  SimHost host;
  machine(host);

  const auto message = observe(host);

  const auto facts = message.reader();
  REQUIRE(facts.getSources().size() == 2);
  CHECK(view(facts.getSources()[0].getUris()) == "https://me:***@mirror/debian");
  CHECK_FALSE(facts.getSources()[1].getEnabled());
  CHECK(message.to_json().find("canary") == std::string::npos);
  REQUIRE(facts.getIgnoredSources().size() == 1);
  CHECK(facts.getPins().size() == 1);
  CHECK(facts.getIndexes() == 1);
  CHECK_FALSE(facts.getRebootRequired());
}

TEST_CASE("packages audit: a restart that is due is told with its reasons", "[agent][packages]") {
  SimHost host;
  machine(host);
  host.file("/run/reboot-required", "*** System restart required ***\n");
  host.file("/run/reboot-required.pkgs", "linux-image-6\nlibc6\n");

  const auto message = observe(host);

  CHECK(message.reader().getRebootRequired());
  CHECK(message.reader().getRebootPackages().size() == 2);
}

TEST_CASE("packages audit: a container lacks kernels, Proxmox and firmware, without a problem",
          "[agent][packages]") {
  SimHost host;
  machine_without_proxmox(host);
  host.remove("/boot/vmlinuz-7.0.14-14-pve");
  host.remove("/boot/vmlinuz-6.17.2-1-pve");
  host.remove("/sys/class/dmi/id");
  host.remove("/sys/devices/system/edac/mc");
  host.remove("/sys/firmware/efi");
  host.file("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5\n");

  const auto message = observe(host);

  CHECK(problems(message.reader()).empty());
  CHECK(parts(message.reader()).size() == 5);
  CHECK(view(message.reader().getSystem().getBootMode()) == "bios");
}

TEST_CASE("packages audit: the firmware's word on error correction is marked as such",
          "[agent][packages]") {
  SimHost host;
  machine(host);
  host.remove("/sys/devices/system/edac/mc");
  host.file("/sys/firmware/dmi/entries/16-0/raw",
            std::string("\x10\x17\x00\x10\x03\x03\x06\x00", 8));

  const auto message = observe(host);

  CHECK(view(message.reader().getHardware().getErrorCorrection()) == "multi-bit");
  CHECK(view(message.reader().getHardware().getErrorCorrectionSource()) == "dmi");
}

TEST_CASE("packages audit: what cannot be read is a problem each, and the rest is told",
          "[agent][packages]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [path, part] = GENERATE(table<const char*, const char*>({
      Row{"/proc/sys/kernel/hostname", "hostname"},
      Row{"/proc/uptime", "uptime"},
      Row{"/etc/os-release", "operating system"},
      Row{"/proc/cpuinfo", "processor"},
      Row{"/proc/meminfo", "memory"},
      Row{"/boot", "installed kernels"},
      Row{"/var/lib/dpkg/status", "installed packages"},
      Row{"/etc/apt/sources.list", "/etc/apt/sources.list"},
      Row{"/etc/apt/sources.list.d", "/etc/apt/sources.list.d"},
      Row{"/etc/apt/preferences.d/kernel", "/etc/apt/preferences.d/kernel"},
      Row{"/var/lib/apt/lists", "/var/lib/apt/lists"},
  }));
  SimHost host;
  machine(host);
  host.broken(path, {.fault = Fault::refused, .what = "permission denied"});

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{part});
}

TEST_CASE("packages audit: a broken source file is a problem, and the others are read",
          "[agent][packages]") {
  SimHost host;
  machine(host);
  host.file("/etc/apt/sources.list.d/broken.sources", "Types deb\n");

  const auto message = observe(host);

  CHECK(problems(message.reader()) ==
        std::vector<std::string>{"/etc/apt/sources.list.d/broken.sources"});
  CHECK(message.reader().getSources().size() == 2);
}

}  // namespace relab::agent::packages
