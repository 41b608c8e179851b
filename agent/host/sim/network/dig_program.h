#pragma once

/// `dig` of a machine of a simulated lab, and what its name servers answer.

#include <string>
#include <vector>

#include "agent/host/sim/network/reachability.h"

namespace relab::agent::sim {

struct NameAnswer {
  /// "NOERROR", "NXDOMAIN".
  std::string status = "NOERROR";
  std::vector<NameRecord> records = {};
};

/// What a name server with these records says; names that are said to stand for others are
/// followed.
NameAnswer answer_of(const std::vector<NameRecord>& names, const std::string& name,
                     const std::string& type);

/// It knows the one line of arguments that the probe has. Lab and host must live as long.
SimHost::Program dig_program(SimHost& host, const Reachability& lab, const std::string& name);

}  // namespace relab::agent::sim
