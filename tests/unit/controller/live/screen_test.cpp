// Lines at the bottom of a terminal, on a terminal in memory.

#include "controller/cli/live/screen.h"

#include <catch2/catch.hpp>

#include "common/base/text.h"
#include "controller/cli/live/view.h"

namespace relab::controller {

namespace {

/// What a terminal does with the few sequences that are used. It has no end upwards.
class Terminal {
 public:
  explicit Terminal(Screen::Size given) : size(given) {}

  void write(std::string_view bytes) {
    while (!bytes.empty()) bytes.remove_prefix(take(bytes));
  }
  /// As standard error has it: a terminal puts the carriage return there by itself.
  void print(std::string_view text) {
    for (const char c : text) write(c == '\n' ? "\r\n" : std::string(1, c));
  }
  /// All rows with something, without blanks at their ends.
  std::vector<std::string> rows() const {
    std::vector<std::string> shown;
    for (const auto& row : rows_) {
      auto text = row;
      while (text.ends_with(' ')) text.pop_back();
      shown.push_back(std::move(text));
    }
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }

  Screen::Size size;

 private:
  std::size_t take(std::string_view bytes) {
    if (bytes.starts_with("\033[")) return sequence(bytes);
    const char c = bytes[0];
    if (c == '\r') {
      column_ = 0;
    } else if (c == '\n') {
      ++row_;
      grow();
    } else {
      if (column_ == size.columns) {
        column_ = 0;
        ++row_;
        grow();
      }
      auto& row = rows_[row_];
      if (row.size() <= column_) row.resize(column_ + 1, ' ');
      row[column_++] = c;
    }
    return 1;
  }

  std::size_t sequence(std::string_view bytes) {
    const auto end = bytes.find_first_of("AJm");
    REQUIRE(end != std::string_view::npos);
    const auto number = std::string(bytes.substr(2, end - 2));
    if (bytes[end] == 'A') {
      const auto up = std::stoul(number);
      REQUIRE(up <= row_);
      row_ -= up;
    }
    if (bytes[end] == 'J') {
      rows_.resize(row_ + 1);
      rows_[row_].resize(std::min(rows_[row_].size(), column_));
    }
    return end + 1;
  }

  void grow() {
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
  }

  std::vector<std::string> rows_ = {""};
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

struct Scene {
  explicit Scene(Screen::Size size = {.columns = 20, .rows = 6}) : terminal(size) {}
  void log(std::string_view line) {
    screen.hide();
    terminal.print(std::string(line) + "\n");
    screen.show();
  }

