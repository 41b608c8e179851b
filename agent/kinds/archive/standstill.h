#pragma once

/// Units that are down for the time of an archive, so that nobody writes what is archived.

#include <string>
#include <vector>

#include "agent/kinds/archive/source.h"
#include "agent/kinds/kind.h"

namespace relab::agent::archive {

/// When units are started by themselves that the agent could not start.
inline constexpr auto start_again_after = "6h";

class Standstill {
 public:
  /// Borrows the hands and the source. `name` tells the timers of several archives apart.
  Standstill(const Hands& hands, const Source& source, std::vector<std::string> units,
             std::string name)
      : hands_(hands), source_(source), units_(std::move(units)), name_(std::move(name)) {}

  /// Stops those that run. Fault::missing if there is no unit of one of the names.
  Result<void> begin();
  /// Starts those again that `begin` found running, whether it stopped them or not. Fault::damaged
  /// if one of them does not run then.
  Result<void> end();

 private:
  Result<std::vector<std::string>> running(Host& host) const;
  std::string timer() const { return "relab-start-again-" + name_; }
  std::vector<std::string> with_units(std::vector<std::string> argv) const;
  Result<void> must(Host& host, std::vector<std::string> argv) const;

  const Hands& hands_;
  const Source& source_;
  std::vector<std::string> units_;
  std::string name_;
  std::vector<std::string> stopped_;
};

}  // namespace relab::agent::archive
