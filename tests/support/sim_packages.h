#pragma once

/// The packages of a simulated machine: dpkg's list, what apt could have, and the programs over
/// both.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent {

class SimPackages {
 public:
  struct Installed {
    std::string version;
    std::string status = "ii ";
    std::string architecture = "amd64";
    bool operator==(const Installed&) const = default;
  };
  struct Available {
    std::string version;
    /// What comes with it.
    std::vector<std::string> needs = {};
    /// What has to go for it.
    std::vector<std::string> removes = {};
  };

  std::map<std::string, Installed> installed = {{"bash", {.version = "5.2-1"}}};
  std::map<std::string, Available> available = {
      {"jellyfin", {.version = "10.10.7", .needs = {"libfoo"}}}, {"libfoo", {.version = "1.2"}}};
  /// What lies in .deb files: path, and the package.
  std::map<std::string, std::string> files;
  /// Whoever holds the lock has it for so many more attempts.
  int locked = 0;
  /// apt-get does nothing, and ends with 0 all the same.
  bool lies = false;
  /// dpkg --configure -a cannot do it.
  bool stuck = false;
  /// What `apt-get update` says beside its usual words; it ends with 0.
  std::string update_words;
  /// Whether apt has lists of sources that are added.
  bool listed = false;
  /// Of the key that gpg is shown.
  std::string fingerprint = "4918AABC486CA052358D778D49023CD01DE21A7B";
  /// Every apt-get and dpkg that changed something, or tried to.
  std::vector<std::string> done;

  void install(SimHost& host) {
    host.program("dpkg-query", [this](const Command&) { return Result<Output>(query()); });
    host.program("dpkg", [this](const Command& command) {
      if (command.argv[1] == "--print-architecture")
        return Result<Output>(Output{.out = "amd64\n"});
      return Result<Output>(configure(command.argv));
    });
    host.program("dpkg-deb",
                 [this](const Command& command) { return Result<Output>(field(command.argv[2])); });
    host.program("apt-get",
                 [this](const Command& command) { return Result<Output>(apt(command.argv)); });
    host.program("gpg", [this](const Command& command) {
      if (command.input.find("BEGIN PGP") == std::string::npos)
        return Result<Output>(Output{.status = 2, .err = "gpg: no valid OpenPGP data found.\n"});
      return Result<Output>(Output{.out = "pub:-:255:22:X:1:2::-:::scSC:\nfpr:::::::::" +
                                          fingerprint + ":\nuid:-::::1::X::Somebody:\n"});
    });
    host.program("env", [&host](const Command& command) {
      const auto program =
          std::find_if(command.argv.begin() + 1, command.argv.end(),
                       [](auto& word) { return word.find('=') == std::string::npos; });
      return host.run({.argv = {program, command.argv.end()}});
    });
  }

 private:
  using Argv = std::vector<std::string>;

  static bool has(const Argv& argv, std::string_view word) {
    return std::ranges::find(argv, word) != argv.end();
  }

  Output query() const {
    Output output;
    for (const auto& [name, package] : installed)
      output.out += fmt::format("{}\t{}\t{}\t{}\n", package.status, name, package.version,
                                package.architecture);
    return output;
  }

  Output configure(const Argv& argv) {
    done.push_back(fmt::format("{}", fmt::join(argv, " ")));
    if (locked > 0) {
      --locked;
      return {.status = 2,
              .err = "dpkg: error: dpkg frontend lock was locked by another process with pid 7\n"};
    }
    if (stuck) return {.status = 1, .err = "dpkg: error processing package libbad (--configure)\n"};
    for (auto& [name, package] : installed)
      if (package.status[1] == 'U' || package.status[1] == 'F') package.status = "ii ";
    return {};
  }

  Output field(const std::string& path) const {
    const auto file = files.find(path);
    if (file == files.end()) return {.status = 2, .err = "dpkg-deb: error: cannot be read\n"};
    return {.out = fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\n", file->second,
                               available.at(file->second).version)};
  }

  Output apt(const Argv& argv) {
    if (has(argv, "indextargets")) return {.out = listed ? "Packages\n" : ""};
    if (has(argv, "update")) return update();
    const auto items = Argv(std::find(argv.begin(), argv.end(), "--") + 1, argv.end());
    const bool simulates = has(argv, "--simulate");
    if (!simulates) done.push_back(fmt::format("{}", fmt::join(argv, " ")));
    if (!simulates && locked > 0)
      return {.status = 100, .err = "E: Could not get lock /var/lib/dpkg/lock-frontend.\n"};
    Output output{.out = "Reading package lists...\n"};
    for (const auto& item : items)
      if (!add(item, simulates, output)) return output;
    return output;
  }

  Output update() {
    if (locked > 0) {
      --locked;
      return {.status = 100, .err = "E: Could not get lock /var/lib/apt/lists/lock.\n"};
    }
    listed = listed || update_words.empty();
    return {.out = "Hit:1 http://deb.debian.org/debian bookworm InRelease\n" + update_words};
  }

  bool add(const std::string& item, bool simulates, Output& output) {
    const auto equals = item.find('=');
    const auto file = files.find(item);
    const auto name = file != files.end() ? file->second : item.substr(0, equals);
    const auto found = available.find(name);
    if (found == available.end()) {
      output = {.status = 100, .err = "E: Unable to locate package " + name + "\n"};
      return false;
    }
    if (equals != std::string::npos && item.substr(equals + 1) != found->second.version) {
      output = {
          .status = 100,
          .err = "E: Version '" + item.substr(equals + 1) + "' for '" + name + "' was not found\n"};
      return false;
    }
    for (const auto& gone : found->second.removes)
      if (installed.contains(gone)) {
        output.out += fmt::format("Remv {} [{}]\n", gone, installed.at(gone).version);
        if (!simulates && !lies) installed.erase(gone);
      }
    auto all = found->second.needs;
    all.push_back(name);
    for (const auto& each : all) {
      output.out +=
          fmt::format("Inst {} ({} Debian:12 [amd64])\n", each, available.at(each).version);
      if (!simulates && !lies) installed[each] = {.version = available.at(each).version};
    }
    return true;
  }
};

}  // namespace relab::agent
