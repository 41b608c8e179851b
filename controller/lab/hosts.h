#pragma once

/// Which host a part of the lab belongs to.

#include <string_view>

#include "common/wire/message.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

/// The host that the part names, or else the lab's first one; empty: the lab has none.
template <typename Part>
std::string_view host_of(Part part, schema::Lab::Reader lab) {
  if (part.getHost().size() != 0) return view(part.getHost());
  return lab.getHosts().size() == 0 ? std::string_view() : view(lab.getHosts()[0].getName());
}

}  // namespace relab::lab
