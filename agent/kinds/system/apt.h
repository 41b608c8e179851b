#pragma once

/// What apt would do, and what it does. Its exit code is believed where it tells of a failure, and
/// nowhere else.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::system {

/// One thing that apt would do with a package.
struct AptStep {
  /// "Inst", "Conf", "Remv", "Purg"
  std::string verb;
  /// Without its architecture.
  std::string package;
  /// That it comes to; of a removal, that it has.
  std::string version;

  bool operator==(const AptStep&) const = default;
};

/// Out of what `apt-get --simulate` prints. Fault::damaged for a step of another form.
Result<std::vector<AptStep>> parse_simulation(std::string_view text);

/// An installation.
struct Installing {
  /// "name", "name=version", or the absolute path of a file.
  std::vector<std::string> items;
  /// Whether it all comes from files: no source of packages is looked at then.
  bool offline = false;
  /// What may be removed for it.
  std::vector<std::string> remove_ok = {};
  /// How long another program may hold the lock.
  std::chrono::seconds lock_wait = std::chrono::seconds(600);
};

/// What apt would do, by its own simulation.
struct Simulation {
  std::vector<AptStep> steps = {};
  /// Why it cannot be done; empty: it can.
  std::string obstacle = {};
};
Result<Simulation> simulate(Host& host, const Installing& installing);

/// The packages that would be removed, and may not be.
std::vector<std::string> forbidden_removals(const std::vector<AptStep>& steps,
                                            const std::vector<std::string>& remove_ok);

/// Installs; what the simulation shows at this very moment must remove nothing that may not be. To
/// be judged by dpkg afterwards. Fault::busy if the lock was held all the time.
Result<void> install(Host& host, const Installing& installing);

/// Has dpkg go on with what was interrupted, and sees that nothing is left of it. Fault::busy if
/// the lock was held all the time.
Result<void> repair(Host& host, std::chrono::seconds lock_wait);

/// What is wrong with the lists after `apt-get update`, by its words: it ends with 0 where a source
/// could not be had. Empty if nothing is.
std::string parse_update(std::string_view text);

/// Reads the lists of sources anew: of all, or of one file of sources. Fault::busy if the lock was
/// held all the time, ::unreachable if any list could not be had.
Result<void> refresh(Host& host, const std::string& sources, std::chrono::seconds lock_wait);

}  // namespace relab::agent::system
