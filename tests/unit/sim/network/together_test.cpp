// The parts of this folder on a simulated Debian, whose units and timers the same audits tell.

#include "agent/host/sim/debian/debian.h"
#include "agent/host/sim/network/schedules.h"
#include "agent/host/sim/network/services.h"
#include "agent/kinds/schedules/audit.h"
#include "agent/kinds/services/audit.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

namespace {

/// As the audits would tell it, in their order.
constexpr auto world_json = R"({"host": "pve", "began": "1795900000000",

  "services": {
    "coverage": {"absent": "", "problems": [],
                 "parts": [{"part": "Docker", "why": "no docker on this machine"}]},
    "containers": [], "ports": [], "mounts": [], "composeProjects": [],
    "init": "systemd",
    "units": [
      {"name": "zfs-mount.service", "load": "loaded", "active": "failed", "sub": "failed", "description": "Mount"},
      {"name": "pveproxy.service", "load": "loaded", "active": "active", "sub": "running", "description": "PVE API Proxy Server"},
      {"name": "ssh.service", "load": "loaded", "active": "active", "sub": "running", "description": "OpenBSD Secure Shell server"}],
    "unitFiles": [{"name": "pveproxy.service", "state": "enabled", "preset": "enabled"},
                  {"name": "ssh.service", "state": "enabled", "preset": "enabled"}],
    "sockets": [
      {"protocol": "tcp", "address": "0.0.0.0", "port": 22, "pid": 700, "process": "sshd", "user": "root", "cgroup": "/system.slice/ssh.service"},
      {"protocol": "tcp6", "address": "::", "port": 8006, "pid": 701, "process": "pveproxy worker", "user": "www-data", "cgroup": "/system.slice/pveproxy.service"},
      {"protocol": "udp", "address": "127.0.0.1", "port": 323, "pid": 702, "process": "chronyd", "user": "_chrony", "cgroup": "/system.slice/chrony.service"}]},
  "schedules": {
    "cronJobs": [], "cronVariables": [], "crontabs": [], "scripts": [],
    "coverage": {"absent": "", "problems": [], "parts": [
      {"part": "cron", "why": "no cron on this machine: what crontabs there are does not run"},
      {"part": "/etc/crontab", "why": "there is no /etc/crontab"},
      {"part": "/etc/cron.d", "why": "there is no /etc/cron.d"},
      {"part": "/var/spool/cron/crontabs", "why": "there is no /var/spool/cron/crontabs"},
      {"part": "/etc/cron.hourly", "why": "there is no /etc/cron.hourly"},
      {"part": "/etc/cron.daily", "why": "there is no /etc/cron.daily"},
      {"part": "/etc/cron.weekly", "why": "there is no /etc/cron.weekly"},
      {"part": "/etc/cron.monthly", "why": "there is no /etc/cron.monthly"},
      {"part": "/etc/cron.yearly", "why": "there is no /etc/cron.yearly"},
      {"part": "anacron", "why": "there is no /etc/anacrontab"},
      {"part": "at jobs", "why": "there is no /var/spool/cron/atjobs"},
      {"part": "Proxmox backup jobs", "why": "no Proxmox VE on this machine"}]},
    "timers": [{"name": "fstrim.timer", "activates": "fstrim.service", "next": "1795950000000", "last": "1795800000000"}]}})";

struct Machine {
  Machine()
      : world(must(Message<schema::World>::from_json(world_json))),
        debian(begin(host, world.reader()), world.reader()),
        services(host, world.reader()),
        schedules(host, world.reader()) {}
  static SimHost& begin(SimHost& host, World world) {
    host.at(Instant(Millis(static_cast<std::int64_t>(world.getBegan()))));
    host.strict({});
    return host;
  }

  Message<schema::World> world;
  SimHost host;
  Debian debian;
  Services services;
  Schedules schedules;
};

template <typename Facts>
std::string text_of(typename Facts::Reader facts) {
  return std::move(Draft<Facts>(facts)).finish().to_json();
}

}  // namespace

TEST_CASE("simulated services: units and sockets of one machine are told together",
          "[sim][services]") {
  Machine machine;
  const auto params = must(Message<schema::AuditServices>::from_json("{}"));

  const auto again = must(services::AuditServices::observe(params.reader(), machine.host));

  using Facts = schema::AuditServices::Facts;
  CHECK(text_of<Facts>(again.reader()) == text_of<Facts>(machine.world.reader().getServices()));
  CHECK(machine.host.unknown().empty());
}

TEST_CASE("simulated schedules: timers and crontabs of one machine are told together",
          "[sim][schedules]") {
  Machine machine;
  const auto params = must(Message<schema::AuditSchedules>::from_json("{}"));

  const auto again = must(schedules::AuditSchedules::observe(params.reader(), machine.host));

  using Facts = schema::AuditSchedules::Facts;
  CHECK(text_of<Facts>(again.reader()) == text_of<Facts>(machine.world.reader().getSchedules()));
}

TEST_CASE("simulated services: a unit that is stopped leaves its port", "[sim][services]") {
  Machine machine;
  auto& sockets = machine.services.sockets();
  for (const auto& unit : sockets.units())
    machine.debian.units().on(unit, [&sockets](const std::string& name, UnitAct act) {
      if (act == UnitAct::stop) sockets.stop(name);
      if (act == UnitAct::start) sockets.start(name);
      return std::string();
    });

  must(machine.host.run({.argv = {"systemctl", "stop", "ssh.service"}}));

  CHECK_FALSE(sockets.accepts("10.42.10.2", 22));
  must(machine.host.run({.argv = {"systemctl", "start", "ssh.service"}}));
  CHECK(sockets.accepts("10.42.10.2", 22));
}

}  // namespace relab::agent::sim
