// dpkg and its kin.

#include "agent/host/sim/debian/packages.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "agent/host/sim/debian/deb_file.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr auto status_file = "/var/lib/dpkg/status";

/// "install ok half-configured" is "iF ".
std::string abbreviation(std::string_view status) {
  static constexpr std::array<std::pair<std::string_view, char>, 8> states = {
      {{"not-installed", 'n'},
       {"config-files", 'c'},
       {"half-installed", 'H'},
       {"unpacked", 'U'},
       {"half-configured", 'F'},
       {"triggers-awaited", 'W'},
       {"triggers-pending", 't'},
       {"installed", 'i'}}};
  const auto parts = words(status);
  if (parts.size() != 3) return "un ";
  const auto want = parts[0] == "deinstall" ? 'r' : parts[0][0];
  const auto state = std::ranges::find(states, parts[2], &std::pair<std::string_view, char>::first);
  return {want, state == states.end() ? '?' : state->second, parts[1] == "ok" ? ' ' : 'R'};
}

/// Its unit keeps its service from files that are none of its business.
bool is_hardened(std::string_view package) {
  static constexpr std::array<std::string_view, 5> names = {"prometheus", "prometheus-alertmanager",
                                                            "vault", "grafana", "caddy"};
  return std::ranges::find(names, package) != names.end();
}

/// Without the architecture that tells it from another of its name.
std::string bare(const std::string& name) { return name.substr(0, name.find(':')); }

/// The pattern has stars at most.
bool fits(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (auto at = star; at <= name.size(); ++at)
    if (fits(pattern.substr(star + 1), name.substr(at))) return true;
  return false;
}

std::optional<std::string> field(std::string_view wanted, const std::string& name,
                                 const SimPackage& package) {
  if (wanted == "Package") return bare(name);
  if (wanted == "binary:Package") return name;
  if (wanted == "Version") return package.version;
  if (wanted == "Architecture") return package.architecture;
  if (wanted == "Status") return package.status;
  if (wanted == "db:Status-Abbrev") return abbreviation(package.status);
  if (wanted == "db:Status-Status") return std::string(words(package.status).back());
  return {};
}

/// What dpkg-query prints by a format; nothing if there is a field that is not simulated.
std::optional<std::string> by_format(std::string_view format, const std::string& name,
                                     const SimPackage& package) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format.substr(i).starts_with("${")) {
      const auto end = format.find('}', i);
      const auto value = field(format.substr(i + 2, end - i - 2), name, package);
      if (!value) return {};
      out += *value;
      i = end;
    } else if (format[i] == '\\' && i + 1 < format.size()) {
      ++i;
      out += format[i] == 'n' ? '\n' : format[i] == 't' ? '\t' : format[i];
    } else {
      out += format[i];
    }
  }
  return out;
}

}  // namespace

Packages::Packages(System system) : system_(std::move(system)) {
  const auto program = [this](const std::string& name,
                              Result<Output> (Packages::*run)(const Command&)) {
    system_.host.program(name,
                         [this, run](const Command& command) { return (this->*run)(command); });
  };
  program("dpkg", &Packages::dpkg);
  program("dpkg-query", &Packages::dpkg_query);
  program("dpkg-deb", &Packages::dpkg_deb);
  program("apt-get", &Packages::apt_get);
  program("apt-cache", &Packages::apt_cache);
  program("apt-mark", &Packages::apt_mark);
  for (const auto* folder : {"/etc/apt/sources.list.d", "/etc/apt/preferences.d",
                             "/etc/apt/keyrings", "/var/lib/dpkg/updates", "/var/cache/apt"})
    system_.host.directory(folder);
}

void Packages::add(const std::string& name, SimPackage package) {
  packages_.insert_or_assign(name, std::move(package));
  write_status();
}

void Packages::add(const std::map<std::string, SimPackage>& packages) {
  for (const auto& [name, package] : packages) packages_.insert_or_assign(name, package);
  write_status();
}

const SimPackage* Packages::find(const std::string& name) const {
  const auto found = packages_.find(name);
  return found == packages_.end() ? nullptr : &found->second;
}

bool Packages::is_installed(const std::string& name) const {
  const auto* package = find(name);
  return package != nullptr && package->status.ends_with(" installed");
}

void Packages::write_status() {
  std::string text;
  for (const auto& [name, package] : packages_)
    text += fmt::format("Package: {}\nStatus: {}\nArchitecture: {}\nVersion: {}\n\n", bare(name),
                        package.status, package.architecture, package.version);
  system_.host.file(status_file, std::move(text), {.mode = 0644, .modified = system_.host.now()});
}

