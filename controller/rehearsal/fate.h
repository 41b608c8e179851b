#pragma once

/// What befalls actors while they work: faults that a rehearsal tries.

#include <string>

#include "agent/host/host.h"
#include "controller/rehearsal/task_host.h"
#include "schema/wire.capnp.h"

namespace relab::rehearsal {

/// Without one of their own, nothing does.
class Fate {
 public:
  Fate() = default;
  Fate(const Fate&) = delete;
  Fate& operator=(const Fate&) = delete;
  virtual ~Fate() = default;

  /// A task begins; how long its agent lives.
  virtual Life begins(const std::string& /*agent*/, schema::Order::Reader /*order*/) { return {}; }
  /// A task tells how far it is, out of what it tells. Whether its agent dies of that.
  virtual bool advances(const std::string& /*agent*/, schema::Order::Reader /*order*/,
                        const agent::Advance& /*advance*/) {
    return false;
  }
  /// A task waits for a person, who is told this.
  virtual void asks(schema::Order::Reader /*order*/, const std::string& /*for_person*/) {}
  /// A task has come to its end; empty: it did not fail.
  virtual void ends(const std::string& /*agent*/, schema::Order::Reader /*order*/,
                    schema::Outcome /*outcome*/, const std::string& /*failure*/) {}
  /// The agent has died in the middle of a task, then.
  virtual void dies(const std::string& /*agent*/, Instant /*when*/) {}
};

}  // namespace relab::rehearsal
