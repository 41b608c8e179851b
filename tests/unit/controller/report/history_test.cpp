#include "controller/report/history.h"

#include "controller/run/book.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

/// A ledger with an agent, a run, and a task that failed.
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
    must(book.run_started(the_run, {.phase = "0a"}, bytes_of("the lab")));
    Draft<schema::Order> draft;
    draft->setLab("home");
    draft->setRun(blob(the_run.bytes));
    draft->setTaskId(blob(task_number(9).bytes));
    draft->setAttempt(2);
    draft->setAudience(blob(agent.sign_key()));
    draft->setStep("0a/track/step");
    draft->getTask().initPing();
    const auto order = std::move(draft).finish();
    must(book.ordered(sign(controller, order).bytes()));
    Draft<schema::Report> report;
    report->setRun(blob(the_run.bytes));
    report->setTaskId(blob(task_number(9).bytes));
    report->setOrderDigest(blob(crypto::digest(order.bytes())));
    report->setOutcome(schema::Outcome::FAILED);
    report->initFailure().setWhat("zpool hangs");
    must(book.received(sign(agent, std::move(report).finish()).bytes()));
    must(book.run_ended(the_run));
    must(book.checkpoint(controller));
  }
  std::vector<HistoryLine> lines(const HistoryFilter& filter = {}) const {
    return history(book.ledger(), book.state(), filter);
  }

  Scratch scratch;
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  Book book = must(Book::open(scratch.path() / "home" / "ledger.db"));
};

}  // namespace

TEST_CASE("history: every entry is told in a line, in order", "[controller][report]") {
  const Written written;

  const auto lines = written.lines();

  REQUIRE(lines.size() == written.book.ledger().entries().size());
  std::vector<std::string> kinds;
  for (const auto& line : lines) kinds.push_back(line.kind);
  CHECK(kinds == std::vector<std::string>{"created", "enrolled", "runStarted", "ordered",
                                          "received", "runEnded", "checkpoint"});
  CHECK(lines[0].what == "the ledger of the lab 'home'");
  CHECK(lines[1].agent == "pve");
  CHECK(lines[3].phase == "0a");
  CHECK(lines[3].agent == "pve");
  CHECK(lines[3].task == task_number(9).text());
  CHECK(lines[3].what == "0a/track/step, attempt 2");
  CHECK(lines[4].what == "0a/track/step failed: zpool hangs");
  CHECK(lines[5].what.ends_with(": 0 tasks succeeded, 1 failed, 0 without a report"));
  CHECK(lines[6].what == "signed head of the 6 entries before");
}

TEST_CASE("history: a filter lets only what it names pass", "[controller][report]") {
  const Written written;

  CHECK(written.lines({.kind = "received"}).size() == 1);
  CHECK(written.lines({.agent = "pve"}).size() == 3);
  CHECK(written.lines({.phase = "0a"}).size() == 4);
  CHECK(written.lines({.task = task_number(9).brief()}).size() == 2);
  CHECK(written.lines({.kind = "ordered", .agent = "another"}).empty());
  CHECK(written.lines({.run = the_run.text()}).size() == 4);
  CHECK(written.lines({.run = task_number(9).text()}).empty());
  const auto all = written.lines();
  CHECK(written.lines({.since = all.front().time}).size() == all.size());
  CHECK(written.lines({.since = all.back().time + Millis(1)}).empty());
  CHECK(written.lines({.until = all.front().time}).empty());
  CHECK(written.lines({.until = all.back().time + Millis(1)}).size() == all.size());
}

TEST_CASE("history: the kinds are those of the schema", "[controller][report]") {
  const auto kinds = history_kinds();

  CHECK(std::ranges::count(kinds, "judged") == 1);
  CHECK(std::ranges::count(kinds, "unset") == 0);
}

}  // namespace relab::controller
