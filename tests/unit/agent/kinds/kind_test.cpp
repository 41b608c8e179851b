#include "agent/kinds/kind.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("ping: the echo comes back with the uptime", "[agent][self]") {
  SimHost host;
  host.file("/proc/uptime", "12345.67 23456.78\n");
  const auto task = must(Message<schema::Task>::from_json(R"({"ping": {"echo": "hello"}})"));

  const auto facts = must(must(find_kind("ping"))->observe(task.reader(), host));

  CHECK(view(facts.reader().getPing().getEcho()) == "hello");
  CHECK(facts.reader().getPing().getUptime() == 12345);
}

TEST_CASE("kinds: an arm without a kind is named", "[agent][kinds]") {
  const auto found = find_kind("format");

  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::unsupported);
  CHECK(found.error().what == "this agent has no task kind 'format'");
}

}  // namespace relab::agent
