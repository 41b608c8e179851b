#pragma once

/// Carries out one order over a host: observe, plan, apply, and observe again, since a task is done
/// only once nothing is left to be changed. What may cut the agent off is undone again if it fails.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/kinds/kind.h"
#include "common/wire/message.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

/// What a task came to.
struct Work {
  schema::Outcome outcome = schema::Outcome::SUCCEEDED;
  /// Where it did not succeed.
  Error failure = {.fault = Fault::damaged, .what = {}};
  /// As the machine was seen last.
  std::optional<Message<schema::Facts>> facts = {};
  /// What was changed, in words; in check mode, what would be changed.
  /// Behind "! ": what was not, and a person should know.
  std::vector<std::string> changes = {};
  /// A change was made that is to be undone unless it is confirmed.
  bool unconfirmed = false;
  /// It failed, and what it had changed could not be undone.
  bool stuck = false;
  /// What became of the changes of a task that failed and could be undone: "undone"; empty if they
  /// stand.
  std::string aftermath = {};
};

/// Keeps durably how the machine was before the first change. Nothing is changed if it fails.
using Arm = std::function<Result<void>(const Message<schema::Facts>& before)>;

/// `arm` is asked once, and only for kinds whose changes are confirmed.
Work carry_out(schema::Order::Reader order, const Hands& hands, const Arm& arm);

/// Whether a change that was made is still as it should be: unconfirmed if so, as it was seen now.
Work review(schema::Order::Reader order, Host& host);

/// Brings the machine back to how it was, and sees that it is. Fault::cancelled if the task that
/// undoes was stopped meanwhile.
Result<void> undo(schema::Order::Reader order, schema::Facts::Reader before, Host& host);

}  // namespace relab::agent
