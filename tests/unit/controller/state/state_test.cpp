// What replaying the ledger gives, and what it refuses to believe.

#include "controller/state/state.h"

#include "tests/support/records.h"

namespace relab::controller {

namespace {

const TaskId task = task_number(1);

/// An agent with one task ordered from it.
struct Ordered : Records {
  Ordered() {
    enrol("pve", agent);
    order({.task = task}, agent);
  }
  const TaskRecord& record() const { return state.tasks().at(task); }
  crypto::Keys agent = fixed_keys(2);
};

}  // namespace

TEST_CASE("state: an order is open until its report comes", "[controller][state]") {
  Ordered ledger;
  CHECK(ledger.record().open());
  CHECK(ledger.record().agent == "pve");
  CHECK(ledger.record().arm == "ping");
  CHECK(ledger.record().phase == "0a");

  must(ledger.report({.task = task}, ledger.agent));

  CHECK_FALSE(ledger.record().open());
  CHECK(ledger.record().evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED);
  CHECK(ledger.record().evidence->signer == ledger.agent.sign_key());
}

TEST_CASE("state: a report for a task that was never ordered is refused", "[controller][state]") {
  Ordered ledger;

  const auto taken = ledger.report({.task = task_number(9), .facts = "{}"}, ledger.agent);

  REQUIRE_FALSE(taken);
  CHECK(taken.error().fault == Fault::refused);
  CHECK(taken.error().what.find("never ordered") != std::string::npos);
}

TEST_CASE("state: a report that is bound to another order is refused", "[controller][state]") {
  Ordered ledger;
  const auto other = task_number(2);
  ledger.digests[task] = ledger.order({.task = other}, ledger.agent);

  const auto taken = ledger.report({.task = task}, ledger.agent);

  REQUIRE_FALSE(taken);
  CHECK(taken.error().what.find("bound to another order") != std::string::npos);
  CHECK(ledger.record().open());
}

TEST_CASE("state: a report by another agent than the task was given to is refused",
          "[controller][state]") {
  Ordered ledger;
  const auto other = fixed_keys(3);
  ledger.enrol("nas", other);

  const auto taken = ledger.report({.task = task}, other);

  REQUIRE_FALSE(taken);
  CHECK(taken.error().what.find("by another agent") != std::string::npos);
  CHECK(ledger.record().open());
}

TEST_CASE("state: an agent cannot refuse what was ordered from another, or never",
          "[controller][state]") {
  Ordered ledger;
  const auto other = fixed_keys(3);
  ledger.enrol("nas", other);

  CHECK_FALSE(ledger.receive_refusal(task, "not mine", other));
  CHECK_FALSE(ledger.receive_refusal(task_number(7), "never ordered", ledger.agent));
  CHECK(ledger.record().open());
  CHECK(ledger.receive_refusal(task, "the role forbids it", ledger.agent));
  CHECK(ledger.record().refusal == "the role forbids it");
}

TEST_CASE("state: a report of another run is refused", "[controller][state]") {
  Ordered ledger;

  const auto taken = ledger.report({.task = task, .run = {.bytes = {8}}}, ledger.agent);

  REQUIRE_FALSE(taken);
  CHECK(taken.error().what.find("of another run") != std::string::npos);
}

TEST_CASE("state: a report by a key that was never enrolled does not verify",
          "[controller][state]") {
  Ordered ledger;

  const auto taken = ledger.report({.task = task}, fixed_keys(9));

  REQUIRE_FALSE(taken);
  CHECK(taken.error().fault == Fault::damaged);
  CHECK(ledger.record().open());
}

TEST_CASE("state: a report with any bit changed is refused", "[controller][state]") {
  Ordered ledger;
  const auto envelope = ledger.report_envelope({.task = task}, ledger.agent);
  const auto payload = view(envelope.reader().getPayload());
  const auto start = static_cast<std::size_t>(payload.data() - envelope.bytes().data());

  for (std::size_t at = start; at < start + payload.size(); ++at) {
    Bytes changed(envelope.bytes().begin(), envelope.bytes().end());
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1U);
    CHECK_FALSE(ledger.receive(changed));
  }
  CHECK(ledger.record().open());
}

TEST_CASE("state: the report of an agent that was removed since still verifies",
          "[controller][state]") {
  Ordered ledger;
  ledger.remove("pve");

  must(ledger.report({.task = task}, ledger.agent));

  CHECK(ledger.state.agents().empty());
  CHECK(ledger.state.agent_by_key(ledger.agent.sign_key()) != nullptr);
  CHECK_FALSE(ledger.record().open());
}

