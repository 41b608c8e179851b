#pragma once

/// Owners, groups and modes as people write them, and as numbers of this machine.

#include <optional>
#include <string>
#include <string_view>

#include "agent/host/host.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

/// As an order gives them.
struct WantedRights {
  std::string owner;
  std::string group;
  std::string mode;
};

/// The number of a name in /etc/passwd or /etc/group: both have it in the third column.
std::optional<std::uint32_t> parse_id(std::string_view table, std::string_view name);

/// Fault::missing for a user or group that this machine does not have, ::invalid for a mode that is
/// none.
Result<Rights> resolve(Host& host, const WantedRights& wanted);

/// An absolute path without dots, repeated slashes or control characters. Fault::invalid.
Result<void> check_path(std::string_view path);

/// What is between the root and a path that it would not be written through: the first part of its
/// folder that is a symbolic link or no folder, in words; empty if there is none. What is not there
/// is in nobody's way.
Result<std::string> obstacle_on_the_way(Host& host, const Path& path);

void store(const Rights& rights, schema::Rights::Builder into);
Rights load(schema::Rights::Reader rights);

/// "0:0 0644"
std::string words_of(const Rights& rights);

/// The same, as the arguments of a change, and back.
std::string to_text(const Rights& rights);
Rights from_text(std::string_view text);

std::string_view name(FileType type);

}  // namespace relab::agent::system
