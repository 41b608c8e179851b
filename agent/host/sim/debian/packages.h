#pragma once

/// dpkg and apt of a simulated machine: what is installed, and what could be, from the sources that
/// the machine really has.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/debian/apt_sources.h"
#include "agent/host/sim/debian/catalogue.h"
#include "agent/host/sim/debian/units.h"
#include "agent/host/sim/debian/users.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// A package as dpkg's list has it.
struct SimPackage {
  std::string version;
  /// "install ok installed"
  std::string status = "install ok installed";
  std::string architecture = "amd64";
};

class Packages {
 public:
  struct System {
    SimHost& host;
    Units& units;
    Users& users;
    std::string suite;
    std::string architecture;
  };
  explicit Packages(System system);

  /// Makes dpkg's list; without a word of apt.
  void add(const std::string& name, SimPackage package);
  void add(const std::map<std::string, SimPackage>& packages);
  /// Null if dpkg does not know it.
  const SimPackage* find(const std::string& name) const;
  bool is_installed(const std::string& name) const;
  const std::string& architecture() const { return system_.architecture; }
  const std::string& suite() const { return system_.suite; }

  /// Something more that apt can have, or another version of it; without a publisher, from no
  /// source at all.
  void offer(Available available) {
    offered_.insert_or_assign(available.name, std::move(available));
  }
  /// Called once the package is configured.
  void on_installed(const std::string& name, std::function<void()> hook) {
    hooks_[name].push_back(std::move(hook));
  }
  /// Its script fails from now on, with these words; until `configures`.
  void fails_to_configure(const std::string& name, std::string words) {
    failing_.insert_or_assign(name, std::move(words));
  }
  void configures(const std::string& name) { failing_.erase(name); }
  /// Another program holds dpkg's lock until then.
  void locked_until(Instant instant) { locked_until_ = instant; }
  /// Why a server with packages cannot be reached, by its name; empty: it can.
  void reached_by(std::function<std::string(const std::string& server)> way) {
    way_ = std::move(way);
  }
  /// The lists of the sources that there are, as after an update; at most so many.
  void have_lists(std::size_t indexes_max);

  /// As `apt-get install` without a question: for what other programs do.
  Output install(const std::vector<std::string>& items);

  Result<Output> dpkg(const Command& command);
  Result<Output> dpkg_query(const Command& command);
  Result<Output> dpkg_deb(const Command& command);
  Result<Output> apt_get(const Command& command);
  Result<Output> apt_cache(const Command& command);
  Result<Output> apt_mark(const Command& command);

 private:
  using Words = std::vector<std::string>;
  /// The arguments of apt-get, parted.
  struct AptCall {
    std::string verb = {};
    Words items = {};
    AptPlaces places = {};
    bool simulate = false;
    bool no_remove = false;
    bool downgrades = false;
    bool held_ones = false;
    /// How long the lock is waited for.
    Millis patience{0};
    bool cleans_lists = true;
    std::string format = {};
  };
  struct Step {
    Available package;
    std::string architecture;
    /// The version that is installed now; empty: none is.
    std::string from = {};
    /// Of the one who publishes it.
    std::string label = {};
  };
  struct Resolved {
    std::vector<Step> steps = {};
    /// Installed packages that have to go.
    Words removals = {};
    /// What apt says before it comes to steps.
    std::string said = {};
    /// What is wrong; empty: nothing.
    std::string error = {};
  };
  struct Candidate {
    Available package;
    std::string label;
  };

  void write_status();
  /// Apt's words about a lock that is held for longer than that; empty: it is free.
  std::string locked(Millis patience);
  Output configure_all();
  Output remove(const Words& names);
  bool configure(const std::string& name, Output& output);
  void bring(const Available& package);
  void bring_unit(const std::string& unit, const Available& package, bool started);

  static std::optional<AptCall> read_call(const Words& argv);
  static bool read_option(const std::string& text, AptCall& call);
  std::optional<Candidate> candidate(const std::string& name, const AptPlaces& places);
  Resolved resolve(const AptCall& call);
  void add_item(const std::string& item, const AptCall& call, Resolved& resolved);
  void add_package_file(const std::string& path, const AptCall& call, Resolved& resolved);
  void add_step(Candidate chosen, const AptCall& call, Resolved& resolved);
  void add_needs(const Available& package, const AptCall& call, Resolved& resolved);
  void check_steps(const AptCall& call, Resolved& resolved) const;
  std::string plan_of(const Resolved& resolved) const;
  std::vector<std::string> unconfigured() const;
  Output simulate(const Resolved& resolved) const;
  Output carry_out(const AptCall& call, const Resolved& resolved);
  bool unpack(const Step& step, Output& output);
  Output update(const AptCall& call);
  /// What is wrong with a source, in the words of apt; empty: nothing. `fatal` if apt-get fails.
  std::string trouble_with(const AptSource& source, bool& fatal);
  Output indextargets(const AptCall& call);

  System system_;
  std::map<std::string, SimPackage> packages_;
  /// What was unpacked, for its configuration.
  std::map<std::string, Available> brought_;
  std::map<std::string, Available> offered_;
  std::map<std::string, std::vector<std::function<void()>>> hooks_;
  std::map<std::string, std::string> failing_;
  Instant locked_until_ = {};
  std::function<std::string(const std::string&)> way_;
};

}  // namespace relab::agent::sim
