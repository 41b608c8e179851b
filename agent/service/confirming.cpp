// Changes that may cut the agent off: the way back is stored before, and taken unless a controller
// comes over a new connection and confirms. After a restart of the agent what waits goes on
// waiting; after one of the machine it is undone, since nobody knows what the restart left of it.

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "agent/service/servant.h"

namespace relab::agent {

bool Servant::perform(const effect::Hold& effect) {
  const auto end = ends_.find(effect.id);
  RELAB_ASSERT(end != ends_.end());
  const auto held = [&]() -> Result<void> {
    RELAB_TRY(const auto report, signed_report(end->second));
    return journal_.hold(effect.id, report, now_.wall + effect.left);
  }();
  if (!held) {
    log_->error("the change of task {} is undone: {}", effect.id.text(), held.error().sentence());
    feed(event::HoldFailed{effect.id});
    return false;
  }
  ends_.erase(end);
  auto& old = old_routes_[effect.id];
  for (const auto& session : sessions_) old.insert(session.route);
  return true;
}

bool Servant::perform(const effect::Announce& effect) {
  Draft<schema::Unconfirmed> unconfirmed;
  unconfirmed->setTaskId(blob(effect.id.bytes));
  unconfirmed->setLeft(static_cast<std::uint64_t>(effect.left.count()));
  send(std::move(unconfirmed).finish());
  return true;
}

Result<Undoing> Servant::way_back(const effect::Undo& effect) {
  RELAB_TRY(const auto row, journal_.find(effect.id));
  if (!row) return fail(Fault::damaged, "the journal lost the task");
  RELAB_TRY(auto order, Message<schema::Order>::parse(row->order).during("reading its order"));
  RELAB_TRY(auto before,
            Message<schema::Facts>::parse(row->before).during("reading how it was before"));
  return Undoing{.order = std::move(order),
                 .before = std::move(before),
                 .why = effect.why,
                 .outcome = effect.outcome};
}

bool Servant::perform(const effect::Review& effect) {
  auto order = stored_order(effect.id);
  if (order)
    labour_.review(effect.id, std::move(*order));
  else
    feed(event::Ended{.id = effect.id, .why = order.error().sentence()});
  return true;
}

bool Servant::perform(const effect::Undo& effect) {
  log_->warn("the change of task {} is undone: {}", effect.id.text(), effect.why);
  ends_.erase(effect.id);
  // A full disk does not keep the agent cut off. Until the end is stored the journal says then that
  // the change waits, which leads the next life back once more.
  if (const auto retracted = journal_.retract(effect.id); !retracted)
    log_->error("task {}: {}", effect.id.text(), retracted.error().sentence());
  auto back = way_back(effect);
  if (back) {
    labour_.undo(effect.id, std::move(*back));
    return true;
  }
  auto end = failed_end(effect.id, {.fault = Fault::damaged,
                                    .what = fmt::format("{}: it could not be undone: {}",
                                                        effect.why, back.error().sentence())});
  end.outcome = schema::Outcome::UNKNOWN;
  ends_.insert_or_assign(effect.id, std::move(end));
  feed(event::Ended{.id = effect.id});
  return true;
}

Result<TaskEnd> Servant::reviewed(const TaskId& id) {
  RELAB_TRY(const auto row, journal_.find(id));
  if (!row) return fail(Fault::damaged, "the journal lost the task");
  RELAB_TRY(const auto report, open_signed<schema::Report>(row->report, self_.keys.sign_key())
                                   .during("reading the report that was held"));
  auto& end = ends_.at(id);
  const auto held = report.first.reader();
  end.started = instant_of(held.getStartedAt());
  end.changes.clear();
  for (const auto change : held.getChanges()) end.changes.push_back(str(change));
  std::vector<std::string> log;
  for (const auto line : held.getLog()) log.push_back(str(line));
  end.log.insert(end.log.begin(), log.begin(), log.end());
  return std::move(end);
}

bool Servant::perform(const effect::Keep& effect) {
  const auto kept = [&]() -> Result<void> {
    RELAB_TRY(const auto end, reviewed(effect.id));
    RELAB_TRY(const auto report, signed_report(end));
    return journal_.keep({.id = effect.id, .report = report, .arm = shown_by(effect.id)});
  }();
  ends_.erase(effect.id);
  if (kept) {
    old_routes_.erase(effect.id);
    return true;
  }
  log_->error("the change of task {} is not confirmed: {}", effect.id.text(),
              kept.error().sentence());
  core_.on(event::KeepFailed{effect.id}, now_.steady);
  return false;
}

}  // namespace relab::agent
