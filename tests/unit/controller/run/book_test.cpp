// Writing the ledger, and what the state then is; also after it is opened again.

#include "controller/run/book.h"

#include "controller/run/driver.h"
#include "controller/run/resuming.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

const RunId run = {.bytes = {7}};

class Written {
 public:
  Written() {
    must(book.begin(controller, "admin", "home"));
    const auto statement = state_identity(
        agent,
        {.role = schema::Role::AGENT, .name = "pve", .machine_id = "m", .agent_role = "host"});
    must(book.enrolled({.name = "pve",
                        .endpoint = "tcp://10.42.10.2:7460",
                        .agent = must(read_identity(statement, schema::Role::AGENT))}));
    must(book.run_started(run, {.phase = "0a"}, bytes_of("the lab")));
  }
  void order(const TaskId& task, std::uint32_t attempt = 1) {
    Draft<schema::Order> draft;
    draft->setLab("home");
    draft->setRun(blob(run.bytes));
    draft->setTaskId(blob(task.bytes));
    draft->setAttempt(attempt);
    draft->setAudience(blob(agent.sign_key()));
    draft->setStep("0a/track/step");
    draft->getTask().initPing();
    const auto order = std::move(draft).finish();
    digest = crypto::digest(order.bytes());
    must(book.ordered(sign(controller, order).bytes()));
  }
  Message<schema::Envelope> report(const TaskId& task, schema::Outcome outcome) const {
    Draft<schema::Report> draft;
    draft->setRun(blob(run.bytes));
    draft->setTaskId(blob(task.bytes));
    draft->setOrderDigest(blob(digest));
    draft->setOutcome(outcome);
    return sign(agent, std::move(draft).finish());
  }

  Scratch scratch;
  std::filesystem::path path = scratch.path() / "home" / "ledger.db";
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  crypto::Digest digest{};
  Book book = must(Book::open(path));
};

}  // namespace

TEST_CASE("book: what was written is the state, now and when it is opened again",
          "[controller][run]") {
  Written written;
  written.order(task_number(1));
  must(written.book.received(written.report(task_number(1), schema::Outcome::SUCCEEDED).bytes()));
  must(written.book.checkpoint(written.controller));

  const auto again = must(Book::open_read_only(written.path));

  for (const auto* state : {&written.book.state(), &again.state()}) {
    CHECK(state->lab() == "home");
    CHECK(state->agents().at("pve").endpoint == "tcp://10.42.10.2:7460");
    CHECK(state->tasks().at(task_number(1)).evidence);
    CHECK(state->open_run("0a")->lab == Bytes{'t', 'h', 'e', ' ', 'l', 'a', 'b'});
    CHECK(state->open_run("0a")->lab_digest == crypto::digest(bytes_of("the lab")));
  }
  CHECK(again.ledger().head() == written.book.ledger().head());
}

TEST_CASE("book: the end of a run counts what came of its tasks", "[controller][run]") {
  Written written;
  written.order(task_number(1));
  must(written.book.received(written.report(task_number(1), schema::Outcome::SUCCEEDED).bytes()));
  written.order(task_number(2));
  must(written.book.received(written.report(task_number(2), schema::Outcome::UNKNOWN).bytes()));
  written.order(task_number(3));
  written.order(task_number(4));
  must(
      written.book.abandoned(task_number(4), schema::Abandoned::Reason::OVERDUE, "no report came"));

  must(written.book.run_ended(run));

  const auto ended = written.book.ledger().entries().back().entry.reader().getRunEnded();
  CHECK(ended.getSucceeded() == 1);
  CHECK(ended.getFailed() == 1);
  CHECK(ended.getMissing() == 2);
  CHECK(written.book.state().open_run("0a") == nullptr);
}

TEST_CASE("book: a ledger of another lab or another controller is not carried on",
          "[controller][run]") {
  Written written;

  must(written.book.begin(written.controller, "admin", "home"));

  CHECK(written.book.begin(written.controller, "admin", "work").error().fault == Fault::conflict);
  CHECK(written.book.begin(fixed_keys(9), "admin", "home").error().fault == Fault::conflict);
}

TEST_CASE("book: what is resumed is every attempt with what became of it", "[controller][run]") {
  Written written;
  written.order(task_number(1));
  must(written.book.abandoned(task_number(1), schema::Abandoned::Reason::JOURNAL_LOST,
                              "the agent lost its journal"));
  written.order(task_number(2), 2);
  must(written.book.received(written.report(task_number(2), schema::Outcome::UNKNOWN).bytes()));
  written.order(task_number(3), 3);

  const auto steps = resumed_steps(written.book.state(), run);

  REQUIRE(steps.size() == 3);
  CHECK(steps[0].closed == "the agent lost its journal");
  CHECK_FALSE(steps[0].outcome);
  CHECK(steps[1].outcome == schema::Outcome::UNKNOWN);
  CHECK(steps[2].attempt == 3);
  CHECK(steps[2].closed.empty());
  CHECK_FALSE(steps[2].outcome);
}

}  // namespace relab::controller
