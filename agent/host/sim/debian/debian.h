#pragma once

/// A Debian system on a simulated machine, be it Proxmox's own or the inside of a container: its
/// packages, its units, and the small programs that every one has.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/sim/debian/file_tools.h"
#include "agent/host/sim/debian/packages.h"
#include "agent/host/sim/debian/tar.h"
#include "agent/host/sim/debian/units.h"
#include "agent/host/sim/debian/users.h"
#include "agent/host/sim/part.h"

namespace relab::agent::sim {

/// What a system is made of.
struct DebianStart {
  /// "bookworm" or "trixie".
  std::string suite = "bookworm";
  std::string architecture = "amd64";
  std::string hostname = "localhost";
  std::map<std::string, SimPackage> packages = {};
  std::map<std::string, UnitState> units = {};
  std::map<std::string, UnitFileState> unit_files = {};
  std::map<std::string, UnitTimer> timers = {};
  std::vector<User> users = {};
  /// Name of process 1; units are there only with "systemd".
  std::string init = "systemd";
  /// It has sources of its own then, and has never read their lists.
  bool is_container = false;
};

class Debian final : public Part {
 public:
  Debian(SimHost& host, const DebianStart& start);
  /// The machine itself, with all that an audit found of its packages, units, timers and hardware.
  Debian(SimHost& host, World world);

  /// What a container has that was just made from Proxmox's template of this suite.
  static DebianStart container(const std::string& suite, const std::string& hostname);

  Packages& packages() { return packages_; }
  Units& units() { return units_; }
  Users& users() { return users_; }
  /// The number of a user, who is there from now on.
  std::uint32_t user(const std::string& name) { return users_.number_of(name); }

 private:
  SimHost& host_;
  FileTools files_;
  Tar tar_;
  Users users_;
  Units units_;
  Packages packages_;
};

}  // namespace relab::agent::sim
