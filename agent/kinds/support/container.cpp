#include "agent/kinds/support/container.h"

#include "common/base/text.h"

namespace relab::agent {

std::string container_kind(Host& host) {
  const auto kind = host.read_file("/run/systemd/container");
  return kind ? std::string(trim(*kind)) : std::string();
}

}  // namespace relab::agent
