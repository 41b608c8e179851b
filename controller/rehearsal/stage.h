#pragma once

/// Where a plan is executed before it is executed: a real controller and real agents, with real
/// orders, signatures and gates, over simulated machines and a clock that waits for nobody.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "controller/rehearsal/actor.h"
#include "controller/rehearsal/exchange.h"
#include "controller/rehearsal/timeline.h"
#include "controller/run/book.h"
#include "controller/run/driver.h"

namespace relab::rehearsal {

/// What a phase came to.
struct PhaseEnd {
  bool gate_was_open = false;
  /// Every step has come to its end; otherwise nothing went on by itself.
  bool ran = false;
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
    controller::SecretSource secrets = {};
  };
  static Result<std::unique_ptr<Stage>> make(Setting setting);

  /// An agent on a machine.
  struct Place {
    std::string name;
    std::string endpoint;
    agent::RoleLimits role;
    /// Borrowed.
    Machine& machine;
    crypto::Keys keys = crypto::Keys::make();
  };
  /// One that the controller knows.
  Result<void> enrol(Place wanted);
  /// One that obeys the controller, which does not know it yet: a step brings it.
  Result<void> place(Place place);

  /// Through its gate and to its end, or as far as that goes by itself.
  Result<PhaseEnd> run(const Message<schema::Lab>& lab, const std::string& phase,
                       controller::Narrator& narrator);

  const controller::Book& book() const { return *book_; }
  Instant now() const { return timeline_.now(); }
  const crypto::Keys& keys() const { return keys_; }

 private:
  explicit Stage(Setting setting);
  Result<controller::RunEnd> follow(controller::Driver& driver);

  Setting setting_;
  Timeline timeline_;
  crypto::Keys keys_;
  std::optional<controller::Book> book_;
  StageExchange exchange_;
  std::map<std::string, std::unique_ptr<Actor>> actors_;
};

}  // namespace relab::rehearsal
