#pragma once

/// What an actor works on.

#include <string>

#include "agent/host/host.h"

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
  /// What came with the next task's order to be handed on; empty: nothing.
  virtual void deliver(const std::optional<agent::Delivery>& delivery) = 0;
  virtual std::string machine_id() const = 0;
};

}  // namespace relab::rehearsal
