// What a world says of its packages, units and timers is what the real audits find there.

#include "agent/host/sim/debian/debian.h"
#include "agent/kinds/packages/audit.h"
#include "agent/kinds/schedules/observe.h"
#include "agent/kinds/services/observe.h"
#include "tests/unit/sim/debian/work.h"

namespace relab::agent::sim {

namespace {

constexpr const char* packages_text = R"json({
  "coverage": {"absent": "", "parts": [], "problems": []},
  "system": {"hostname": "z640", "os": "debian", "osVersion": "12", "codename": "bookworm",
    "description": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.8.12-15-pve",
    "architecture": "x86_64", "uptime": "864000", "bootMode": "efi", "secureBoot": "off"},
  "hardware": {"vendor": "HP", "product": "HP Z640 Workstation", "firmware": "M60 v02.61",
    "cpu": "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "sockets": 2, "cores": 28, "threads": 56,
    "memory": "67430000640", "errorCorrection": "multi-bit", "errorCorrectionSource": "dmi",
    "correctedErrors": "0", "uncorrectedErrors": "0"},
  "proxmox": {"virtualEnvironment": "8.4.14", "repositoryId": "b502d23c55afcba1",
    "backupServer": "3.4.8-1"},
  "kernels": [{"release": "6.5.13-6-pve", "running": false}, {"release": "6.8.12-15-pve", "running": true}],
  "packageCounts": [{"status": "deinstall ok config-files", "count": 3},
    {"status": "hold ok installed", "count": 1}, {"status": "install ok installed", "count": 812}],
  "packages": [
    {"name": "linux-image-amd64", "version": "6.1.1", "status": "hold ok installed"},
    {"name": "openssh-server", "version": "1:9.2p1-2+deb12u7", "status": "install ok installed"},
    {"name": "proxmox-backup-server", "version": "3.4.8-1", "status": "install ok installed"},
    {"name": "pve-manager", "version": "8.4.14", "status": "install ok installed"},
    {"name": "zfsutils-linux", "version": "2.2.8-pve1", "status": "install ok installed"}],
  "sources": [
    {"file": "/etc/apt/sources.list", "line": 1, "enabled": true, "types": "deb",
      "uris": "http://ftp.de.debian.org/debian", "suites": "bookworm",
      "components": "main contrib", "signedBy": "", "options": ""},
    {"file": "/etc/apt/sources.list", "line": 3, "enabled": true, "types": "deb",
      "uris": "http://security.debian.org", "suites": "bookworm-security",
      "components": "main contrib", "signedBy": "", "options": "arch=amd64"},
    {"file": "/etc/apt/sources.list.d/docker.list", "line": 1, "enabled": true, "types": "deb",
      "uris": "https://download.docker.com/linux/debian", "suites": "bookworm",
      "components": "stable", "signedBy": "/etc/apt/keyrings/docker.asc",
      "options": "arch=amd64"},
    {"file": "/etc/apt/sources.list.d/pve.sources", "line": 2, "types": "deb",
      "uris": "https://enterprise.proxmox.com/debian/pve", "suites": "bookworm",
      "components": "pve-enterprise", "signedBy": "embedded", "options": ""}],
  "ignoredSources": ["old.list.save"],
  "pins": [{"file": "/etc/apt/preferences.d/kernel", "packages": "proxmox-kernel-6.14",
    "pin": "version *", "priority": "-1"}],
  "indexes": 3, "lastUpdate": "1796000000000", "rebootRequired": true,
  "rebootPackages": ["linux-image-6.8"]
})json";

