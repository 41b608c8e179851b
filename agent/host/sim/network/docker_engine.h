#pragma once

/// Docker on a simulated machine, as its audit found it.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/support/json.h"
#include "schema/services.capnp.h"

namespace relab::agent::sim {

class DockerEngine {
 public:
  /// Registers `docker`, or leaves it out. A Docker that did not answer does not answer.
  DockerEngine(SimHost& host, schema::AuditServices::Facts::Reader facts);

  /// What `docker inspect` tells of a container, for others to add to; null if there is none.
  Json* find(std::string_view name);

 private:
  Result<Output> run(const Command& command);
  Result<Output> inspect(const std::vector<std::string>& ids);

  SimHost& host_;
  std::vector<Json> containers_;
  /// Why no engine answers; empty: one does.
  std::string silent_;
};

}  // namespace relab::agent::sim
