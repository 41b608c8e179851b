#pragma once

/// tar over the files of a simulated machine: its archives are true ones.

#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

class Tar {
 public:
  explicit Tar(SimHost& host);

 private:
  /// The arguments, parted.
  struct Call {
    bool creates = false;
    bool extracts = false;
    bool keeps_old = false;
    /// "-": a stream.
    std::string file = "-";
    std::string root = "/";
    std::vector<std::string> excluded = {};
    std::vector<std::string> transforms = {};
    std::vector<std::string> names = {};
  };
  class Writer;

  static bool read_call(const std::vector<std::string>& argv, Call& call);
  Result<Output> run(const Command& command);
  Output create(const Call& call);
  Output extract(const Call& call, const std::string& archive);

  SimHost& host_;
};

}  // namespace relab::agent::sim
