#include "tests/simulation/watch.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/envelope.h"
#include "controller/ledger/ledger.h"
#include "schema/ledger.capnp.h"

namespace relab::sim {

namespace {

template <typename... Parts>
void require(bool held, fmt::format_string<Parts...> words, Parts&&... parts) {
  if (!held) throw Violation(fmt::format(words, std::forward<Parts>(parts)...));
}

template <typename T>
Message<T> payload(ByteView envelope) {
  const auto outer = Message<schema::Envelope>::parse(envelope);
  require(outer.has_value(), "an envelope in the ledger cannot be read");
  auto inner = Message<T>::parse(view(outer->reader().getPayload()));
  require(inner.has_value(), "the payload of an envelope in the ledger cannot be read");
  return std::move(*inner);
}

TaskId id_of(ByteView bytes) {
  const auto id = TaskId::from(bytes);
  require(id.has_value(), "a task id that is none");
  return *id;
}

}  // namespace

void Watch::begun(std::size_t agent, const TaskId& task, const std::string& step) {
  ++counts.started;
  require(begun_.insert(task).second, "task {} was executed twice", task.text());
  const auto order = orders_.find(task);
  require(order != orders_.end(), "task {} was executed and never ordered", task.text());
  require(!order->second.refused, "task {} was refused, and executed", task.text());
  require(order->second.step == step, "task {} was ordered for {} and executed for {}", task.text(),
          order->second.step, step);
  const auto owner = owner_.find(step);
  require(owner != owner_.end() && owner->second == agent, "{} was executed by agent {}", step,
          agent);
  const auto before = step_begun_.find(step);
  require(!once_only_.contains(step) || before == step_begun_.end(),
          "{} was executed again as {}, and must not be", step, task.text());
  step_begun_.insert_or_assign(step, task);
  began_[task] = ++moment_;
}

void Watch::looked(std::size_t agent, const TaskId& task, Look look) {
  look.moment = began_[task];
  looks_.insert_or_assign(agent, look);
}

void Watch::applied(std::size_t agent, const TaskId& task, Instant now) {
  ++counts.changed;
  for (const auto& [other, change] : changes_)
    require(other == task || change.agent != agent || change.kept,
            "task {} changes what task {} changed, and that is not settled", task.text(),
            other.text());
  changes_[task] = {.agent = agent, .made = now};
}

void Watch::altered(const TaskId& task) {
  if (const auto change = changes_.find(task); change != changes_.end())
    change->second.altered = true;
}

void Watch::reviewed(const TaskId& task) {
  if (const auto change = changes_.find(task); change != changes_.end())
    change->second.reviewed = !change->second.altered;
}

void Watch::relied_on(std::size_t agent, const TaskId& task) const {
  for (const auto& [other, change] : changes_)
    require(change.agent != agent || change.kept,
            "task {} relies on what task {} changed, and that is not settled", task.text(),
            other.text());
}

void Watch::destroys(std::size_t agent, schema::Order::Reader order, Instant now) {
  ++counts.destroyed;
  const auto step = str(order.getStep());
  require(order.getEvidence().size() == 1, "{} destroys without evidence", step);
  const auto evidence = view(order.getEvidence()[0]);
  const auto digest = payload_digest(evidence);
  const auto look = looks_.find(agent);
  require(look != looks_.end() && look->second.report == digest,
          "{} destroys on what is not the newest report of agent {}", step, agent);
  require(instant_of(order.getNotAfter()) >= now, "{} destroys after its order has expired", step);
  require(look->second.moment > last_deed_[agent],
          "{} destroys on a report from before the disk was wiped last", step);
  destroyed(agent);
  const auto age = now - look->second.taken;
  require(age >= Millis(0) && age <= std::chrono::hours(1), "{} destroys on a report {} ms old",
          step, age.count());
  const auto report = payload<schema::Report>(evidence);
  const auto disks = report.reader().getFacts().getAuditDisks();
  require(
      disks.getDisks().size() == 1 && disks.getUsers().size() == 0 &&
          view(disks.getDisks()[0].getSerial()) == view(order.getTask().getWipeDisk().getSerial()),
      "{} destroys a disk that is not the one, or used", step);
  require(approved_.contains({step, digest}), "{} destroys, and nobody approved of that", step);
}

void Watch::confirm_arrives(const TaskId& task, Instant connection_made) {
  const auto change = changes_.find(task);
  if (change != changes_.end() && connection_made > change->second.made)
    change->second.confirmed_anew = true;
}

void Watch::kept(const TaskId& task) {
  ++counts.kept;
  const auto change = changes_.find(task);
  require(change != changes_.end(), "task {} keeps a change that was not made", task.text());
  require(confirmed_.contains(task),
          "the change of task {} is kept, and the ledger has no word of it", task.text());
  require(change->second.confirmed_anew,
          "the change of task {} is kept, and nobody came over a new connection", task.text());
  require(change->second.reviewed,
          "the change of task {} is kept, and was not seen to be as it should", task.text());
  change->second.kept = true;
  completed_.insert(task);
}

bool Watch::settled() const {
  return std::ranges::all_of(changes_, [](const auto& change) { return change.second.kept; });
}

void Watch::check_changes() const {
  for (const auto& [task, change] : changes_)
    require(change.kept, "the change of task {} was neither confirmed nor undone", task.text());
}

void Watch::completed(const TaskId& task) { completed_.insert(task); }

void Watch::entered(const controller::StoredEntry& entry) {
  ++entries_;
  require(entry.number == entries_, "entry {} of the ledger came as number {}", entry.number,
          entries_);
  head_ = controller::chain(head_, entry.body);
  require(crypto::equal(head_, entry.hash), "entry {} does not fit the chain", entry.number);
  const auto message = Message<schema::Entry>::parse(entry.body);
  require(message.has_value(), "entry {} cannot be read", entry.number);
  const auto body = message->reader();
  if (body.isOrdered()) take_order(view(body.getOrdered().getEnvelope()));
  if (body.isReceived()) take_report(view(body.getReceived().getEnvelope()));
  if (body.isConfirmed()) confirmed_.insert(id_of(view(body.getConfirmed().getTaskId())));
  if (body.isAbandoned()) {
    ++counts.abandoned;
    auto& known = orders_[id_of(view(body.getAbandoned().getTaskId()))];
    known.abandoned = true;
    known.words = "given up: " + str(body.getAbandoned().getWhy());
  }
  if (body.isRefused()) {
    const auto receipt = payload<schema::Receipt>(view(body.getRefused().getEnvelope()));
    const auto task = id_of(view(receipt.reader().getTaskId()));
    require(!began_.contains(task), "task {} was executed, and refused", task.text());
    auto& known = orders_[task];
    known.refused = true;
    known.words = "refused: " + str(receipt.reader().getWhat());
  }
}

void Watch::take_order(ByteView envelope) {
  const auto order = payload<schema::Order>(envelope);
  auto& known = orders_[id_of(view(order.reader().getTaskId()))];
  known.step = str(order.reader().getStep());
}

void Watch::take_report(ByteView envelope) {
  const auto report = payload<schema::Report>(envelope);
  const auto task = id_of(view(report.reader().getTaskId()));
  const auto outcome = report.reader().getOutcome();
  auto& known = orders_[task];
  require(!known.step.empty(), "a report for task {}, which was never ordered, is in the ledger",
          task.text());
  const auto digest = payload_digest(envelope);
  require(!known.reported || known.report == digest, "task {} has two reports in the ledger",
          task.text());
  require(outcome != schema::Outcome::SUCCEEDED || completed_.contains(task),
          "task {} is said to have succeeded, and its work was not done", task.text());
  known.reported = true;
  known.outcome = outcome;
  known.words = fmt::format("reported {}: {}", static_cast<int>(outcome),
                            str(report.reader().getFailure().getWhat()));
  known.report = digest;
  ++(outcome == schema::Outcome::SUCCEEDED ? counts.succeeded : counts.failed);
}

void Watch::released(const TaskId& task, ByteView report) {
  const auto order = orders_.find(task);
  require(order != orders_.end() && order->second.reported &&
              order->second.report == payload_digest(report),
          "the report of task {} was let go and is not in the ledger", task.text());
}

void Watch::check_ended() const {
  for (const auto& [task, known] : orders_)
    require(known.reported || known.abandoned || known.refused,
            "nobody knows what became of task {} ({})", task.text(), known.step);
}

std::set<std::string> Watch::succeeded_steps() const {
  std::set<std::string> steps;
  for (const auto& [task, known] : orders_)
    if (known.outcome == schema::Outcome::SUCCEEDED) steps.insert(known.step);
  return steps;
}

std::string Watch::story(const std::string& step) const {
  std::string text;
  for (const auto& [task, known] : orders_)
    if (known.step == step) text += fmt::format("\n  {} {}", task.text(), known.words);
  return text.empty() ? "\n  it was never ordered" : text;
}

}  // namespace relab::sim
