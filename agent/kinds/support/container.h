#pragma once

/// Whether this machine is a container, which sees its host's hardware without owning it.

#include <string>

#include "agent/host/host.h"

namespace relab::agent {

/// The container's kind as systemd has noted it ("lxc"); empty on a machine of its own.
std::string container_kind(Host& host);

}  // namespace relab::agent
