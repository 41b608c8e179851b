// How the agent carries out what its core decided: in order, and the journal before the deed.

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "agent/kinds/kind.h"
#include "agent/service/delivery.h"
#include "agent/service/report.h"
#include "agent/service/servant.h"
#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/resource.h"

namespace relab::agent {

namespace {

/// Below this the journal takes no new task: the end of those it has must still fit.
constexpr std::uint64_t room_min = std::uint64_t{4} << 20U;

/// The resource on which carrying out this order destroys something.
std::string destroyed_by(schema::Order::Reader order) {
  const auto task = order.getTask();
  const bool destroys =
      order.getMode() == schema::Mode::APPLY && reflect::notes_of_kind(arm_of(task)).destructive;
  return destroys ? reflect::resource_of(task) : std::string();
}

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
  if (!order) return {};
  const auto arm = arm_of(order->reader().getTask());
  const auto kind = find_kind(arm);
  // A change that was only checked shows how it was, which is not what such a report is for. A look
  // is a look in either mode.
  const bool shows = order->reader().getMode() == schema::Mode::APPLY ||
                     (kind && (*kind)->plan == nullptr && (*kind)->awaits == nullptr);
  return shows ? std::string(arm) : std::string();
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
                             .order = Bytes(order.begin(), order.end()),
                             .destroys = destroyed_by(admission_->order.reader())});
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
  if (auto refused = refuse_late(effect.id)) {
    ends_.insert_or_assign(effect.id, std::move(*refused));
  } else if (const auto begun = journal_.begin(effect.id); !begun) {
    log_->error("task {} cannot begin: {}", effect.id.text(), begun.error().sentence());
    ends_.insert_or_assign(effect.id, failed_end(effect.id, begun.error()));
  }
  return true;
}

std::optional<TaskEnd> Servant::refuse_late(const TaskId& id) {
  const auto order = stored_order(id);
  if (!order) return failed_end(id, order.error());
  auto grounds = check_grounds(order->reader(), terms());
  // What was approved of was to be done then, and not whenever there is time.
  if (!destroyed_by(order->reader()).empty() &&
      order->reader().getNotAfter() < unix_millis(now_.wall))
    grounds = {schema::Refusal::EXPIRED, "it waited until its order had expired"};
  if (grounds.reason == schema::Refusal::NONE) return {};
  auto end = failed_end(id, {.fault = Fault::refused, .what = std::move(grounds.what)});
  end.outcome = schema::Outcome::REFUSED;
  return end;
}

bool Servant::perform(const effect::Start& effect) {
  const bool is_new = admission_ && admission_->id == effect.id;
  if (!is_new && ends_.contains(effect.id)) {
    feed(event::Ended{.id = effect.id});
  } else if (auto job = is_new ? make_job(std::move(admission_->order)) : stored_job(effect.id)) {
    labour_.start(effect.id, std::move(*job));
  } else {
    ends_.insert_or_assign(effect.id, failed_end(effect.id, job.error()));
    feed(event::Ended{.id = effect.id});
  }
  return true;
}

Result<Job> Servant::make_job(Message<schema::Order> order) const {
  RELAB_TRY(auto secrets, open_secrets(order.reader(), self_.keys));
  RELAB_TRY(auto delivery, delivery_of(order.reader(), self_.trust));
  return Job{.order = std::move(order),
             .secrets = std::move(secrets),
             .keys = &self_.keys,
             .ledger_head = newest_head(),
             .commands = self_.role.commands(),
             .delivery = std::move(delivery)};
}

Result<Job> Servant::stored_job(const TaskId& id) {
  RELAB_TRY(auto order, stored_order(id));
  return make_job(std::move(order));
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
  // When it began nobody knows any more.
  end.started = {};
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
