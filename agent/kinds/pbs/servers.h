#pragma once

/// Finds Proxmox Backup Servers in places and reads what each is configured to do.

#include <optional>
#include <string>
#include <vector>

#include "agent/kinds/pbs/server_config.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/place.h"

namespace relab::agent::pbs {

struct Datastore {
  ConfigSection config;
  std::string host_path = {};  ///< "": this machine does not see it
  bool chunks = false;
  GcStatus gc = {};
};

struct Server {
  Place* place = nullptr;
  bool installed = false;
  std::string host_config = {};  ///< its configuration as this machine sees it; empty: it does not
  std::vector<Datastore> datastores = {};
  std::vector<ConfigSection> prune = {};
  std::vector<ConfigSection> verify = {};
  std::vector<ConfigSection> sync = {};
};

/// Nothing if there is no server in the place; an error if the place cannot be looked into. What
/// cannot be read of a server goes to `gaps`.
Result<std::optional<Server>> read_server(Place& place, Gaps& gaps);

}  // namespace relab::agent::pbs
