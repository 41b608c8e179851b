#include "agent/kinds/carry_out.h"

#include <exception>
#include <fmt/format.h>
#include <utility>

#include "agent/host/forwarding_host.h"
#include "agent/kinds/kind.h"
#include "common/reflect/union.h"
#include "common/wire/envelope.h"

namespace relab::agent {

namespace {

/// How often what a person has to do is looked for.
/// The longer it takes, the less often: a person who is asked for a disk may come tomorrow.
constexpr auto look_again_min = Millis(2'000);
constexpr auto look_again_max = Millis(30'000);
constexpr int looks_in_a_wait = 60;
constexpr int undo_tries = 3;
constexpr auto undo_pause = Millis(1000);

using Changes = std::vector<Change>;

/// A bug in a kind ends its task, not the agent.
template <typename Call>
auto guarded(Call call) -> decltype(call()) try {
  return call();
} catch (const std::exception& exception) {
  return fail(Fault::damaged, fmt::format("internal error in the task kind: {}", exception.what()),
              "report this with the agent's log");
}

Result<Message<schema::Facts>> checked(Message<schema::Facts> facts) {
  if (facts.bytes().size() <= facts_size_max) return facts;
  return fail(
      Fault::unsupported,
      fmt::format("the facts have {} bytes, more than a report can carry", facts.bytes().size()));
}

Result<Message<schema::Facts>> observe(const Kind& kind, schema::Task::Reader task, Host& host) {
  return guarded([&]() -> Result<Message<schema::Facts>> {
    RELAB_TRY(auto facts, kind.observe(task, host));
    return checked(std::move(facts));
  });
}

Result<Changes> plan(const Kind& kind, schema::Task::Reader task, schema::Facts::Reader facts) {
  return guarded([&] { return kind.plan(task, facts); });
}

Result<void> apply(const Kind& kind, const Change& change, const Hands& hands) {
  return guarded([&] { return kind.apply(change, hands); }).during(change.what);
}

std::vector<std::string> words_of(const Changes& changes) {
  std::vector<std::string> words;
  for (const auto& change : changes) words.push_back(change.what);
  return words;
}

/// Keeps what is remarked.
class ListeningHost final : public ForwardingHost {
 public:
  using ForwardingHost::ForwardingHost;
  void remark(const std::string& text) override { remarks_.push_back(text); }
  std::vector<std::string> take() { return std::exchange(remarks_, {}); }

 private:
  std::vector<std::string> remarks_;
};

/// Apart from the changes, as an operator sees them.
std::string noted(const std::string& text) { return "! " + text; }

Work failed(Error failure) {
  const bool declined = failure.fault == Fault::refused;
  return {.outcome = declined ? schema::Outcome::REFUSED : schema::Outcome::FAILED,
          .failure = std::move(failure)};
}

/// One order on its way.
class Errand {
 public:
  Errand(const Kind& kind, schema::Order::Reader order, const Hands& hands, const Arm& arm)
      : kind_(kind), order_(order), task_(order.getTask()), hands_(hands), arm_(arm) {}

  Work probe();
  Work wait();
  Work attempt();
  Work change();
  Work review();

 private:
  bool checks() const { return order_.getMode() == schema::Mode::CHECK; }
  /// What is there now is what was seen when it was approved of. Who made the reports was checked
  /// before.
  Result<void> check_evidence(schema::Facts::Reader now) const;
  Work missed(const Awaited& awaited) const;
  /// Everything from the first change on.
  Work make(const Changes& changes, Message<schema::Facts> before);
  Result<void> apply_all(const Changes& changes, Work& work);
  /// `before`: as it was before the changes, where this task has made them.
  Result<void> see_that_done(Work& work, const Message<schema::Facts>* before);
  Result<Changes> left(const Message<schema::Facts>* before, schema::Facts::Reader now) const;
  /// Adds what a person should know although it is done.
  void take_note(Work& work) const;
  void go_back(const Message<schema::Facts>& before, Work& work);

  const Kind& kind_;
  schema::Order::Reader order_;
  schema::Task::Reader task_;
  const Hands& hands_;
  const Arm& arm_;
};

Work Errand::probe() {
  auto facts = observe(kind_, task_, hands_.host);
  if (!facts) return failed(std::move(facts).error());
  if (kind_.judge == nullptr) return {.facts = std::move(*facts)};
  const auto verdict = guarded([&] { return kind_.judge(task_, facts->reader()); });
  if (verdict) return {.facts = std::move(*facts)};
  // In check mode what comes before it was not done: that it is not so yet is no failure.
  if (checks())
    return {.facts = std::move(*facts), .changes = {"not so yet: " + verdict.error().sentence()}};
  auto work = failed(verdict.error());
  work.facts = std::move(*facts);
  return work;
}

Work Errand::missed(const Awaited& awaited) const {
  const auto time = std::chrono::seconds(order_.getDeadline());
  return failed({.fault = Fault::missing,
                 .what = fmt::format("{} within {}", awaited.missed, human(time)),
                 .hint = "run it again once that was done"});
}

Work Errand::wait() {
  std::optional<Awaited> awaited;
  const auto begun = hands_.host.now();
  for (;;) {
    auto facts = observe(kind_, task_, hands_.host);
    if (!facts && facts.error().fault == Fault::cancelled && awaited) return missed(*awaited);
    if (!facts) return failed(std::move(facts).error());
    awaited = kind_.awaits(task_, facts->reader());
    if (!awaited) return {.facts = std::move(*facts)};
    if (checks()) return {.facts = std::move(*facts), .changes = {awaited->change}};
    const auto waited = hands_.host.now() - begun;
    const auto look_again =
        std::clamp<Millis>(waited / looks_in_a_wait, look_again_min, look_again_max);
    const auto paused = hands_.host.pause(look_again, awaited->waiting);
    if (!paused && paused.error().fault == Fault::cancelled) return missed(*awaited);
    if (!paused) return failed(paused.error());
  }
}

Work Errand::attempt() {
  auto before = observe(kind_, task_, hands_.host);
  if (!before) return failed(std::move(before).error());
  const auto facts = before->reader();
  const auto intentions = guarded([&] { return kind_.intends(task_, facts); });
  if (intentions && checks()) return {.facts = std::move(*before), .changes = *intentions};
  auto found = intentions ? guarded([&]() -> Result<Message<schema::Facts>> {
    RELAB_TRY(auto after, kind_.attempt(task_, facts, hands_));
    return checked(std::move(after));
  })
                          : Result<Message<schema::Facts>>(fail(intentions.error()));
  if (found) return {.facts = std::move(*found)};
  auto work = failed(std::move(found).error());
  work.facts = std::move(*before);
  return work;
}

Work Errand::change() {
  auto before = observe(kind_, task_, hands_.host);
  if (!before) return failed(std::move(before).error());
  const auto changes = plan(kind_, task_, before->reader());
  if (!changes) {
    auto work = failed(changes.error());
    work.facts = std::move(*before);
    return work;
  }
  if (checks() || changes->empty()) {
    Work work{.facts = std::move(*before), .changes = words_of(*changes)};
    take_note(work);
    return work;
  }
  if (const auto same = check_evidence(before->reader()); !same) {
    auto work = failed(same.error());
    work.facts = std::move(*before);
    return work;
  }
  return make(*changes, std::move(*before));
}

Result<void> Errand::check_evidence(schema::Facts::Reader now) const {
  if (kind_.departs == nullptr) return {};
  const auto hint = "look at it again, and approve of what is there now";
  if (order_.getEvidence().size() == 0)
    return fail(Fault::refused, "it destroys, and no evidence was brought", hint);
  for (const auto envelope : order_.getEvidence()) {
    RELAB_TRY(const auto signed_bytes,
              Message<schema::Envelope>::parse(view(envelope)).during("reading the evidence"));
    RELAB_TRY(const auto report,
              Message<schema::Report>::parse(view(signed_bytes.reader().getPayload()))
                  .during("reading the evidence"));
    auto departed = kind_.departs(task_, now, report.reader().getFacts());
    if (!departed.empty())
      return fail(Fault::refused, fmt::format("it is not as the evidence shows it: {}", departed),
                  hint);
  }
  return {};
}

Work Errand::make(const Changes& changes, Message<schema::Facts> before) {
  const bool may_go_back = kind_.revert != nullptr;
  if (may_go_back) {
    const auto armed = arm_(before).during("keeping how it was, before the first change");
    if (!armed) {
      auto work = failed(armed.error());
      work.outcome = schema::Outcome::FAILED;
      return work;
    }
  }
  Work work;
  auto done = apply_all(changes, work);
  if (done) done = see_that_done(work, &before);
  if (done) {
    take_note(work);
    work.unconfirmed = may_go_back;
    return work;
  }
  work.outcome = schema::Outcome::FAILED;
  work.failure = done.error();
  if (may_go_back) go_back(before, work);
  return work;
}

Work Errand::review() {
  Work work;
  const auto still = see_that_done(work, nullptr);
  if (!still) return failed(still.error());
  work.unconfirmed = true;
  return work;
}

Result<void> Errand::apply_all(const Changes& changes, Work& work) {
  ListeningHost host(hands_.host);
  for (const auto& change : changes) {
    const auto applied = apply(kind_, change, {.host = host, .rescue = hands_.rescue});
    if (applied) work.changes.push_back(change.what);
    for (const auto& remark : host.take()) work.changes.push_back(noted(remark));
    RELAB_CHECK(applied);
  }
  return {};
}

Result<Changes> Errand::left(const Message<schema::Facts>* before,
                             schema::Facts::Reader now) const {
  if (kind_.left == nullptr || before == nullptr) return plan(kind_, task_, now);
  return guarded([&] { return kind_.left(task_, before->reader(), now); });
}

Result<void> Errand::see_that_done(Work& work, const Message<schema::Facts>* before) {
  RELAB_TRY(auto facts, observe(kind_, task_, hands_.host).during("looking whether it is done"));
  work.facts = std::move(facts);
  RELAB_TRY(const auto changes,
            left(before, work.facts->reader()).during("looking whether it is done"));
  if (changes.empty()) return {};
  return fail(
      Fault::conflict,
      fmt::format("it differs from what was ordered: {}", fmt::join(words_of(changes), "; ")),
      "see what undoes it or keeps it from having an effect, and run it again");
}

void Errand::take_note(Work& work) const {
  if (kind_.notes == nullptr) return;
  const auto notes = guarded(
      [&] { return Result<std::vector<std::string>>(kind_.notes(task_, work.facts->reader())); });
  if (!notes) return;
  for (const auto& note : *notes) work.changes.push_back(noted(note));
}

void Errand::go_back(const Message<schema::Facts>& before, Work& work) {
  work.facts.reset();
  const auto undone = undo(order_, before.reader(), hands_.rescue);
  work.stuck = !undone;
  work.aftermath = undone ? "undone" : "could not be undone at first: " + undone.error().sentence();
}

Result<void> undo_once(const Kind& kind, schema::Task::Reader task, schema::Facts::Reader before,
                       Host& host) {
  const auto difference = [&]() -> Result<Changes> {
    RELAB_TRY(const auto now, observe(kind, task, host));
    return guarded([&] { return Result<Changes>(kind.revert(task, before, now.reader())); });
  };
  RELAB_TRY(const auto changes, difference());
  for (const auto& change : changes)
    RELAB_CHECK(apply(kind, change, {.host = host, .rescue = host}));
  if (changes.empty()) return {};
  RELAB_TRY(const auto left, difference());
  if (left.empty()) return {};
  return fail(Fault::conflict,
              fmt::format("it is not as it was before: {}", fmt::join(words_of(left), "; ")));
}

}  // namespace

Work carry_out(schema::Order::Reader order, const Hands& hands, const Arm& arm) {
  const auto kind = find_kind(arm_of(order.getTask()));
  if (!kind) return failed(kind.error());
  Errand errand(**kind, order, hands, arm);
  if ((*kind)->attempt != nullptr) return errand.attempt();
  if ((*kind)->awaits != nullptr) {
    auto waited = errand.wait();
    const bool is_there = waited.outcome == schema::Outcome::SUCCEEDED && waited.changes.empty();
    if (!is_there || (*kind)->plan == nullptr) return waited;
  }
  return (*kind)->plan != nullptr ? errand.change() : errand.probe();
}

Work review(schema::Order::Reader order, Host& host) {
  const auto kind = find_kind(arm_of(order.getTask()));
  if (!kind) return failed(kind.error());
  const Hands hands{.host = host, .rescue = host};
  const Arm none;
  return Errand(**kind, order, hands, none).review();
}

Result<void> undo(schema::Order::Reader order, schema::Facts::Reader before, Host& host) {
  const auto task = order.getTask();
  RELAB_TRY(const auto* kind, find_kind(arm_of(task)));
  if (kind->revert == nullptr || arm_of(task) != reflect::member_of(capnp::toDynamic(before)))
    return fail(Fault::damaged, "what was kept does not belong to this task");
  for (int tries = 1;; ++tries) {
    auto done = undo_once(*kind, task, before, host);
    if (done || tries == undo_tries) return done;
    RELAB_CHECK(host.pause(undo_pause, {.what = "undoing it"}));
  }
}

}  // namespace relab::agent
