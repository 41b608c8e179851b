#pragma once

/// Where a plan is executed before it is executed: a real controller and real agents, with real
/// orders, signatures and gates, over simulated machines and a clock that waits for nobody.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "controller/engine/engine.h"
#include "controller/gates/gate.h"
#include "controller/rehearsal/actor.h"
#include "controller/rehearsal/exchange.h"
#include "controller/rehearsal/timeline.h"
#include "controller/run/book.h"
#include "controller/run/driver.h"

namespace relab::rehearsal {

/// A step that nothing came of: nobody did what it waits for.
struct WaitingStep {
  std::string path;
  controller::Wait wait = controller::Wait::nothing;
  std::string why;
};

/// What a person let a step destroy.
struct GivenApproval {
  std::string path;
  std::string agent;
  /// As the evidence shows it.
  std::vector<std::string> victims;
};

/// What a phase came to.
struct PhaseEnd {
  /// Through which it went, or did not.
  controller::Gate gate;
  /// Every step has come to its end; otherwise nothing went on by itself.
  bool ran = false;
  unsigned succeeded = 0;
  unsigned failed = 0;
  /// Behind those.
  unsigned blocked = 0;
  std::vector<WaitingStep> waiting = {};
  std::vector<GivenApproval> approvals = {};
  Instant began{};
  Instant ended{};
};

class Stage {
 public:
  struct Setting {
    std::string lab;
    Instant begin;
    /// Of its ledger and the journals of its agents; empty at first.
    std::filesystem::path folder;
    /// Names of those that are stored. Their values stand for real ones.
    std::set<std::string> secrets = {};
    /// Packages for guests; what is in them comes with the machines.
    std::vector<controller::OfferedParcel> parcels = {};
    /// Borrowed; null: nothing befalls anybody.
    Fate* fate = nullptr;
    /// Whether the machine of an agent is reached now, at this endpoint.
    std::function<bool(const std::string& agent, const std::string& endpoint)> reached =
        [](const std::string& /*agent*/, const std::string& /*endpoint*/) { return true; };
  };
  static Result<std::unique_ptr<Stage>> make(Setting setting);

  /// An agent on a machine.
  struct Place {
    std::string name;
    std::string endpoint;
    /// Its manifest.
    std::string role;
    /// Borrowed.
    Machine& machine;
    crypto::Keys keys = crypto::Keys::make();
  };
  /// One that the controller knows.
  Result<void> enrol(Place wanted);
  /// One that obeys the controller, which does not know it yet: a step brings it.
  Result<void> place(Place place);

  /// The agent is away from that time on, as after a power cut, and starts again after that long.
  void falls(const std::string& name, Instant when, Millis away);

  /// How the phase stands, again and again, and how long it has run.
  using Moment = std::function<Result<void>(const controller::Engine& engine, Millis since)>;

  /// Through its gate and to its end, or as far as that goes by itself and with a person who
  /// approves of what it destroys once it waits for nothing else.
  Result<PhaseEnd> run(const Message<schema::Lab>& lab, const std::string& phase,
                       controller::Narrator& narrator, const Moment& moment = {});

  const controller::Book& book() const { return *book_; }
  controller::Evidences evidences(schema::Lab::Reader lab) const;
  Instant now() const { return timeline_.now(); }
  const crypto::Keys& keys() const { return keys_; }

 private:
  explicit Stage(Setting setting);
  Result<controller::StoredSecret> secret(const std::string& name) const;
  /// A person lets the phase do what it destroys, for a day, on the evidence that there is. None
  /// where it destroys nothing, or lacks evidence.
  Result<std::vector<GivenApproval>> approve(const Message<schema::Lab>& lab,
                                             const std::string& phase);
  /// One life of the controller: as a person that types `relab run`.
  Result<controller::RunEnd> run_once(const RunId& run, controller::PhasePlan plan, PhaseEnd& end,
                                      controller::Narrator& narrator, const Moment& moment);
  Result<controller::RunEnd> follow(controller::Driver& driver, const Moment& moment);

  Result<void> begin(Place& place);
  /// With all that happens meanwhile.
  void let_pass(Millis span);

  Setting setting_;
  Fate harmless_;
  Timeline timeline_;
  crypto::Keys keys_;
  std::optional<controller::Book> book_;
  StageExchange exchange_;
  /// By their endpoints.
  std::map<std::string, std::string> names_;
  /// What each actor is made of, and made of again.
  std::map<std::string, Place> places_;
  std::map<std::string, std::unique_ptr<Actor>> actors_;
  /// An agent could not start again.
  std::optional<Error> broken_;
};

}  // namespace relab::rehearsal