std::string Packages::locked(Millis patience) {
  auto& host = system_.host;
  if (host.now() >= locked_until_) return {};
  const auto left = locked_until_ - host.now();
  host.spend(std::min(left, patience));
  if (host.now() >= locked_until_) return {};
  return "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 "
         "(unattended-upgr)\nE: Unable to acquire the dpkg frontend lock "
         "(/var/lib/dpkg/lock-frontend), is another process using it?\n";
}

std::vector<std::string> Packages::unconfigured() const {
  std::vector<std::string> names;
  for (const auto& [name, package] : packages_)
    if (package.status.ends_with(" unpacked") || package.status.ends_with(" half-configured"))
      names.push_back(name);
  return names;
}

bool Packages::configure(const std::string& name, Output& output) {
  auto& package = packages_.at(name);
  output.out += fmt::format("Setting up {} ({}) ...\n", name, package.version);
  system_.host.spend(Millis(200));
  if (const auto failing = failing_.find(name); failing != failing_.end()) {
    package.status = "install ok half-configured";
    output.out += failing->second.empty() ? std::string() : failing->second + "\n";
    output.err += fmt::format(
        "dpkg: error processing package {0} (--configure):\n installed {0} package "
        "post-installation script subprocess returned error exit status 1\n",
        name);
    write_status();
    return false;
  }
  package.status = fmt::format("{} ok installed", words(package.status).front());
  write_status();
  if (const auto brought = brought_.extract(name); !brought.empty()) bring(brought.mapped());
  if (const auto hooks = hooks_.find(name); hooks != hooks_.end())
    for (const auto& hook : hooks->second) hook();
  return true;
}

Output Packages::configure_all() {
  Output output;
  Words failed;
  for (const auto& name : unconfigured())
    if (!configure(name, output)) failed.push_back(name);
  if (failed.empty()) return output;
  output.status = 1;
  output.err +=
      fmt::format("Errors were encountered while processing:\n {}\n", fmt::join(failed, "\n "));
  return output;
}

void Packages::bring(const Available& package) {
  auto& host = system_.host;
  for (const auto& user : package.users) static_cast<void>(system_.users.number_of(user));
  for (const auto& path : package.files) {
    if (host.status(path.ends_with('/') ? path.substr(0, path.size() - 1) : path)) continue;
    const bool is_program = path.starts_with("/usr/");
    if (path.ends_with('/'))
      host.directory(path.substr(0, path.size() - 1), {.mode = 0755, .modified = host.now()});
    else
      host.file(path, is_program ? "" : "# as " + package.name + " brings it\n",
                {.mode = is_program ? 0755U : 0644U, .modified = host.now()});
  }
  for (const auto& unit : package.brings) bring_unit(unit, package, false);
  for (const auto& unit : package.starts) bring_unit(unit, package, true);
  if (package.name != "proxmox-backup-server") return;
  // Its source for those who pay for it is on, and apt fails with it where nobody does.
  const auto* name = system_.suite == "bookworm" ? "pbs-enterprise.list" : "pbs-enterprise.sources";
  const auto path = Path("/etc/apt/sources.list.d") / name;
  if (host.status(path)) return;
  host.file(path,
            system_.suite == "bookworm"
                ? "deb https://enterprise.proxmox.com/debian/pbs bookworm pbs-enterprise\n"
                : fmt::format("Types: deb\nURIs: https://enterprise.proxmox.com/debian/pbs\n"
                              "Suites: {}\nComponents: pbs-enterprise\nSigned-By: "
                              "/usr/share/keyrings/proxmox-archive-keyring.gpg\n",
                              system_.suite),
            {.mode = 0644, .modified = host.now()});
}

void Packages::bring_unit(const std::string& unit, const Available& package, bool started) {
  if (unit == tunnel_unit) return system_.units.install(unit, tunnel_unit_text, started);
  const auto program = std::ranges::find_if(
      package.files, [](const std::string& path) { return path.starts_with("/usr/"); });
  auto text = fmt::format("[Unit]\nDescription={}\n", package.name);
  if (unit == "nftables.service")
    text +=
        "\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/sbin/nft -f "
        "/etc/nftables.conf\n";
  else if (unit.ends_with(".service"))
    text += fmt::format("\n[Service]\nExecStart={}\nRestart=on-failure\n{}",
                        program == package.files.end() ? "/usr/sbin/" + package.name : *program,
                        is_hardened(package.name) ? "ProtectSystem=full\n" : "");
  else if (unit.ends_with(".timer"))
    text += "\n[Timer]\nOnCalendar=daily\n";
  text +=
      fmt::format("\n[Install]\nWantedBy={}\n", unit.ends_with(".timer")    ? "timers.target"
                                                : unit.ends_with(".socket") ? "sockets.target"
                                                                            : "multi-user.target");
  system_.units.install(unit, text, started);
}

