#pragma once

/// Faults that a rehearsal tries: what is to go wrong, with what, and when.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/rehearsal/fate.h"
#include "schema/lab.capnp.h"

namespace relab::rehearsal {

enum class FaultKind {
  disk_fails,
  disk_pulled,
  disk_full,
  agent_dies,
  guest_does_not_start,
  guest_ends,
  guest_locked,
  storage_full,
  download_fails,
};

struct FaultWish {
  /// As it was asked for.
  std::string text;
  FaultKind kind;
  /// The disk's serial number, the agent's, guest's or storage's name.
  std::string who;
  /// A step's path or name, a task kind, or a task kind with one of its texts: "guest:pbs". Empty:
  /// from the beginning on.
  std::string during;
  /// How far that step is, by what it tells, from 0 to 1.
  double at = 0;
  /// Of a disk that is full: how much fits.
  std::uint64_t bytes = 0;
  /// Of an agent that dies as soon as it has begun: with which of the task's calls.
  unsigned calls = 3;
};

/// "disk:SERIAL fails at 40% of zfs_backup", "disk:SERIAL is pulled during 0b/0b/write",
/// "disk:SERIAL full at 1.2 TB", "usb full at 1.2 TB", "agent:NAME dies during guest:pbs",
/// "guest:NAME does not start", "guest:NAME ends after its start", "guest:NAME is locked",
/// "storage:NAME is full", "download fails". Fault::invalid, with what there is, for another text.
Result<FaultWish> parse_fault(std::string_view text);

/// That it is clear which step of the plan is meant. Fault::invalid otherwise.
Result<void> check_step(const FaultWish& wish, schema::Lab::Reader lab);

/// What there is, one form in each line.
std::string fault_forms();

class Faults final : public Fate {
 public:
  /// Called for each fault as it is to come about, but for agents that die. Whether it did.
  using Strike = std::function<bool(const FaultWish& wish)>;
  /// Whether anything met with what has come about.
  using Met = std::function<bool(const FaultWish& wish)>;
  using Fall = std::function<void(const std::string& agent, Instant when)>;
  /// A task of the agent has succeeded.
  using Success = std::function<void(const std::string& agent, schema::Order::Reader order)>;
  /// One has failed, in these words.
  using Failure = std::function<void(const std::string& what)>;
  struct Listeners {
    Strike strike;
    Met met;
    Fall fall;
    Success success;
    Failure failure = [](const std::string& /*what*/) {};
  };

  Faults(std::vector<FaultWish> wishes, Listeners listeners);

  /// Those that are there from the beginning.
  void begin();
  /// Those that have not come about, or that nothing met with; each with why, in words.
  std::vector<std::pair<std::string, std::string>> left() const;
  /// Those that have, each with the step in which it was; empty: from the beginning on.
  std::vector<std::pair<std::string, std::string>> came_about() const;

  Life begins(const std::string& agent, schema::Order::Reader order) override;
  bool advances(const std::string& agent, schema::Order::Reader order,
                const agent::Advance& advance) override;
  void asks(schema::Order::Reader order, const std::string& for_person) override;
  /// What people were asked for, by the steps that did; what was asked first.
  const std::map<std::string, std::string>& asked() const { return asked_; }
  void ends(const std::string& agent, schema::Order::Reader order, schema::Outcome outcome,
            const std::string& failure) override;
  void dies(const std::string& agent, Instant when) override;

 private:
  struct Pending {
    FaultWish wish;
    bool done = false;
    /// An agent is to die in the task that it has begun.
    bool armed = false;
    /// The step in which it came about.
    std::string step = {};
    /// Of one that waits for how far a step is: that step, the first that is meant.
    std::string bound = {};
    /// How far it came, by what it told.
    double furthest = 0;
    bool from_the_beginning() const {
      return wish.during.empty() && wish.kind != FaultKind::agent_dies;
    }
  };
  void strike(Pending& pending, const std::string& step);
  static std::string why_left(const Pending& pending);

  std::vector<Pending> pending_;
  Listeners listeners_;
  std::map<std::string, std::string> asked_;
};

}  // namespace relab::rehearsal
