#pragma once

/// Carries out what the engine decides: signs, writes the ledger, sends, waits.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "common/base/signals.h"
#include "controller/engine/engine.h"
#include "controller/run/book.h"
#include "controller/run/session.h"

namespace relab::controller {

/// What a run tells while it goes on; lines for people.
class Narrator {
 public:
  Narrator() = default;
  Narrator(const Narrator&) = delete;
  Narrator& operator=(const Narrator&) = delete;
  virtual ~Narrator() = default;

  virtual void agent_up(const std::string& agent, const Greeting& greeting) = 0;
  virtual void agent_down(const std::string& agent, const Error& why) = 0;
  virtual void step_changed(const StepRun& run) = 0;
  virtual void progress(const StepRun& run, std::uint64_t steps, const std::string& what) = 0;
  /// About once in ten seconds while something runs.
  virtual void still_waiting(const Engine& engine, Millis since) = 0;
  virtual void warn(const std::string& what) = 0;
};

enum class RunEnd { done, detached, unreachable };

struct DriverConfig {
  std::string lab;
  /// How long agents that are needed may be away.
  std::chrono::seconds patience;
};

class Driver {
 public:
  Driver(DriverConfig config, Book& book, const crypto::Keys& keys, const Signals& signals,
         Narrator& narrator);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  /// Carries on with the run, from wherever the ledger says that it is. After an error nothing is
  /// lost: the same call again goes on.
  Result<RunEnd> run(const RunId& run, PhasePlan plan);

  const Engine& engine() const { return *engine_; }
  /// Of agents that are needed and away.
  std::vector<Error> troubles() const;

 private:
  Result<void> connect();
  void wait();
  Result<void> step();
  Result<void> take_frames(Session& session);
  Result<void> take_frame(Session& session, const Opened& opened);
  Result<void> take_report(Session& session, const Opened& opened);
  Result<void> take_receipt(Session& session, const Opened& opened);
  /// Whether a task is out that was ordered when the agent had another journal: an emptied, removed
  /// or replaced one, which cannot tell whether the task ran.
  bool has_another_journal(const Session& session) const;
  void take_progress(const Opened& opened);
  Result<void> feed(const Event& event);
  Result<void> perform(const effect::Order& effect);
  Result<void> perform(const effect::Abandon& effect);
  Result<void> perform(const effect::RecordRefusal& effect);
  Result<void> perform(const effect::Reattach& effect);
  void tell_changes();
  bool out_of_patience() const;
  const StepRun* find_step(const std::string& path) const;
  const StepRun* find_step(const TaskId& task) const;

  DriverConfig config_;
  Book& book_;
  const crypto::Keys& keys_;
  const Signals& signals_;
  Narrator& narrator_;
  zmq::context_t context_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::unique_ptr<Engine> engine_;
  RunId run_;
  Instant started_;
  Instant told_;
  std::map<std::string, StepState> last_states_;
  std::map<std::string, Instant> away_since_;
  /// The receipt that refuses, while the engine decides on it.
  Bytes refusing_;
};

/// What the ledger knows of the steps of a run.
std::vector<Resumed> resumed_steps(const State& state, const RunId& run);

}  // namespace relab::controller
