#pragma once

/// How a container's configuration differs from the wish, in Proxmox's own keys and property
/// strings. Pure.

#include <map>
#include <string>
#include <vector>

#include "agent/kinds/kind.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

using Settings = std::map<std::string, std::string>;

/// A key and the value that it is to have; empty: it is to be taken away.
struct Wish {
  std::string key;
  std::string value;

  bool operator==(const Wish&) const = default;
};

/// What has to be set so that these settings are as the task wants them; nothing once they are.
/// What the task says nothing of stays as it is. Fault::refused where a volume stands in the way of
/// a directory, or no key is free.
Result<std::vector<Wish>> wishes_for(schema::Guest::Reader params, const Settings& settings);

/// The root disk's size in whole GiB, as wanted.
std::uint64_t disk_size_of(schema::Guest::Reader params);

}  // namespace relab::agent::guests
