#include "controller/report/history.h"

#include <fmt/format.h>

#include "common/reflect/union.h"

namespace relab::controller {

namespace {

/// The payload of an envelope that was verified when the ledger was opened.
template <typename T>
std::optional<Message<T>> payload(ByteView envelope) {
  const auto outer = Message<schema::Envelope>::parse(envelope);
  if (!outer) return {};
  auto inner = Message<T>::parse(view(outer->reader().getPayload()));
  return inner ? std::optional(std::move(*inner)) : std::nullopt;
}

std::string words_of(schema::Outcome outcome) {
  switch (outcome) {
    case schema::Outcome::SUCCEEDED:
      return "succeeded";
    case schema::Outcome::FAILED:
      return "failed";
    case schema::Outcome::REFUSED:
      return "declined";
    case schema::Outcome::CANCELLED:
      return "cancelled";
    case schema::Outcome::UNKNOWN:
      return "unknown";
    case schema::Outcome::UNSET:
      break;
  }
  return "without an outcome";
}

class Teller {
 public:
  Teller(HistoryLine& line, const State& state) : line_(line), state_(state) {}

  void tell(schema::Entry::Reader entry);

 private:
  /// Fills in whose the task is.
  void of_task(ByteView id);
  void of_run(ByteView id);
  void ordered(ByteView envelope);
  void received(ByteView envelope);
  void refused(ByteView envelope);
  void judged(schema::Judged::Reader judged);
  void approved(ByteView envelope);
  void waived(ByteView envelope);

