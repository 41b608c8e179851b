// How the agent carries out what its core decided: in order, and the journal before the deed.

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "agent/kinds/kind.h"
#include "agent/service/report.h"
#include "agent/service/servant.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

/// Below this the journal takes no new task: the end of those it has must still fit.
constexpr std::uint64_t room_min = std::uint64_t{4} << 20U;

}  // namespace

TaskEnd Servant::failed_end(const TaskId& id, Error failure) const {
  return {.id = id,
          .started = now_.wall,
          .ended = now_.wall,
          .outcome = schema::Outcome::FAILED,
          .failure = std::move(failure)};
}

std::string Servant::shown_by(const TaskId& id) {
  const auto order = stored_order(id);
  if (!order || order->reader().getMode() != schema::Mode::APPLY) return {};
  return std::string(arm_of(order->reader().getTask()));
}

void Servant::feed(const Event& event) {
  for (const auto& effect : core_.on(event, now_.steady))
    if (!std::visit([&](const auto& what) { return perform(what); }, effect)) return;
}

bool Servant::perform(const effect::Accept& effect) {
  RELAB_ASSERT(admission_ && admission_->id == effect.id);
  const auto order = admission_->order.bytes();
  const auto room = journal_.room();
  auto stored =
      room && *room < room_min
          ? Result<void>(fail(Fault::busy, fmt::format("only {} are free under {}",
                                                       human_bytes(*room), journal_.place())))
          : journal_.accept({.id = effect.id,
                             .task_digest = admission_->task_digest,
                             .order_digest = admission_->order_digest,
                             .state = effect.begin ? TaskState::running : TaskState::accepted,
                             .order = Bytes(order.begin(), order.end())});
  if (stored) {
    log_->info("task {} accepted: {} for {}", effect.id.text(),
               arm_of(admission_->order.reader().getTask()),
               str(admission_->order.reader().getStep()));
    return true;
  }
  log_->error("task {} was not accepted: {}", effect.id.text(), stored.error().sentence());
  feed(event::AcceptFailed{.id = effect.id, .why = stored.error().sentence()});
  return false;
}

bool Servant::perform(const effect::Begin& effect) {
  if (const auto begun = journal_.begin(effect.id); !begun) {
    log_->error("task {} cannot begin: {}", effect.id.text(), begun.error().sentence());
    ends_.insert_or_assign(effect.id, failed_end(effect.id, begun.error()));
  }
  return true;
}

bool Servant::perform(const effect::Start& effect) {
  if (admission_ && admission_->id == effect.id)
    start(effect.id, std::move(admission_->order));
  else if (ends_.contains(effect.id))
    start(effect.id, fail(Fault::cancelled, "it did not begin"));
  else
    start(effect.id, stored_order(effect.id));
  return true;
}

void Servant::start(const TaskId& id, Result<Message<schema::Order>> order) {
  // It may have waited since it was admitted: behind others, or while the agent was down.
  auto grounds = order ? check_grounds(order->reader(), terms()) : Refused{};
  if (order && grounds.reason == schema::Refusal::NONE) {
    labour_.start(id, std::move(*order));
    return;
  }
  auto end = failed_end(
      id, order ? Error{.fault = Fault::refused, .what = std::move(grounds.what)} : order.error());
  if (order) end.outcome = schema::Outcome::REFUSED;
  ends_.try_emplace(id, std::move(end));
  feed(event::Ended{id});
}

Result<Message<schema::Order>> Servant::stored_order(const TaskId& id) {
  RELAB_TRY(const auto row, journal_.find(id));
  if (!row) return fail(Fault::damaged, "the journal lost the order");
  return Message<schema::Order>::parse(row->order);
}

bool Servant::perform(const effect::Stop& effect) {
  labour_.stop(effect.id, effect.reason);
  return true;
}

bool Servant::perform(const effect::Conclude& effect) {
  auto end = failed_end(effect.id, {.fault = Fault::cancelled, .what = effect.what});
  end.outcome = effect.outcome;
  ends_.insert_or_assign(effect.id, std::move(end));
  return perform(effect::Finish{effect.id});
}

Result<Bytes> Servant::signed_report(const TaskEnd& end) {
  RELAB_TRY(const auto row, journal_.find(end.id));
  if (!row) return fail(Fault::damaged, "the journal lost the task");
  const auto report =
      make_report(end, *row, {.machine_id = self_.machine_id, .boot_id = self_.boot_id});
  const auto envelope = sign(self_.keys, report);
  return Bytes(envelope.bytes().begin(), envelope.bytes().end());
}

bool Servant::perform(const effect::Finish& effect) {
  const auto end = ends_.find(effect.id);
  RELAB_ASSERT(end != ends_.end());
  const auto stored = [&]() -> Result<void> {
    RELAB_TRY(const auto report, signed_report(end->second));
    return journal_.finish({.id = effect.id, .report = report, .arm = shown_by(effect.id)});
  }();
  if (stored) {
    ends_.erase(end);
    complained_.erase(effect.id);
    old_routes_.erase(effect.id);
    return true;
  }
  if (complained_.insert(effect.id).second)
    log_->error("the report of task {} is not stored yet: {}", effect.id.text(),
                stored.error().sentence());
  core_.on(event::FinishFailed{effect.id}, now_.steady);
  return true;
}

bool Servant::perform(const effect::Answer& effect) {
  if (effect.refusal != schema::Refusal::NONE) ++turned_.refused[effect.refusal];
  send(receipt({.task = Bytes(effect.id.bytes.begin(), effect.id.bytes.end()),
                .order_digest = admission_ ? admission_->order_digest : crypto::Digest{},
                .refusal = effect.refusal,
                .what = effect.what,
                .state = effect.state}));
  return true;
}

bool Servant::perform(const effect::Deliver& effect) {
  const auto row = journal_.find(effect.id);
  // What waits to be confirmed has a report that is none yet.
  if (!row || !*row || (*row)->state != TaskState::finished) return true;
  send_frame((*row)->report);
  return true;
}

bool Servant::perform(const effect::Release& effect) {
  if (const auto done = journal_.acknowledge(effect.id); !done) {
    log_->warn("task {} stays in the journal: {}", effect.id.text(), done.error().sentence());
    // Its report goes out once more at the next attach, and is acknowledged then.
    core_.on(event::ReleaseFailed{effect.id}, now_.steady);
  }
  return true;
}

bool Servant::perform(const effect::Exit& /*effect*/) {
  leaving_ = true;
  return true;
}

}  // namespace relab::agent
