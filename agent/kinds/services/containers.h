#pragma once

/// Docker's containers and the compose projects that they belong to.

#include <string>
#include <vector>

#include "agent/kinds/support/docker.h"
#include "agent/kinds/support/gaps.h"
#include "schema/services.capnp.h"

namespace relab::agent::services {

struct ComposeProject {
  std::string name = {};
  std::string folder = {};
  std::vector<std::string> files = {};
  unsigned containers = 0;
  unsigned running = 0;

  bool operator==(const ComposeProject&) const = default;
};

/// The projects that the labels of the containers name, by name. Files that only some containers
/// were made with are there, too.
std::vector<ComposeProject> compose_projects(const std::vector<DockerContainer>& containers);

void observe_containers(Host& host, schema::AuditServices::Facts::Builder facts, Gaps& gaps);

}  // namespace relab::agent::services
