#include "agent/host/sim/debian/debian.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>

#include "agent/host/no_program.h"
#include "agent/host/sim/debian/openpgp.h"
#include "agent/host/sim/debian/world_system.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

struct Suite {
  std::string_view name;
  std::string_view version;
  std::string_view point;
};
constexpr std::array<Suite, 2> suites = {{{"bookworm", "12", "12.12"}, {"trixie", "13", "13.2"}}};

const Suite& suite_of(const std::string& name) {
  return name == suites[1].name ? suites[1] : suites[0];
}

void write_identity(SimHost& host, const DebianStart& start) {
  const auto& suite = suite_of(start.suite);
  host.file("/etc/os-release",
            fmt::format("PRETTY_NAME=\"Debian GNU/Linux {0} ({1})\"\nNAME=\"Debian GNU/Linux\"\n"
                        "VERSION_ID=\"{0}\"\nVERSION=\"{0} ({1})\"\nVERSION_CODENAME={1}\n"
                        "ID=debian\nHOME_URL=\"https://www.debian.org/\"\n",
                        suite.version, suite.name));
  host.file("/etc/debian_version", fmt::format("{}\n", suite.point));
  host.file("/etc/hostname", start.hostname + "\n");
  host.file("/proc/sys/kernel/hostname", start.hostname + "\n");
  host.file("/etc/hosts",
            fmt::format("127.0.0.1 localhost\n127.0.1.1 {}\n::1 localhost ip6-localhost\n",
                        start.hostname));
  host.file("/proc/1/comm", start.init + "\n");
  for (const auto* folder : {"/root",
                             "/tmp",
                             "/run",
                             "/home",
                             "/srv",
                             "/opt",
                             "/mnt",
                             "/media",
                             "/usr/local/bin",
                             "/usr/bin",
                             "/usr/sbin",
                             "/var/lib",
                             "/var/log",
                             "/var/cache",
                             "/var/spool/cron",
                             "/dev",
                             "/etc/default",
                             "/etc/modprobe.d",
                             "/etc/sysctl.d",
                             "/etc/security",
                             "/etc/systemd/system",
                             "/etc/profile.d",
                             "/etc/logrotate.d",
                             "/etc/ssl/certs"})
    host.directory(folder);
  host.link("/var/run", "/run");
  host.directory("/root", {.mode = 0700});
  host.directory("/tmp", {.mode = 01777});
}

void write_container_files(SimHost& host, const DebianStart& start) {
  const auto sources = fmt::format(
      "deb http://deb.debian.org/debian {0} main contrib\n\n"
      "deb http://deb.debian.org/debian {0}-updates main contrib\n\n"
      "deb http://security.debian.org/debian-security {0}-security main contrib\n",
      start.suite);
  host.file("/etc/apt/sources.list", sources);
  host.directory(apt_lists);
  host.file("/etc/machine-id", fmt::format("{:032x}\n", std::hash<std::string>()(start.hostname)));
  // Of the machine's kernel; whoever knows the machine says it better.
  const auto unless_there = [&](const char* path, std::string text) {
    if (!host.status(path)) host.file(path, std::move(text));
  };
  unless_there("/proc/sys/kernel/arch", start.architecture == "arm64" ? "aarch64\n" : "x86_64\n");
  unless_there("/proc/sys/kernel/osrelease", "6.8.12-15-pve\n");
  unless_there("/proc/uptime", "60.00 60.00\n");
  unless_there("/proc/cpuinfo", "processor\t: 0\nmodel name\t: of the simulation\n");
  unless_there("/proc/meminfo", "MemTotal:       2097152 kB\n");
  host.file("/proc/self/status", "Name:\tsystemd\nUid:\t0\t0\t0\t0\n");
  host.file("/etc/crontab", "SHELL=/bin/sh\n");
}

/// The rest of it is a command, which has its input.
Result<Output> env(SimHost& host, const Command& command) {
  const auto program =
      std::find_if(command.argv.begin() + 1, command.argv.end(),
                   [](const std::string& word) { return word.find('=') == std::string::npos; });
  if (program == command.argv.end() || program->starts_with('-'))
    return host.does_not_know(command);
  auto inner = command;
  inner.argv.assign(program, command.argv.end());
  // The secret's value is the input already.
  inner.secret_input.clear();
  auto output = host.run(inner);
  if (output || output.error().fault != Fault::missing) return output;
  return Output{.status = 127,
                .err = fmt::format("env: ‘{}’: No such file or directory\n", *program)};
}

