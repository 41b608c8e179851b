// What a phase of the lab file becomes.

#include "controller/plan/plan.h"

#include "tests/support/must.h"

namespace relab::controller {

namespace {

Message<schema::Lab> lab() {
  return must(Message<schema::Lab>::from_json(R"({"name": "home",
    "hosts": [{"name": "pve"}], "guests": [{"name": "jellyfin"}],
    "plan": {"phases": [
      {"name": "0a", "title": "Audit", "tracks": [
        {"name": "zfs", "agent": "pve", "steps": [
          {"name": "ping", "task": {"ping": {"echo": "hello"}}, "deadline": 30},
          {"name": "pools", "task": {"auditZfs": {}}}]},
        {"name": "empty", "agent": "jellyfin"}]},
      {"name": "0b", "title": "Backup"}]}})"));
}

}  // namespace

TEST_CASE("plan: tracks and steps keep their order, names and parameters", "[controller][plan]") {
  const auto plan = must(compile_phase(lab().reader(), "0a"));

  CHECK(plan.title == "Audit");
  CHECK(plan.step_count() == 2);
  REQUIRE(plan.tracks.size() == 2);
  REQUIRE(plan.tracks[0].size() == 2);
  CHECK(plan.tracks[1].empty());
  const auto& ping = plan.tracks[0][0];
  CHECK(ping.path == "0a/zfs/ping");
  CHECK(ping.agent == "pve");
  CHECK(ping.arm == "ping");
  CHECK(ping.deadline == std::chrono::seconds(30));
  CHECK(ping.convergent);
  CHECK(view(ping.task->reader().getPing().getEcho()) == "hello");
  CHECK(plan.tracks[0][1].arm == "auditZfs");
  CHECK(plan.tracks[0][1].deadline == std::chrono::hours(1));
}

TEST_CASE("plan: a phase that does not exist is named with the nearest", "[controller][plan]") {
  const auto near = compile_phase(lab().reader(), "0c");
  const auto far = compile_phase(lab().reader(), "rebuild");

  CHECK(near.error().fault == Fault::missing);
  CHECK(near.error().hint == "did you mean '0a'?");
  CHECK(far.error().hint == "its phases are 0a, 0b; `relab plan` shows their tracks");
}

TEST_CASE("plan: hosts and guests have agents", "[controller][plan]") {
  CHECK(agent_names(lab().reader()) == std::vector<std::string>{"pve", "jellyfin"});
  CHECK(phase_names(lab().reader()) == std::vector<std::string>{"0a", "0b"});
}

TEST_CASE("plan: a word names a phase, or a track of one", "[controller][plan]") {
  CHECK(must(find_part(lab().reader(), "0a")) == Part{.phase = "0a"});
  CHECK(must(find_part(lab().reader(), "zfs")) == Part{.phase = "0a", .track = "zfs"});
  CHECK(must(find_part(lab().reader(), "0a/empty")) == Part{.phase = "0a", .track = "empty"});
  CHECK(find_part(lab().reader(), "0b/zfs").error().fault == Fault::missing);
  CHECK(find_part(lab().reader(), "/").error().fault == Fault::missing);

  const auto plan = must(compile_part(lab().reader(), {.phase = "0a", .track = "zfs"}));
  REQUIRE(plan.tracks.size() == 1);
  CHECK(plan.tracks[0][0].path == "0a/zfs/ping");
}

TEST_CASE("plan: phases come behind those that they wait for", "[controller][plan]") {
  const auto tangled = must(Message<schema::Lab>::from_json(R"({"name": "home", "plan": {"phases": [
    {"name": "d", "after": ["b", "c"]}, {"name": "c", "after": ["a"]}, {"name": "b", "after": ["a"]},
    {"name": "a"}, {"name": "e"}]}})"));

  CHECK(phases_in_order(tangled.reader()) == std::vector<std::string>{"a", "b", "c", "d", "e"});
  CHECK(phases_in_order(tangled.reader(), "c") == std::vector<std::string>{"a", "c"});
}

}  // namespace relab::controller
