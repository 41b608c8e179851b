#pragma once

/// What really happened, told by the simulated disks and workers, and what must be true of it. It
/// shares nothing with the programs' own bookkeeping.

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/worker/workers.h"
#include "common/base/id.h"
#include "common/crypto/hash.h"
#include "controller/ledger/entries.h"

namespace relab::sim {

/// An invariant that does not hold: the seed has failed.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Counts {
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t hostile = 0;
  std::uint64_t crashes = 0;
  std::uint64_t torn = 0;
  std::uint64_t cuts = 0;
  std::uint64_t started = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t destroyed = 0;
  std::uint64_t changed = 0;
  std::uint64_t kept = 0;
};

class Watch {
 public:
  /// A worker begins the task: from here on the world is changed.
  void begun(std::size_t agent, const TaskId& task, const std::string& step);
  /// What is begun destroys the disk with that serial number; `now` is the agent's clock.
  void destroys(std::size_t agent, schema::Order::Reader order, Instant now);
  /// An agent has the report on its disks for good; what it shows was so at `taken`, by its clock.
  struct Look {
    crypto::Digest report;
    Instant taken;
    /// When its task began, by the count of moments.
    std::uint64_t moment = 0;
  };
  void looked(std::size_t agent, const TaskId& task, Look look);
  /// What was begun to destroy something came to its end, if only for now.
  void destroyed(std::size_t agent) { last_deed_[agent] = ++moment_; }
  /// A person approved of the step on this report.
  void approved(const std::string& step, const crypto::Digest& report) {
    approved_.emplace(step, report);
  }
  /// A change that may cut the agent off is made, is undone, and is to stay for good.
  void applied(std::size_t agent, const TaskId& task, Instant now);
  /// Somebody else changed what the change had changed.
  void altered(const TaskId& task);
  /// It was looked at once more after it was confirmed.
  void reviewed(const TaskId& task);
  /// A task found that there was nothing for it to change.
  void relied_on(std::size_t agent, const TaskId& task) const;
  /// With its journal, an agent lost the way back from whatever it had changed.
  void journal_lost(std::size_t agent) {
    std::erase_if(changes_, [&](const auto& change) { return change.second.agent == agent; });
  }
  void undone(const TaskId& task) { changes_.erase(task); }
  void kept(const TaskId& task);
  /// The controller's word that it stays comes over a connection that was made then.
  void confirm_arrives(const TaskId& task, Instant connection_made);
  /// Whether none is left that is neither kept nor undone.
  bool settled() const;
  /// Every change that was made and neither undone nor kept: when all is at rest, there is none.
  void check_changes() const;
  /// The work was done to its end.
  void completed(const TaskId& task);
  /// How many entries are in the ledger, by what was told.
  std::uint64_t entries() const { return entries_; }
  /// An entry is in the ledger for good.
  void entered(const controller::StoredEntry& entry);
  /// An agent lets its report go.
  void released(const TaskId& task, ByteView report);
  /// Nothing was ordered under it, whatever an agent may say.
  bool ordered(const TaskId& task) const { return orders_.contains(task); }
  /// Steps that must not run twice, under whatever ids.
  void once_only(const std::string& step) { once_only_.insert(step); }
  /// Which agent a step is for.
  void belongs(const std::string& step, std::size_t agent) { owner_[step] = agent; }

  /// The ledger has as many outcomes for this task as it must in the end: one.
  void check_ended() const;
  /// The steps of which one task succeeded.
  std::set<std::string> succeeded_steps() const;
  /// Every task of a step, with what came of it.
  std::string story(const std::string& step) const;

  Counts counts;

 private:
  void take_order(ByteView envelope);
  void take_report(ByteView envelope);

  struct Known {
    std::string step;
    bool reported = false;
    bool abandoned = false;
    bool refused = false;
    schema::Outcome outcome = schema::Outcome::UNSET;
    std::string words = {};
    crypto::Digest report{};
  };
  std::map<TaskId, Known> orders_;
  std::set<TaskId> begun_;
  std::set<TaskId> completed_;
  std::map<std::string, TaskId> step_begun_;
  std::set<std::string> once_only_;
  std::map<std::string, std::size_t> owner_;
  struct Change {
    std::size_t agent;
    Instant made;
    bool confirmed_anew = false;
    bool kept = false;
    bool altered = false;
    bool reviewed = false;
  };
  std::map<TaskId, Change> changes_;
  /// By the ledger.
  std::set<TaskId> confirmed_;
  /// The newest report of each agent on its disks.
  std::map<std::size_t, Look> looks_;
  /// Counts what matters for the order of things; when each task began, and what was destroyed
  /// last.
  std::uint64_t moment_ = 0;
  std::map<TaskId, std::uint64_t> began_;
  std::map<std::size_t, std::uint64_t> last_deed_;
  std::set<std::pair<std::string, crypto::Digest>> approved_;
  crypto::Digest head_{};
  std::uint64_t entries_ = 0;
};

}  // namespace relab::sim