TEST_CASE("state: an answer to an earlier copy of the order is taken", "[controller][state]") {
  Ordered ledger;
  const auto first = ledger.report_envelope({.task = task}, ledger.agent);
  const auto begun = ledger.now;
  ledger.now += std::chrono::hours(5);
  ledger.order({.task = task}, ledger.agent);
  CHECK(ledger.record().ordered == ledger.now);

  must(ledger.receive(first.bytes()));

  CHECK_FALSE(ledger.record().open());
  CHECK(ledger.record().ordered == begun);
}

TEST_CASE("state: a report that comes after the task was given up is kept", "[controller][state]") {
  Ordered ledger;
  ledger.abandon(task, "no report came");
  CHECK_FALSE(ledger.record().open());

  must(ledger.report({.task = task}, ledger.agent));

  CHECK(ledger.record().evidence);
  CHECK(ledger.record().abandoned == "no report came");
}

TEST_CASE("state: of two reports the later one counts", "[controller][state]") {
  Ordered ledger;
  must(ledger.report({.task = task, .outcome = schema::Outcome::UNKNOWN}, ledger.agent));

  must(ledger.report({.task = task}, ledger.agent));

  CHECK(ledger.record().evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED);
}

TEST_CASE("state: an agent under a new name gets its orders under that name",
          "[controller][state]") {
  Ordered ledger;
  ledger.remove("pve");
  ledger.enrol("pve2", ledger.agent);

  ledger.order({.task = task_number(2)}, ledger.agent);

  CHECK(ledger.record().agent == "pve");
  CHECK(ledger.state.tasks().at(task_number(2)).agent == "pve2");
}

TEST_CASE("state: an order by another key, or to a stranger, is damage", "[controller][state]") {
  Ordered ledger;
  Draft<schema::Entry> entry;
  Draft<schema::Order> order;
  order->setTaskId(blob(task.bytes));
  const auto forged = sign(fixed_keys(9), std::move(order).finish());
  entry->initOrdered().setEnvelope(blob(forged.bytes()));

  const auto added = ledger.add(std::move(entry));

  CHECK(added.error().fault == Fault::damaged);
}

TEST_CASE("state: an empty entry and a second beginning are damage", "[controller][state]") {
  Ordered ledger;
  Draft<schema::Entry> empty;
  Draft<schema::Entry> again;
  again->initCreated().setIdentity(
      blob(state_identity(ledger.controller, {.role = schema::Role::CONTROLLER, .name = "x"})));

  const auto nothing = ledger.add(std::move(empty));
  const auto second = ledger.add(std::move(again));

  CHECK(nothing.error().fault == Fault::damaged);
  CHECK(second.error().fault == Fault::damaged);
}

TEST_CASE("state: a checkpoint must fit the entries before it", "[controller][state]") {
  Ordered ledger;
  const auto checkpoint = [&](std::uint64_t entries, const crypto::Digest& head) {
    Draft<schema::Checkpoint> draft;
    draft->setEntries(entries);
    draft->setHead(blob(head));
    Draft<schema::Entry> entry;
    const auto envelope = sign(ledger.controller, std::move(draft).finish());
    entry->initCheckpoint().setEnvelope(blob(envelope.bytes()));
    auto taken = ledger.state.apply(
        {.number = ledger.count + 1, .entry = std::move(entry).finish(), .hash = ledger.head});
    return taken.has_value();
  };

  CHECK_FALSE(checkpoint(ledger.count - 1, ledger.head));
  CHECK_FALSE(checkpoint(ledger.count, {}));
  CHECK(checkpoint(ledger.count, ledger.head));
}

TEST_CASE("state: runs are open until they end; the last of a phase is found",
          "[controller][state]") {
  Records ledger;
  const auto begin = [&](std::uint8_t number) {
    Draft<schema::Entry> entry;
    auto run = entry->initRunStarted();
    run.setRun(blob(Bytes(16, number)));
    run.setPhase("0a");
    must(ledger.add(std::move(entry)));
  };
  begin(1);
  begin(2);
  Draft<schema::Entry> entry;
  entry->initRunEnded().setRun(blob(Bytes(16, 2)));
  must(ledger.add(std::move(entry)));

  CHECK(ledger.state.last_run("0a")->id.bytes[0] == 2);
  CHECK(ledger.state.open_run("0a") == nullptr);
  CHECK(ledger.state.last_run("1") == nullptr);
  begin(3);
  CHECK(ledger.state.open_run("0a")->id.bytes[0] == 3);
}

}  // namespace relab::controller
