#pragma once

/// The scripts that relab runs in containers, done by a simulated system.

#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

class Scripts {
 public:
  explicit Scripts(SimHost& host) : host_(host) {}

  /// `sh -c SCRIPT NAME ARGUMENTS`. A script is known by its exact text; of another one nothing is
  /// known.
  Result<Output> run(const Command& command);

 private:
  using Words = std::vector<std::string>;

  Result<Output> look_at_files(const Words& given);
  Result<Output> look_at_agent(const Words& given);
  Output make_folder();
  Result<Output> install(const Words& given);
  Result<Output> unpack(const Words& given);
  Result<Output> remove(const Words& given);
  Result<Output> plant(const Words& given);
  Result<Output> start();

  SimHost& host_;
  unsigned folders_ = 0;
};

}  // namespace relab::agent::sim