  HistoryLine& line_;
  const State& state_;
};

void Teller::of_task(ByteView id) {
  const auto known = TaskId::from(id);
  if (!known) return;
  line_.task = known->text();
  const auto task = state_.tasks().find(*known);
  if (task == state_.tasks().end()) return;
  line_.agent = task->second.agent;
  line_.run = task->second.run.text();
  line_.phase = task->second.phase;
  line_.what = task->second.step;
}

void Teller::of_run(ByteView id) {
  const auto known = RunId::from(id);
  for (const auto& run : state_.runs())
    if (known && run.id == *known) line_.phase = run.phase;
  if (!known) return;
  line_.run = known->text();
  line_.what = fmt::format("run {}", known->brief());
}

void Teller::ordered(ByteView envelope) {
  const auto order = payload<schema::Order>(envelope);
  if (!order) return;
  of_task(view(order->reader().getTaskId()));
  if (order->reader().getAttempt() > 1)
    line_.what += fmt::format(", attempt {}", order->reader().getAttempt());
}

void Teller::received(ByteView envelope) {
  const auto report = payload<schema::Report>(envelope);
  if (!report) return;
  of_task(view(report->reader().getTaskId()));
  line_.what += " " + words_of(report->reader().getOutcome());
  if (const auto why = str(report->reader().getFailure().getWhat()); !why.empty())
    line_.what += ": " + why;
}

void Teller::refused(ByteView envelope) {
  const auto receipt = payload<schema::Receipt>(envelope);
  if (!receipt) return;
  of_task(view(receipt->reader().getTaskId()));
  line_.what += ": " + str(receipt->reader().getWhat());
}

void Teller::judged(schema::Judged::Reader judged) {
  line_.phase = str(judged.getPhase());
  line_.what = judged.getOpen() ? "open" : "closed";
  for (const auto verdict : judged.getConditions())
    if (!verdict.getMet()) line_.what += fmt::format(", {} not met", str(verdict.getCondition()));
}

void Teller::approved(ByteView envelope) {
  const auto approval = payload<schema::Approval>(envelope);
  if (!approval) return;
  line_.phase = str(approval->reader().getPhase());
  line_.what =
      fmt::format("what {} step(s) destroy, until {}", approval->reader().getSteps().size(),
                  iso8601(instant_of(approval->reader().getNotAfter())));
}

void Teller::waived(ByteView envelope) {
  const auto waiver = payload<schema::Waiver>(envelope);
  if (!waiver) return;
  line_.phase = str(waiver->reader().getPhase());
  line_.what = fmt::format(
      "{} of {}, until {}: {}", str(waiver->reader().getCondition()), str(waiver->reader().getOf()),
      iso8601(instant_of(waiver->reader().getNotAfter())), str(waiver->reader().getReason()));
}

void Teller::tell(schema::Entry::Reader entry) {
  switch (entry.which()) {
    case schema::Entry::UNSET:
      return;
    case schema::Entry::CREATED:
      line_.what = fmt::format("the ledger of the lab '{}'", str(entry.getCreated().getLab()));
      return;
    case schema::Entry::ENROLLED:
      line_.agent = str(entry.getEnrolled().getName());
      line_.what = str(entry.getEnrolled().getEndpoint());
      return;
    case schema::Entry::REMOVED:
      line_.agent = str(entry.getRemoved().getName());
      line_.what = str(entry.getRemoved().getReason());
      return;
    case schema::Entry::RUN_STARTED:
      return of_run(view(entry.getRunStarted().getRun()));
    case schema::Entry::ORDERED:
      return ordered(view(entry.getOrdered().getEnvelope()));
    case schema::Entry::RECEIVED:
      return received(view(entry.getReceived().getEnvelope()));
    case schema::Entry::REFUSED:
      return refused(view(entry.getRefused().getEnvelope()));
    case schema::Entry::ABANDONED:
      of_task(view(entry.getAbandoned().getTaskId()));
      line_.what += ": " + str(entry.getAbandoned().getWhy());
      return;
    case schema::Entry::CANCEL_ASKED:
      if (entry.getCancelAsked().getRun().size() != 0)
        of_run(view(entry.getCancelAsked().getRun()));
      else
        of_task(view(entry.getCancelAsked().getTaskId()));
      line_.what += " is to be cancelled";
      return;
    case schema::Entry::CONFIRMED:
      of_task(view(entry.getConfirmed().getTaskId()));
      line_.what += ": the agent is still there, its change stays";
      return;
    case schema::Entry::APPROVED:
      return approved(view(entry.getApproved().getEnvelope()));
    case schema::Entry::WAIVED:
      return waived(view(entry.getWaived().getEnvelope()));
    case schema::Entry::JUDGED:
      return judged(entry.getJudged());
    case schema::Entry::CHECKPOINT:
      line_.what = fmt::format("signed head of the {} entries before", line_.number - 1);
      return;
    case schema::Entry::RUN_ENDED:
      of_run(view(entry.getRunEnded().getRun()));
      line_.what += fmt::format(": {} tasks succeeded, {} failed, {} without a report",
                                entry.getRunEnded().getSucceeded(), entry.getRunEnded().getFailed(),
                                entry.getRunEnded().getMissing());
      return;
  }
}

}  // namespace

bool passes(const HistoryLine& line, const HistoryFilter& filter) {
  const auto fits = [](const std::string& wish, const std::string& is) {
    return wish.empty() || wish == is;
  };
  return fits(filter.kind, line.kind) && fits(filter.agent, line.agent) &&
         fits(filter.phase, line.phase) && line.task.ends_with(filter.task) &&
         line.run.ends_with(filter.run) && (!filter.since || line.time >= *filter.since) &&
         (!filter.until || line.time < *filter.until);
}

std::vector<HistoryLine> history(const Ledger& ledger, const State& state,
                                 const HistoryFilter& filter) {
  std::vector<HistoryLine> lines;
  for (const auto& stored : ledger.entries()) {
    const auto entry = stored.entry.reader();
    HistoryLine line{.number = stored.number,
                     .time = instant_of(entry.getTime()),
                     .kind = std::string(reflect::member_of(capnp::toDynamic(entry)))};
    Teller(line, state).tell(entry);
    if (passes(line, filter)) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> history_kinds() {
  std::vector<std::string> kinds;
  for (const auto field : capnp::Schema::from<schema::Entry>().getUnionFields())
    if (std::string name(field.getProto().getName().cStr()); name != "unset")
      kinds.push_back(std::move(name));
  return kinds;
}

}  // namespace relab::controller
