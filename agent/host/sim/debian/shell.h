#pragma once

/// What runs other programs: env, and a shell that knows the scripts of the task kinds.

#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// A script that it does not know is an error: it is no shell.
class Shell {
 public:
  explicit Shell(SimHost& host);

 private:
  using Words = std::vector<std::string>;

  Result<Output> env(const Command& command);
  Result<Output> run_script(const Command& command);
  Result<Output> look(const Words& arguments);
  Result<Output> look_at_agent(const Words& arguments);
  Result<Output> make_folder();
  Result<Output> install(const Words& arguments);
  Result<Output> one_by_one(const std::vector<Words>& commands);

  SimHost& host_;
  unsigned folders_ = 0;
};

}  // namespace relab::agent::sim
