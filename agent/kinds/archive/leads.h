#pragma once

/// Links in an archive that lead out of it: what is behind them is not preserved with them.

#include "agent/kinds/archive/contents.h"
#include "agent/kinds/archive/source.h"

namespace relab::agent::archive {

struct Lead {
  std::string path;
  /// Absolute, every link on its way followed.
  std::string target;
};

/// Those of the entries that lead to something which is there, and which the source does not name.
/// Left out is what packages bring and what the kernel shows: an installation makes it anew.
Result<std::vector<Lead>> leads_of(Host& host, const Source& source,
                                   const std::vector<Entry>& entries);

}  // namespace relab::agent::archive
