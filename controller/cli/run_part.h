#pragma once

/// One part of the plan at a time: through its gate, to its end, and into the ledger.

#include <optional>
#include <set>

#include "common/base/signals.h"
#include "controller/cli/command.h"
#include "controller/cli/context.h"
#include "controller/cli/live/live_file.h"
#include "controller/cli/live/news.h"
#include "controller/cli/live/show.h"
#include "controller/gates/gate.h"
#include "controller/link/zmq_exchange.h"
#include "controller/plan/plan.h"
#include "controller/run/book.h"
#include "controller/run/driver.h"
#include "controller/run/lock.h"
#include "controller/run/requests.h"

namespace relab::controller::cli {

/// A lab that this process alone works on.
struct OpenedLab {
  FileLock lock;
  crypto::Keys keys;
  Book book;
};

/// Takes the lock, opens the keys and the ledger, and begins that if it is new.
Result<OpenedLab> open_lab(Context& context, schema::Lab::Reader lab, const std::string& command);

/// How a part ended, and what --output json says of it.
// NOLINTNEXTLINE(bugprone-exception-escape): moving JSON asserts, and throws nothing.
struct PartEnd {
  ExitCode code = ExitCode::done;
  nlohmann::json value = {};
};

/// The one that matters more: failed, unreachable, for a person, at a gate.
ExitCode worse(ExitCode one, ExitCode other);

enum class Purpose {
  apply,  ///< do it
  check,  ///< change nothing, and tell what would be changed; gates do not matter
};

/// A task of a run that was begun, to be waited for.
struct Awaited {
  TaskId task;
  RunId run;
};

/// How parts are run.
struct RunManner {
  std::chrono::seconds patience;
  /// The folder of packages for guests; empty: `packages` beside lab.toml.
  std::filesystem::path packages = {};
};

class PartRunner {
 public:
  PartRunner(Context& context, OpenedLab& opened, const Message<schema::Lab>& lab, RunManner manner)
      : context_(context), opened_(opened), lab_(lab), manner_(std::move(manner)) {}

  PartEnd run(const Part& part, Purpose purpose);
  /// Carries on with a run that was begun: it went through its gate.
  PartEnd carry_on(const RunId& run);
  /// The same while the gate is open; behind a closed one it collects, and orders nothing. A run
  /// whose plan is no more that of lab.toml is ended.
  PartEnd attach(const RunId& run);
  /// Ends the runs of phases that lab.toml has no more: nobody could ask for them by name.
  Result<void> close_orphans();
  /// Until the task has come to its end; nothing new is ordered. The run goes on some other time.
  PartEnd await(const Awaited& awaited);
  /// What a gate was found to be, in the ledger, and a checkpoint behind it.
  Result<void> record_gate(const Gate& gate);

 private:
  void tell_carrying_on(const RunId& run);
  /// Nothing if the gate is open; recorded, either way.
  std::optional<PartEnd> stopped_at_gate(const Part& part);
  /// Whether lab.toml asks for exactly the steps that the run was begun for.
  bool is_still_wanted(const RunRecord& run) const;
  /// The run to carry on with, or a new one. Fault::cancelled if a person left meanwhile.
  Result<RunId> begin_run(const Part& part, Purpose purpose);
  /// What is out is cancelled first, and let go only where its agent is away.
  Result<void> close_run(const RunId& run);
  /// By the lab file of now, and the ledger.
  Result<Gate> gate_of(const std::string& phase) const;
  enum class Orders { some, none };
  /// With `task`, only until that has ended.
  PartEnd drive(const RunId& run, const std::optional<TaskId>& task = {},
                Orders orders = Orders::some);
  /// What is followed, and on what it is shown: null where there is no terminal.
  struct Going {
    Driver& driver;
    ZmqExchange& exchange;
    const RunRecord& record;
    std::optional<TaskId> task;
    LiveNews& news;
    LiveShow* show;
    LiveFile& file;
  };
  /// To the end that a person sees: done, stalled, detached, or that of the awaited task. An error
  /// where the ledger could not be written.
  Result<PartEnd> follow(const Going& going);
  /// For who looks at it, here or by `relab watch`.
  void show_progress(const Going& going, Instant begun);
  /// Whether steps of it have no task that stands: whether they may is for the gate to say.
  Result<bool> has_more_to_order(const RunRecord& run) const;
  /// Steps of the run whose task stands: an open one, or one whose outcome is known.
  std::set<std::string> ordered_steps(const RunId& run) const;
  /// Those that came to a known end.
  std::set<std::string> finished_steps(const RunId& run) const;
  SecretSource secrets() const;
  /// Nothing if every secret is there that steps of the plan use, but for these.
  std::optional<PartEnd> stopped_for_secrets(const PhasePlan& plan,
                                             const std::set<std::string>& ordered);
  std::filesystem::path packages_folder() const;
  /// What steps of the plan may bring into guests, but for those that have come to their end;
  /// nothing where none does. Fault::missing if something lacks.
  Result<std::vector<OfferedParcel>> parcels_of(const PhasePlan& plan,
                                                const std::set<std::string>& finished) const;
  /// Nothing if every package is there that steps of the plan bring.
  std::optional<PartEnd> stopped_for_parcels(const PhasePlan& plan);
  /// Takes out what destroys and was done in another run: it is done once.
  void leave_settled(PhasePlan& plan, const RunRecord& run);
  /// By the lab file that the run was made from.
  Result<PhasePlan> plan_of(const RunRecord& run) const;
  /// What another `relab` left for us.
  Result<void> take_requests(Driver& driver, const RunId& run);
  Result<void> take_request(const CancelTarget& target, Driver& driver, const RunId& run);
  PartEnd failed(const Error& error);

  Context& context_;
  OpenedLab& opened_;
  const Message<schema::Lab>& lab_;
  RunManner manner_;
  Signals signals_;
  /// When the gates were looked at last for what is shown.
  Instant looked_{};
};

}  // namespace relab::controller::cli
