#pragma once

/// An agent on a simulated machine: the real servant, core, guard and journal rules, over a
/// simulated disk, network and clock, with workers that only pretend to work.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/service/servant.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"

namespace relab::sim {

/// What the workers of a world are like: how long a task takes, and what comes of it.
struct Work {
  std::uint64_t failing = 10;  ///< one in so many fails
  std::uint64_t endless = 40;  ///< one in so many runs until it is stopped
  std::uint64_t cutting = 3;   ///< one in so many changes of addresses cuts the line
  std::uint64_t sticking = 4;  ///< one in so many ways back fails for now
};

class SimAgent final : public agent::Outlet, public agent::Labour {
 public:
  struct World {
    Timeline& timeline;
    Chance& chance;
    Watch& watch;
    Network& network;
    Plant plant;
  };
  SimAgent(const World& world, std::size_t index, crypto::Keys keys, Party controller,
           std::optional<Party> stranger);

  void start();
  /// Told to leave, it ends what it can first.
  void leave();
  void die(bool power);
  bool lives() const { return servant_.has_value(); }
  void take(const agent::Incoming& incoming);
  void tick();
  /// The journal is removed while the agent is down.
  void empty_journal();
  void turn_clock(Millis by) { clock_off_ += by; }
  void set_clock_right() { clock_off_ = Millis(0); }
  /// Something begins or ends to use its one disk.
  void use_disk(bool used) { disk_used_ = used; }
  /// Somebody else takes off the addresses that a task gave.
  void take_addresses_off();
  std::string serial() const;
  /// Of an agent that lives: the tasks whose reports were not collected.
  std::size_t unreleased() const { return journal_->states().size(); }

  Disk disk;
  Work work;
  const crypto::Keys& keys() const { return keys_; }
  static constexpr auto lab = "sim";

  Result<void> send(const std::string& route, ByteView frame) override;
  void start(const TaskId& id, agent::Job job) override;
  void stop(const TaskId& id, agent::StopReason reason) override;
  void armed(const TaskId& id, Result<void> stored) override;
  /// None of its tasks wants anything.
  void piece(const TaskId& /*id*/, agent::Piece /*piece*/) override {}
  void review(const TaskId& id, Message<schema::Order> order) override;
  void undo(const TaskId& id, agent::Undoing undoing) override;

 private:
  Now now() const;
  /// As a watch that nobody can turn would show it.
  Instant true_wall() const { return world_.timeline.now() + clock_off_; }
  void begin(const TaskId& id, const Message<schema::Order>& order);
  /// What the audit of its disks shows now.
  Message<schema::Facts> disks() const;
  agent::Self self() const;
  void open_journal();
  void serve();
  /// With a loss of power, what was not synced may be lost.
  void bury(bool power);
  /// Runs what may end in the agent's death.
  void live(const std::function<void()>& act);
  enum class Rest { settled, unconfirmed, stuck };
  void end(const TaskId& id, schema::Outcome outcome, const Error& failure,
           Rest rest = Rest::settled);
  /// As a worker that asks before its first change.
  void ask(const TaskId& id, const std::string& wish);
  void take_up(const TaskId& id);
  void end_undo(const TaskId& id, const agent::Undoing& undoing);
  void check_against_journal() const;

  World world_;
  std::size_t index_;
  crypto::Keys keys_;
  Party controller_;
  std::optional<Party> stranger_;
  JournalMemory memory_;
  std::unique_ptr<SimJournal> journal_;
  std::optional<agent::Servant> servant_;
  /// Counts lives: work of an earlier one never ends.
  std::uint64_t life_ = 0;
  /// Counts starts of the machine.
  std::uint64_t boot_ = 0;
  /// The change that cut the line.
  std::optional<TaskId> cut_by_;
  std::map<TaskId, Instant> working_;
  /// What a worker does for a task: its work, a look, a way back. Each is stopped by itself.
  std::map<TaskId, std::uint64_t> jobs_;
  std::uint64_t last_job_ = 0;
  /// Those that destroy something.
  std::set<TaskId> deeds_;
  /// What a look at the disks saw when it began.
  std::map<TaskId, Message<schema::Facts>> seen_;
  bool disk_used_ = false;
  /// The address that its interface has, and the wish of each task that is to change it.
  std::string address_ = "at first";
  std::map<TaskId, std::string> wishes_;
  std::optional<TaskId> addressed_by_;
  std::set<TaskId> sent_;
  Millis clock_off_{0};
};

}  // namespace relab::sim
