#pragma once

/// /etc/passwd and /etc/group of a simulated machine.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

struct User {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home = "/nonexistent";
  std::string shell = "/usr/sbin/nologin";
};

class Users {
 public:
  /// With those that every Debian has.
  explicit Users(SimHost& host);

  /// Nothing if the name is there already.
  void add(const User& user);
  /// Of a user, who is made if there is none of this name, as a package's script would.
  std::uint32_t number_of(const std::string& name);

 private:
  SimHost& host_;
  std::vector<User> users_;
};

}  // namespace relab::agent::sim