Result<Output> Packages::dpkg(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() == 2 && argv[1] == "--print-architecture")
    return Output{.out = system_.architecture + "\n"};
  Words rest;
  for (std::size_t i = 1; i < argv.size(); ++i)
    if (!argv[i].starts_with("--force-")) rest.push_back(argv[i]);
  const bool removes = rest.size() > 2 && rest[0] == "--remove" && rest[1] == "--";
  if (!removes && rest != Words{"--configure", "-a"}) return system_.host.does_not_know(command);
  if (!locked(Millis(0)).empty())
    return Output{.status = 2,
                  .err =
                      "dpkg: error: dpkg frontend lock was locked by another process with pid "
                      "4711\nNote: removing the lock file is always wrong, and can end up "
                      "breaking the locked area\nand the entire system. See "
                      "<https://wiki.debian.org/Teams/Dpkg/FAQ#db-lock>.\n"};
  if (removes) return remove({rest.begin() + 2, rest.end()});
  return configure_all();
}

Output Packages::remove(const Words& names) {
  Output output;
  for (const auto& name : names) {
    const auto found = packages_.find(name);
    if (found == packages_.end()) {
      output.err +=
          fmt::format("dpkg: warning: ignoring request to remove {} which isn't installed\n", name);
      continue;
    }
    output.out += fmt::format("Removing {} ({}) ...\n", name, found->second.version);
    // Dpkg forgets what has no configuration that could stay.
    packages_.erase(found);
  }
  write_status();
  return output;
}

Result<Output> Packages::dpkg_query(const Command& command) {
  std::string format = "${binary:Package}\\t${Version}\\n";
  Words patterns;
  bool shows = false;
  for (std::size_t i = 1; i < command.argv.size(); ++i) {
    const auto& word = command.argv[i];
    constexpr std::string_view long_form = "--showformat=";
    if (word == "--show" || word == "-W") {
      shows = true;
    } else if (word.starts_with(long_form)) {
      format = word.substr(long_form.size());
    } else if (word == "-f" && i + 1 < command.argv.size()) {
      format = command.argv[++i];
    } else if (word.starts_with('-') && word != "--") {
      return system_.host.does_not_know(command);
    } else if (word != "--") {
      patterns.push_back(word);
    }
  }
  if (!shows) return system_.host.does_not_know(command);
  Output output;
  if (patterns.empty()) patterns.emplace_back("*");
  for (const auto& pattern : patterns) {
    bool found = false;
    for (const auto& [name, package] : packages_) {
      if (!fits(pattern, name)) continue;
      const auto line = by_format(format, name, package);
      if (!line) return system_.host.does_not_know(command);
      output.out += *line;
      found = true;
    }
    if (found) continue;
    output.status = 1;
    output.err += fmt::format("dpkg-query: no packages found matching {}\n", pattern);
  }
  return output;
}

Result<Output> Packages::dpkg_deb(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() < 3 || (argv[1] != "--field" && argv[1] != "-f"))
    return system_.host.does_not_know(command);
  constexpr std::size_t size_max = std::size_t{1} << 30U;
  const auto deb = system_.host.read_file(argv[2], size_max);
  if (!deb)
    return Output{.status = 2,
                  .err = fmt::format("dpkg-deb: error: failed to read archive '{}': No such file "
                                     "or directory\n",
                                     argv[2])};
  const auto control = control_of(*deb);
  if (!control)
    return Output{
        .status = 2,
        .err = fmt::format("dpkg-deb: error: '{}' is not a Debian format archive\n", argv[2])};
  if (argv.size() == 3) return Output{.out = *control};
  Output output;
  for (std::size_t i = 3; i < argv.size(); ++i)
    if (const auto value = field_of(*control, argv[i]); !value.empty())
      output.out += argv.size() == 4 ? value + "\n" : fmt::format("{}: {}\n", argv[i], value);
  return output;
}

}  // namespace relab::agent::sim