Result<Output> gpg(SimHost& host, const Command& command) {
  static const std::vector<std::string> known = {
      "gpg",          "--batch",       "--no-options", "--homedir",     "/etc/apt",
      "--no-keyring", "--trust-model", "always",       "--with-colons", "--show-keys"};
  if (command.argv != known) return host.does_not_know(command);
  const auto keys = read_keys(command.input);
  if (keys.empty()) return Output{.status = 2, .err = "gpg: no valid OpenPGP data found.\n"};
  return Output{.out = with_colons(keys)};
}

}  // namespace

Debian::Debian(SimHost& host, const DebianStart& start)
    : host_(host),
      files_(host),
      tar_(host),
      users_(host),
      units_(host),
      packages_({.host = host,
                 .units = units_,
                 .users = users_,
                 .suite = start.suite,
                 .architecture = start.architecture}) {
  write_identity(host, start);
  for (const auto& user : start.users) users_.add(user);
  packages_.add(start.packages);
  for (const auto& [name, file] : start.unit_files) units_.add_file(name, file);
  for (const auto& [name, unit] : start.units) units_.add(name, unit);
  for (const auto& [name, timer] : start.timers) units_.add_timer(name, timer);
  if (start.is_container) write_container_files(host, start);
  // A container's own systemd asks nothing of what the machine has.
  if (start.init != "systemd") host.remove("/run/systemd/system");
  host.program("env", [this](const Command& command) { return env(host_, command); });
  host.program("gpg", [this](const Command& command) -> Result<Output> {
    // apt needs gpgv alone: a plain system has no gpg.
    if (!packages_.is_installed("gpg") && !packages_.is_installed("gnupg"))
      return fail(no_program("gpg"));
    return gpg(host_, command);
  });
  host.program("pveversion", [](const Command&) -> Result<Output> {
    return fail(Fault::missing, "no pveversion on this machine");
  });
}

Debian::Debian(SimHost& host, World world) : Debian(host, start_of(world)) {
  write_system(host, world);
  write_hardware(host, world);
  write_sources(host, world);
  const auto facts = world.getPackages();
  packages_.have_lists(facts.getIndexes());
  host.directory(apt_lists, {.mode = 0755, .modified = instant_of(facts.getLastUpdate())});
  if (facts.getProxmox().getVirtualEnvironment().size() == 0) return;
  host.program("pveversion",
               Output{.out = fmt::format("pve-manager/{}/{} (running kernel: {})\n",
                                         view(facts.getProxmox().getVirtualEnvironment()),
                                         view(facts.getProxmox().getRepositoryId()),
                                         view(facts.getSystem().getKernel()))});
}

DebianStart Debian::container(const std::string& suite, const std::string& hostname) {
  DebianStart start{.suite = suite, .hostname = hostname, .is_container = true};
  for (const auto& package : base_system(suite)) {
    start.packages[package.name] = {.version = package.version};
    for (const auto& unit : package.starts) {
      start.unit_files[unit] = {.state = "enabled"};
      start.units[unit] = {
          .active = "active",
          .sub = unit == "networking.service" || unit == "postfix.service" ? "exited" : "running",
          .description = package.name};
    }
  }
  for (const auto* unit : {"systemd-journald.service", "systemd-logind.service", "dbus.socket",
                           "console-getty.service", "container-getty@1.service"})
    start.units[unit] = {
        .active = "active",
        .sub = std::string_view(unit).ends_with(".socket") ? "listening" : "running",
        .description = unit};
  for (const auto* target : {"multi-user.target", "network.target", "timers.target",
                             "network-online.target", "default.target"})
    start.units[target] = {.active = "active", .sub = "active", .description = target};
  for (const auto* name : {"apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "logrotate",
                           "systemd-tmpfiles-clean"}) {
    const auto timer = fmt::format("{}.timer", name);
    start.timers[timer] = {.activates = fmt::format("{}.service", name)};
    start.units[timer] = {.active = "active", .sub = "waiting", .description = timer};
    start.unit_files[timer] = {.state = "enabled"};
    start.unit_files[fmt::format("{}.service", name)] = {.state = "static", .preset = ""};
  }
  return start;
}

}  // namespace relab::agent::sim
