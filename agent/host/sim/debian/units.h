#pragma once

/// systemd of a simulated machine: units as their files describe them, and what becomes of them
/// while time passes.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/debian/unit_text.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// What systemd has in memory of a unit.
struct UnitState {
  std::string load = "loaded";
  std::string active = "inactive";
  std::string sub = "dead";
  std::string description = {};
  std::string result = "success";
  int status = 0;
  int restarts = 0;
  std::string invocation = {};
  /// When it began to run last.
  Instant since = {};
  /// Its sub-state while it is active, where nothing else tells.
  std::string sub_when_active = {};
  /// What its files said when they were read.
  std::string text = {};
  /// It was made by systemd-run, and is gone with its end.
  bool transient = false;
};

/// What is on the disk of a unit: "enabled", "disabled", "static", "masked".
struct UnitFileState {
  std::string state;
  std::string preset = "enabled";
};

struct UnitTimer {
  std::string activates;
  /// Unix times; none: never.
  std::optional<Instant> next = {};
  std::optional<Instant> last = {};
};

enum class UnitAct { start, stop, reload };

/// As the package wireguard-tools brings it.
constexpr auto tunnel_unit = "wg-quick@.service";
constexpr auto tunnel_unit_text =
    "[Unit]\nDescription=WireGuard via wg-quick(8) for %I\n\n[Service]\nType=oneshot\n"
    "RemainAfterExit=yes\nExecStart=/usr/bin/wg-quick up %i\nExecStop=/usr/bin/wg-quick down %i\n\n"
    "[Install]\nWantedBy=multi-user.target\n";

/// Told of what happens to a unit. On a start its words are why it fails; empty: it does not.
using UnitHook = std::function<std::string(const std::string& unit, UnitAct act)>;

class Units {
 public:
  explicit Units(SimHost& host);

  /// As systemd has it now.
  void add(const std::string& name, UnitState state);
  void add_file(const std::string& name, UnitFileState state);
  void add_timer(const std::string& name, UnitTimer timer);
  /// A unit's file comes with a package; whether it is enabled and started is the package's choice.
  void install(const std::string& name, const std::string& text, bool enabled_and_started);

  /// What happens to this unit, or, with a name like "wg-quick@", to each of that template.
  void on(const std::string& name, UnitHook hook) { hooks_[name].push_back(std::move(hook)); }
  /// From now on its start fails, with these words in its log.
  void fails_to_start(const std::string& name, std::string words) {
    failing_.insert_or_assign(name, std::move(words));
  }
  void starts_again(const std::string& name) { failing_.erase(name); }
  /// As in an unprivileged container without nesting: what wants a view of its own of the files
  /// cannot start.
  void namespaces(bool allowed) { namespaces_ = allowed; }
  /// It ends with an error so long after each start.
  void lives(const std::string& name, Millis span) { lives_[name] = span; }
  void log(const std::string& name, std::string line) { logs_[name].push_back(std::move(line)); }

  bool is_active(const std::string& name);
  /// With "not-found" as its load state if there is none.
  UnitState state(const std::string& name);
  /// "enabled", "disabled", "static", "masked", or empty: it has no file.
  std::string file_state(const std::string& name) const;

  /// As a person would; the output is systemctl's own.
  Output start(const std::string& name);
  Output stop(const std::string& name);
  Output restart(const std::string& name);
  Output enable(const std::string& name);
  Output disable(const std::string& name);
  Output mask(const std::string& name);
  Output unmask(const std::string& name);

  /// All that is enabled starts, and for a while systemd says that it is starting.
  void boot(Millis takes = Millis(2000));
  void shut_down();

  Result<Output> systemctl(const Command& command);
  Result<Output> systemd_run(const Command& command);
  Result<Output> journalctl(const Command& command);

 private:
  using Words = std::vector<std::string>;
  /// The arguments of systemctl, parted.
  struct Options {
    std::string verb;
    std::map<std::string, std::string> values = {};
    Words names = {};

    bool has(const std::string& option) const { return values.contains(option); }
  };
  struct Pending {
    std::string timer;
    Instant due;
    Words argv;
  };

  void program(const std::string& name, Result<Output> (Units::*run)(const Command&));
  /// What is due since the last look.
  void pass_time();
  void pass_time_of(const std::string& name, UnitState& state);
  std::set<std::string> wanted_services() const;
  /// The unit, read from its file if systemd does not have it yet; null if there is none.
  UnitState* find(const std::string& name);
  std::string text_of(const std::string& name) const;
  Path fragment_of(const std::string& name) const;
  std::string tell(const std::string& unit, UnitAct act);
  void run_unit(const std::string& name, UnitState& state, const UnitText& text);
  /// The timers, sockets and paths that start it, as systemd lists them.
  std::string triggers_of(const std::string& unit) const;
  std::string failure_of(const std::string& name, const UnitText& text);
  Output failed(const std::string& name, UnitState& state, const std::string& words, int status);
  std::string next_invocation();

  /// Nothing if there is an option that is not simulated.
  static std::optional<Options> read_options(const Words& argv);
  Result<Output> show(const Options& options, const Command& command);
  /// Nothing if it is not simulated.
  std::optional<std::string> property(const std::string& unit, const std::string& name,
                                      bool unix_time);
  Result<Output> list_units(const Options& options, const Command& command);
  Result<Output> list_unit_files(const Options& options, const Command& command);
  Result<Output> list_timers(const Options& options, const Command& command);
  Output is_system_running();
  Output is_active(const Options& options);
  Output is_enabled(const Options& options) const;
  Output reset_failed(const Options& options);
  void daemon_reload();
  Result<Output> change(const Options& options, const Command& command);
  Result<Output> change_one(const std::string& verb, const std::string& name,
                            const Command& command);
  Result<Output> look(const Options& options, const Command& command);
  Result<Output> run_transient(const std::string& name, const Words& argv,
                               const std::map<std::string, std::string>& properties, bool remains);

  SimHost& host_;
  std::map<std::string, UnitState> units_;
  std::map<std::string, UnitFileState> files_;
  std::map<std::string, UnitTimer> timers_;
  std::map<std::string, std::vector<UnitHook>> hooks_;
  std::map<std::string, std::string> failing_;
  std::map<std::string, Millis> lives_;
  std::map<std::string, std::vector<std::string>> logs_;
  std::vector<Pending> pending_;
  /// Until then systemd says that it is starting.
  Instant up_at_ = {};
  bool running_ = true;
  bool booting_ = false;
  bool namespaces_ = true;
  std::uint64_t invocations_ = 0;
};

}  // namespace relab::agent::sim
