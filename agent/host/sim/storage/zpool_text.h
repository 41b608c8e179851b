#pragma once

/// What `zpool status` and `zpool import` print of pools.

#include <string>
#include <vector>

#include "agent/host/sim/storage/pool_state.h"

namespace relab::agent::sim {

/// How vdevs are named.
enum class Names { paths, guids };

/// For people, with every error that is listed.
std::string status_text(const std::vector<const Pool*>& pools, Names names, Instant now);
/// `zpool status -j --json-int -v`, of ZFS 2.3 on.
std::string status_json(const std::vector<const Pool*>& pools);
/// Of pools that could be imported.
std::string importable_text(const std::vector<const Pool*>& pools);

/// "Sun Nov 22 18:23:20 2026", in UTC.
std::string in_words(std::uint64_t seconds);
/// The seconds of such words; nothing if they are none.
std::optional<std::uint64_t> seconds_of(const std::string& words);

}  // namespace relab::agent::sim
