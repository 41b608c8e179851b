#pragma once

/// Looks at a unit of systemd for a while: what is active in one moment may have died, and been
/// started again, a moment later.

#include <string>
#include <vector>

#include "agent/kinds/system/show.h"

namespace relab::agent::system {

struct Watched {
  /// As it was at the end.
  UnitProperties now;
  /// It was active all the time, in one and the same run; or it was inactive all the time.
  bool steady = false;
  /// What happened meanwhile; empty: nothing, or it was not watched.
  std::string unsteady = {};
};

/// One that is neither active nor about to be is looked at once.
Result<Watched> watch_unit(Host& host, const std::string& unit, std::chrono::seconds settle);

/// One that is to be stopped: it may be started again, by whatever watches over it. One that is not
/// stopped, or not there, is looked at once.
Result<Watched> watch_stopped_unit(Host& host, const std::string& unit,
                                   std::chrono::seconds settle);

/// The timers, sockets and paths that start this unit, and are active themselves.
Result<std::vector<std::string>> active_triggers(Host& host, const std::string& unit);

/// Looks at it once.
Result<UnitProperties> look_at_unit(Host& host, const std::string& unit);

/// The last lines of its log, without what looks like a secret. A log that cannot be read is told
/// in its place.
std::vector<std::string> last_lines(Host& host, const std::string& unit);

/// "failed (exit-code, status 1)"
std::string words_of(const UnitProperties& unit);

/// The second, since 1970, of "@1700000000"; 0 if there is none.
std::int64_t parse_unix_time(std::string_view text);

}  // namespace relab::agent::system
