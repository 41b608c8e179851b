// Which conditions the gate of a phase asks for.

#include "controller/gates/gate.h"

#include "tests/support/records.h"

namespace relab::controller {

namespace {

Message<schema::Lab> lab_with(const std::string& phases) {
  return must(Message<schema::Lab>::from_json(R"({"name": "home", "hosts": [{"name": "pve"}],
    "plan": {"phases": [)" + phases + "]}}"));
}

Result<Gate> entry(const Message<schema::Lab>& lab, const std::string& phase) {
  const Records records;
  return judge_entry(phase, {.lab = lab.reader(), .state = records.state, .now = records.now});
}

}  // namespace

TEST_CASE("gate: a phase without conditions is open", "[controller][gates]") {
  const auto gate = must(entry(lab_with(R"({"name": "0a"})"), "0a"));

  CHECK(gate.open);
  CHECK(gate.verdicts.empty());
}

TEST_CASE("gate: a predicate that does not exist is an error, never passed over",
          "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "1", "gate": [{"name": "audit.complet"}]})");

  const auto gate = entry(lab, "1");

  REQUIRE_FALSE(gate);
  CHECK(gate.error().fault == Fault::unsupported);
  CHECK(gate.error().what == "this version has no predicate 'audit.complet'");
  CHECK(gate.error().hint == "did you mean 'audit.complete'?");
}

TEST_CASE("gate: a phase that does not exist is an error", "[controller][gates]") {
  CHECK(entry(lab_with(R"({"name": "1"})"), "2").error().fault == Fault::missing);
  CHECK(entry(lab_with(R"({"name": "1", "after": ["0"]})"), "1").error().fault == Fault::missing);
}

TEST_CASE("gate: what the phases before must prove is asked for, however far back",
          "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "0a", "proves": [{"name": "audit.complete"}]},
    {"name": "1", "after": ["0a"]}, {"name": "2", "after": ["1", "0a"]})");

  const auto gate = must(entry(lab, "2"));

  CHECK_FALSE(gate.open);
  CHECK(gate.verdicts.size() == 1);
}

TEST_CASE("gate: a phase does not wait for its own proof", "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "0a", "proves": [{"name": "audit.complete"}]})");
  const Records records;

  CHECK(must(entry(lab, "0a")).open);
  CHECK_FALSE(
      must(judge_proof("0a", {.lab = lab.reader(), .state = records.state, .now = {}})).open);
}

TEST_CASE("gate: phases in a circle come to an end", "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "1", "after": ["2"]}, {"name": "2", "after": ["1"]})");

  CHECK(must(entry(lab, "1")).open);
}

}  // namespace relab::controller
