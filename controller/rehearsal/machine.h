#pragma once

/// What an actor works on.

#include <string>

#include "agent/host/host.h"
#include "agent/worker/workers.h"

namespace relab::rehearsal {

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  /// The host, with its clock set: how far that has come once a task is done is what the task took.
  /// Tasks side by side see each what those that began before did, as if they had ended.
  virtual agent::Host& host_at(Instant now) = 0;
  /// What came with the next task: secrets, files to be handed on, what the agent was shown.
  virtual void hand(const agent::Job& job) = 0;
  /// A person is told this, and may do something about it, while a task waits.
  virtual void ask(const agent::Waiting& waiting) = 0;
  /// What the task has just told of its progress, where bytes stand for more than they are.
  virtual agent::Advance in_real_bytes(const agent::Advance& advance) const { return advance; }
  virtual std::string machine_id() const = 0;
};

}  // namespace relab::rehearsal
