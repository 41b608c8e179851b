#pragma once

/// Bugs that can be planted, each in a double of a disk, a worker, the network or a clock: the
/// simulation must find every one of them.

#include <array>
#include <string_view>

namespace relab::sim {

enum class Plant {
  none,
  forgotten_ids,          ///< the journal does not know a task any more once it is acknowledged
  order_not_durable,      ///< the journal says "accepted" before the order is on the disk
  report_not_durable,     ///< the journal says "finished" before the report is on the disk
  running_begins_again,   ///< after a crash, a task that ran is taken for one that waited
  accepted_twice,         ///< the journal takes a task that it has
  same_session,           ///< every life of an agent has the same session nonce
  same_journal,           ///< an emptied journal has the identity of the one before
  strangers_trusted,      ///< a key that nobody enrolled is pinned
  shared_key,             ///< all agents have the same keys: orders fit all of them
  ledger_not_durable,     ///< the ledger says "written" one entry early
  worker_lies,            ///< a worker reports success for work that it did not do
  everything_converges,   ///< steps that must not run twice are declared safe to repeat
  run_forgotten,          ///< a controller begins the run anew when it comes back
  released_early,         ///< a report is dropped as soon as it was sent
  delivered_once,         ///< a report is sent once and never again
  ledger_forks,           ///< a controller that comes back lost the last entry of its ledger
  ages_ignored,           ///< nobody sees that evidence grows old: the clocks do not show it
  undo_not_durable,       ///< the journal says "armed" before the way back is on the disk
  confirm_over_old_line,  ///< the network calls an old connection a new one
  confirmed_by_itself,    ///< the journal takes a change that waits for one that was confirmed
  undo_forgotten,         ///< a way back that failed is reported as done
  review_skipped,         ///< a change that is confirmed is not looked at again
  nobody_asked,           ///< the controller approves by itself of what destroys
};

struct PlantName {
  Plant plant;
  std::string_view name;
};

inline constexpr std::array plants = {
    PlantName{Plant::forgotten_ids, "forgotten-ids"},
    PlantName{Plant::order_not_durable, "order-not-durable"},
    PlantName{Plant::report_not_durable, "report-not-durable"},
    PlantName{Plant::running_begins_again, "running-begins-again"},
    PlantName{Plant::accepted_twice, "accepted-twice"},
    PlantName{Plant::same_session, "same-session"},
    PlantName{Plant::same_journal, "same-journal"},
    PlantName{Plant::strangers_trusted, "strangers-trusted"},
    PlantName{Plant::shared_key, "shared-key"},
    PlantName{Plant::ledger_not_durable, "ledger-not-durable"},
    PlantName{Plant::worker_lies, "worker-lies"},
    PlantName{Plant::everything_converges, "everything-converges"},
    PlantName{Plant::run_forgotten, "run-forgotten"},
    PlantName{Plant::released_early, "released-early"},
    PlantName{Plant::delivered_once, "delivered-once"},
    PlantName{Plant::ledger_forks, "ledger-forks"},
    PlantName{Plant::ages_ignored, "ages-ignored"},
    PlantName{Plant::undo_forgotten, "undo-forgotten"},
    PlantName{Plant::review_skipped, "review-skipped"},
    PlantName{Plant::nobody_asked, "nobody-asked"},
    PlantName{Plant::undo_not_durable, "undo-not-durable"},
    PlantName{Plant::confirm_over_old_line, "confirm-over-old-line"},
    PlantName{Plant::confirmed_by_itself, "confirmed-by-itself"},
};

}  // namespace relab::sim