  Terminal terminal;
  Screen screen{[this](std::string_view bytes) { terminal.write(bytes); },
                [this] { return terminal.size; }};
};

using Rows = std::vector<std::string>;

LiveStep step(const std::string& name, StepState state) { return {.name = name, .state = state}; }

bool has(const Rows& rows, std::string_view text) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const auto& row) { return row.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("screen: what is drawn takes the place of what was", "[controller][live]") {
  Scene scene;
  scene.screen.draw({"one", "two", "three"});
  CHECK(scene.terminal.rows() == Rows{"one", "two", "three"});

  scene.screen.draw({"four"});
  CHECK(scene.terminal.rows() == Rows{"four"});

  scene.screen.draw({"five", "", "six"});
  CHECK(scene.terminal.rows() == Rows{"five", "", "six"});

  scene.screen.clear();
  CHECK(scene.terminal.rows().empty());
}

TEST_CASE("screen: lines that are printed stay whole above it", "[controller][live]") {
  Scene scene;
  scene.log("begun");
  scene.screen.draw({"a", "b"});
  scene.log("an event that is far too long for one row");
  scene.screen.draw({"c"});
  scene.log("another");

  CHECK(scene.terminal.rows() ==
        Rows{"begun", "an event that is far", " too long for one ro", "w", "another", "c"});
  scene.screen.clear();
  scene.log("the end");
  CHECK(scene.terminal.rows().back() == "the end");
}

TEST_CASE("screen: lines are cut to the terminal, also when it changes", "[controller][live]") {
  Scene scene;
  scene.log("log");
  scene.screen.draw({std::string(50, 'x'), "short"});
  CHECK(scene.terminal.rows() == Rows{"log", std::string(19, 'x'), "short"});

  // The terminal breaks what it has into more rows; all of them go.
  Scene narrow({.columns = 40, .rows = 6});
  narrow.log("log");
  narrow.screen.draw({std::string(39, 'x'), std::string(39, 'y')});
  narrow.terminal = Terminal({.columns = 20, .rows = 6});
  narrow.terminal.print("log\n" + std::string(39, 'x') + "\n" + std::string(39, 'y'));
  narrow.screen.draw({"new"});
  CHECK(narrow.terminal.rows() == Rows{"log", "new"});

  narrow.terminal.size = {.columns = 60, .rows = 6};
  narrow.screen.draw({std::string(50, 'z')});
  CHECK(narrow.terminal.rows() == Rows{"log", std::string(50, 'z')});
}

TEST_CASE("screen: no more lines than there are rows", "[controller][live]") {
  Scene scene;
  scene.screen.draw(Rows(30, "x"));
  CHECK(scene.terminal.rows().size() == 5);
}

TEST_CASE("screen: colours take no room, and end with the cut", "[controller][live]") {
  CHECK(cut_to("\033[31mabcdef\033[0m", 3) == "\033[31mabc\033[0m");
  CHECK(cut_to("\033[31mabc\033[0m", 3) == "\033[31mabc\033[0m");
  CHECK(cut_to("äöü", 2) == "äö");
  CHECK(cut_to("abc", 0).empty());
  CHECK(cut_to("\033[", 5) == "\033[");
}

TEST_CASE("live: bars", "[controller][live]") {
  CHECK(progress_bar(0, 100, 12) == "[          ]");
  CHECK(progress_bar(50, 100, 12) == "[=====>    ]");
  CHECK(progress_bar(100, 100, 12) == "[==========]");
  CHECK(progress_bar(200, 100, 12) == "[==========]");
  CHECK(progress_bar(5, 0, 12) == "[          ]");
  CHECK(progress_bar(~std::uint64_t{0} - 1, ~std::uint64_t{0}, 12).size() == 12);
  CHECK(progress_bar(1, 2, 2).empty());
}

TEST_CASE("live: what wants attention comes first", "[controller][live]") {
  LiveView view{.title = "0b  Backup", .since = Millis(61'000)};
  view.tracks.push_back({.name = "done", .agent = "a", .steps = {step("x", StepState::succeeded)}});
  view.tracks.push_back({.name = "failing",
                         .agent = "a",
                         .steps = {step("x", StepState::failed), step("y", StepState::blocked)}});
  view.tracks[1].steps[0].why = "the disk is full";
  view.tracks.push_back(
      {.name = "person", .agent = "a", .steps = {step("x", StepState::accepted)}});
  view.tracks[2].steps[0].wait = Wait::person;
  view.tracks[2].steps[0].why = "plug it in";
  view.tracks.push_back(
      {.name = "writing", .agent = "a", .steps = {step("x", StepState::accepted)}});
  Pace pace;
  pace.add({.done = 0, .total = 4096, .at = Millis(0)});
  pace.add({.done = 1024, .total = 4096, .at = Millis(4000)});
  view.tracks[3].steps[0].pace = pace;
  view.there = {"pve", "a"};
  view.away["pbs"] = "nothing listens there";
  view.open_conditions = {"1: backup.verified, key.proven"};

  const auto lines = render_live(view, 24, {});

  CHECK(lines ==
        Rows{"0b  Backup   1 of 5 steps done, 1 min 1 s, 1 FAILED",
             "  failing   0/2  x  FAILED: the disk is full",
             "  person    0/1  x  PLEASE: plug it in",
             "  writing   0/1  x  [=====>              ] 1.0 KiB of 4.0 KiB (25 %), 256 B/s, "
             "12 s left",
             "  done      1/1  done", "  agents: a, pve", "  pbs is away: nothing listens there",
             "  still open for 1: backup.verified, key.proven"});
  for (const auto& line : lines) CHECK(is_clean_text(line));
  CHECK(has(render_live(view, 24, {.colour = true}), "\033[31mFAILED"));
}

TEST_CASE("live: rate and time are to be seen on a narrow terminal, too", "[controller][live]") {
  LiveView view{.title = "0b", .since = {}};
  view.tracks.push_back(
      {.name = "0b", .agent = "a", .steps = {step("write", StepState::accepted)}});
  Pace pace;
  pace.add({.done = 0, .total = 4096, .at = Millis(0)});
  pace.add({.done = 1024, .total = 4096, .at = Millis(4000)});
  view.tracks[0].steps[0].pace = pace;
  const auto shown = [&](std::size_t width) { return render_live(view, 24, {.width = width})[1]; };

  CHECK(shown(200) ==
        "  0b   0/1  write  [=====>              ] 1.0 KiB of 4.0 KiB (25 %), 256 B/s, 12 s left");
  CHECK(shown(76) == "  0b   0/1  write  [==>     ] 1.0 KiB of 4.0 KiB (25 %), 256 B/s, 12 s left");
  CHECK(shown(70) == "  0b   0/1  write  1.0 KiB of 4.0 KiB (25 %), 256 B/s, 12 s left");
  CHECK(shown(60) == "  0b   0/1  write  [===>         ] 25 %, 256 B/s, 12 s left");
  CHECK(shown(45) == "  0b   0/1  write  25 %, 256 B/s, 12 s left");
}

TEST_CASE("live: two hundred tracks leave room for what matters", "[controller][live]") {
  LiveView view{.title = "big", .since = {}};
  for (int i = 0; i < 200; ++i)
    view.tracks.push_back(
        {.name = "t" + std::to_string(i),
         .agent = "a",
         .steps = {step("x", i == 150 ? StepState::failed : StepState::accepted)}});
  const auto lines = render_live(view, 12, {});
  CHECK(lines.size() <= 11);
  CHECK_THAT(lines[1], Catch::Contains("t150"));
  CHECK(has(lines, "more tracks"));
  CHECK(render_live(view, 1, {}).size() >= 2);
}

}  // namespace relab::controller