constexpr const char* services_text = R"({
  "init": "systemd",
  "units": [
    {"name": "fancontrol.service", "load": "loaded", "active": "failed", "sub": "failed",
      "description": "fan speed regulator"},
    {"name": "apt-daily.service", "load": "loaded", "active": "inactive", "sub": "dead",
      "description": "Daily apt download activities"},
    {"name": "cron.service", "load": "loaded", "active": "active", "sub": "running",
      "description": "Regular background program processing daemon"},
    {"name": "fstrim.timer", "load": "loaded", "active": "active", "sub": "waiting",
      "description": "Discard unused blocks once a week"},
    {"name": "networking.service", "load": "loaded", "active": "active", "sub": "exited",
      "description": "Network initialization"},
    {"name": "plymouth-quit.service", "load": "not-found", "active": "inactive", "sub": "dead",
      "description": "plymouth-quit.service"},
    {"name": "smartd.service", "load": "masked", "active": "inactive", "sub": "dead",
      "description": "smartd.service"}],
  "unitFiles": [
    {"name": "cron.service", "state": "enabled", "preset": "enabled"},
    {"name": "fancontrol.service", "state": "enabled", "preset": "enabled"},
    {"name": "fstrim.timer", "state": "enabled", "preset": "enabled"},
    {"name": "networking.service", "state": "enabled", "preset": "enabled"},
    {"name": "smartd.service", "state": "masked-runtime", "preset": "enabled"},
    {"name": "x11-common.service", "state": "masked", "preset": "enabled"}]
})";

constexpr const char* schedules_text = R"({
  "timers": [{"name": "fstrim.timer", "activates": "fstrim.service", "next": "1796083200000",
    "last": "1795478400000"}]
})";

struct Machine {
  Machine() {
    draft->setHost("z640");
    draft->setMachineId("0123456789abcdef0123456789abcdef");
    draft->setPackages(packages.reader());
    draft->setServices(services.reader());
    draft->setSchedules(schedules.reader());
  }
  Message<schema::World> finish() { return std::move(draft).finish(); }

  Message<schema::AuditPackages::Facts> packages =
      must(Message<schema::AuditPackages::Facts>::from_json(packages_text));
  Message<schema::AuditServices::Facts> services =
      must(Message<schema::AuditServices::Facts>::from_json(services_text));
  Message<schema::AuditSchedules::Facts> schedules =
      must(Message<schema::AuditSchedules::Facts>::from_json(schedules_text));
  Draft<schema::World> draft;
};

}  // namespace

TEST_CASE("debian: the audit of packages finds what the world says", "[sim][debian]") {
  Machine machine;
  const auto world = machine.finish();
  SimHost host;
  host.strict({});
  const Debian debian(host, world.reader());
  const auto params = must(Message<schema::AuditPackages>::from_json("{}"));

  const auto found = must(packages::AuditPackages::observe(params.reader(), host));

  CHECK(found.to_json() == machine.packages.to_json());
  CHECK(host.unknown().empty());
}

TEST_CASE("debian: the audits of units and timers find what the world says", "[sim][debian]") {
  Machine machine;
  const auto world = machine.finish();
  SimHost host;
  host.strict({});
  host.at(instant_of(1796000000000));
  const Debian debian(host, world.reader());
  Gaps gaps;
  Draft<schema::AuditServices::Facts> services;
  Draft<schema::AuditSchedules::Facts> schedules;

  services->setInit(services::init_name(host, gaps));
  services::observe_units(host, *services, gaps);
  schedules::observe_timers(host, *schedules, gaps);

  CHECK_FALSE(gaps.has_problems());
  CHECK(std::move(services).finish().to_json() == machine.services.to_json());
  CHECK(std::move(schedules).finish().to_json() == machine.schedules.to_json());
}

TEST_CASE("debian: the machine of a world can have packages that it did not have",
          "[sim][debian]") {
  Machine machine;
  const auto world = machine.finish();
  SimHost host;
  Debian debian(host, world.reader());

  must_carry_out(host, R"({"packages": {"packages": [{"name": "docker-ce"}]}})");

  CHECK(debian.units().is_active("docker.service"));
  CHECK(must(host.read_file("/var/lib/dpkg/status")).find("Package: docker-ce\n") !=
        std::string::npos);
}

TEST_CASE("debian: a source for those who pay is refused to others", "[sim][debian]") {
  SimHost host;
  Debian debian(host, Debian::container("bookworm", "pbs"));
  host.file("/etc/apt/sources.list.d/pbs-enterprise.list",
            "deb https://enterprise.proxmox.com/debian/pbs bookworm pbs-enterprise\n");

  const auto work =
      carry_out(host, R"({"packages": {"packages": [{"name": "curl"}], "refresh": true}})");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("401  Unauthorized") != std::string::npos);
}

}  // namespace relab::agent::sim
