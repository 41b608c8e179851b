#pragma once

/// relab's own agent inside of a simulated container: its program, and what the host's agent has
/// made of it.

#include <string>
#include <vector>

#include "agent/host/sim/debian/debian.h"
#include "agent/host/sim/sim_host.h"
#include "common/crypto/identity.h"
#include "common/crypto/keys.h"

namespace relab::agent::sim {

class GuestAgent {
 public:
  /// Borrows the container's system. The keys are always the same for this seed.
  GuestAgent(SimHost& host, Debian& debian, std::string seed);

  /// Those that it will have, or has.
  const crypto::Keys& keys() const { return own_; }
  /// It has keys, and somebody to obey.
  bool planted() const { return planted_; }
  bool runs();
  /// Another one for each start of it; empty while it does not run.
  std::string invocation();
  const std::string& name() const { return name_; }
  const std::string& lab() const { return lab_; }
  const std::vector<Party>& controllers() const { return controllers_; }
  /// Of the package that limits it; empty: there is none.
  std::string role() const;

 private:
  using Words = std::vector<std::string>;

  Result<Output> program(const Command& command);
  Output identity(const std::string& name) const;
  Output trust() const;
  Output plant(const std::string& name, const std::string& lab, const std::string& controller);

  SimHost& host_;
  Debian& debian_;
  crypto::Keys own_;
  bool planted_ = false;
  std::string name_;
  std::string lab_;
  std::vector<Party> controllers_;
};

}  // namespace relab::agent::sim
