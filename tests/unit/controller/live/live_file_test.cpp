// What a run shows of itself, for others.

#include "controller/cli/live/live_file.h"

#include "common/base/file.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::controller::cli {

namespace {

LiveView some_view() {
  LiveView view{.title = "0b  Backup", .since = Millis(61'000)};
  view.there = {"pve"};
  view.away["pbs"] = "nothing listens there";
  view.open_conditions = {"1: backup.verified"};
  view.tracks.push_back(
      {.name = "usb", .agent = "pve", .steps = {{.name = "write"}, {.name = "disk"}}});
  auto& write = view.tracks[0].steps[0];
  write.state = StepState::accepted;
  write.doing = "sending";
  Pace pace;
  pace.add({.done = 1'000, .total = 90'000, .at = Millis(5'000)});
  pace.add({.done = 41'000, .total = 90'000, .at = Millis(9'000)});
  write.pace = pace;
  view.tracks[0].steps[1].wait = Wait::person;
  view.tracks[0].steps[1].why = "plug it in";
  return view;
}

}  // namespace

TEST_CASE("live file: what is written is what is shown elsewhere", "[controller][live]") {
  const Scratch scratch;
  const auto run = RunId::make(wall_clock());
  const auto view = some_view();
  {
    LiveFile file(scratch.path(), run);
    REQUIRE(file.is_due(Instant(std::chrono::hours(1))));
    must(file.write(view, Instant(std::chrono::hours(1))));
    CHECK_FALSE(file.is_due(Instant(std::chrono::hours(1)) + Millis(500)));
    CHECK(file.is_due(Instant(std::chrono::hours(1)) + Millis(1000)));

    const auto read = read_live(scratch.path(), run, wall_clock());
    REQUIRE(read);
    const auto lines = render_live(view, 24, {});
    CHECK(lines.size() == 5);
    CHECK(render_live(*read, 24, {}) == lines);
    // Another run, or one that was left behind.
    CHECK_FALSE(read_live(scratch.path(), RunId::make(wall_clock()), wall_clock()));
    CHECK_FALSE(read_live(scratch.path(), run, wall_clock() + std::chrono::minutes(1)));
    CHECK_FALSE(read_live(scratch.path(), run, wall_clock() - std::chrono::minutes(1)));
  }
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "live.json"));
}

TEST_CASE("live file: what is no such file shows nothing", "[controller][live]") {
  const Scratch scratch;
  const auto run = RunId::make(wall_clock());
  CHECK_FALSE(read_live(scratch.path(), run, wall_clock()));
  for (const auto* text : {"", "{", "[]", "{}", "{\"format\": 1}", "{\"format\": 2}"}) {
    must(replace_file(scratch.path() / "live.json", text));
    CHECK_FALSE(read_live(scratch.path(), run, wall_clock()));
  }
  LiveFile file(scratch.path(), run);
  must(file.write(some_view(), {}));
  const auto whole = must(read_small_file(scratch.path() / "live.json"));
  for (const auto* name : {"title", "since", "tracks", "agents", "away", "conditions", "written"}) {
    INFO(name);
    auto cut = whole;
    cut.replace(cut.find(name), 2, "xx");
    must(replace_file(scratch.path() / "live.json", cut));
    CHECK_FALSE(read_live(scratch.path(), run, wall_clock()));
  }
}

TEST_CASE("live file: where it cannot be written it is told once, and tried again",
          "[controller][live]") {
  const Scratch scratch;
  const auto folder = scratch.path() / "nowhere";
  const auto run = RunId::make(wall_clock());
  LiveFile file(folder, run);
  CHECK_FALSE(file.write(some_view(), {}));
  CHECK_FALSE(file.is_due(Instant(std::chrono::seconds(10))));
  CHECK(file.is_due(Instant(std::chrono::seconds(60))));
  CHECK(file.write(some_view(), Instant(std::chrono::seconds(60))));
  CHECK_FALSE(read_live(folder, run, wall_clock()));
  must(make_private_folder(folder));
  must(file.write(some_view(), Instant(std::chrono::seconds(120))));
  CHECK(read_live(folder, run, wall_clock()));
}

TEST_CASE("live file: what was left by somebody who was killed is taken away",
          "[controller][live]") {
  const Scratch scratch;
  must(replace_file(scratch.path() / "live.json.a1B2c3", "{"));
  must(replace_file(scratch.path() / "ledger.db", "x"));
  const LiveFile file(scratch.path(), RunId::make(wall_clock()));
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "live.json.a1B2c3"));
  CHECK(std::filesystem::exists(scratch.path() / "ledger.db"));
}

}  // namespace relab::controller::cli
