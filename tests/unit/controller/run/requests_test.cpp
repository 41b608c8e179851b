// What one process leaves for another.

#include "controller/run/requests.h"

#include "common/base/file.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

TaskId a_task() { return TaskId::make(instant_of(1'760'000'000'000)); }

}  // namespace

TEST_CASE("requests: each waits until it is settled, and its file is gone then",
          "[controller][run]") {
  const Scratch scratch;
  const Requests requests(scratch.path());
  const auto task = a_task();
  const auto run = RunId::make(instant_of(1'760'000'000'000));
  const auto file = must(requests.post(task));
  must(requests.post(run));

  const auto waiting = must(requests.waiting());

  CHECK(waiting.problems.empty());
  std::vector<CancelTarget> targets;
  for (const auto& request : waiting.requests) targets.push_back(request.target);
  REQUIRE(targets.size() == 2);
  CHECK(std::ranges::count(targets, CancelTarget(task)) == 1);
  CHECK(std::ranges::count(targets, CancelTarget(run)) == 1);
  // Whoever died before it stood in the ledger finds it again.
  CHECK(must(requests.waiting()).requests.size() == 2);
  for (const auto& request : waiting.requests) must(Requests::settled(request));
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(must(requests.waiting()).requests.empty());
}

TEST_CASE("requests: what cannot be read is named, and does not stay", "[controller][run]") {
  const Scratch scratch;
  const Requests requests(scratch.path());
  const auto text = GENERATE(as<std::string>{}, "", "task", "task 12", "everything now", "\n\n",
                             std::string(500, 'x'));
  const auto file = must(requests.post(a_task()));
  must(replace_file(file, text));

  const auto waiting = must(requests.waiting());

  CHECK(waiting.requests.empty());
  REQUIRE(waiting.problems.size() == 1);
  CHECK(waiting.problems[0].starts_with(file.string()));
  CHECK(must(requests.waiting()).problems.empty());
}

TEST_CASE("requests: other files, and one that is still being written, are let be",
          "[controller][run]") {
  const Scratch scratch;
  const Requests requests(scratch.path());
  const auto file = must(requests.post(a_task()));
  std::filesystem::rename(file, file.string() + ".AbCdEf");
  must(replace_file(scratch.path() / "ledger.db", "task"));

  const auto waiting = must(requests.waiting());

  CHECK(waiting.requests.empty());
  CHECK(waiting.problems.empty());
  CHECK(std::filesystem::exists(scratch.path() / "ledger.db"));
}

TEST_CASE("requests: a folder that is not there is an error, not an empty list",
          "[controller][run]") {
  const Scratch scratch;

  CHECK_FALSE(Requests(scratch.path() / "nowhere").waiting());
}

}  // namespace relab::controller
