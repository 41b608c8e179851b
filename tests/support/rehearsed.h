#pragma once

/// The reference plan, rehearsed on the reference machine, as far as it goes.

#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/cli/rehearse_text.h"
#include "controller/lab/lab.h"
#include "controller/rehearsal/faults.h"
#include "controller/rehearsal/rehearsal.h"
#include "controller/rehearsal/set.h"
#include "controller/rehearsal/world/world.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"

namespace relab::rehearsal {

inline constexpr auto rehearsal_begin = Instant(std::chrono::milliseconds(1'790'000'000'000));

struct Rehearsed {
  Scratch scratch;
  Message<schema::Lab> lab;
  std::unique_ptr<Rehearsal> rehearsal;
  controller::Printer printer = controller::Printer(controller::Printer::Form::text);

  /// Whether it is rehearsed at once; `later` is for the test to say.
  enum class When { now, later };

  using Edit = std::function<void(std::string& lab_file)>;

  explicit Rehearsed(const std::vector<std::string>& faults = {}, When when = When::now,
                     const Edit& edit = {})
      : lab(read(edit)) {
    std::vector<FaultWish> wishes;
    wishes.reserve(faults.size());
    for (const auto& text : faults) wishes.push_back(must(parse_fault(text)));
    std::vector<Message<schema::World>> worlds;
    worlds.push_back(world_of_lab(lab.reader(), lab.reader().getHosts()[0], rehearsal_begin));
    rehearsal = must(Rehearsal::make({.lab = lab,
                                      .worlds = std::move(worlds),
                                      .folder = scratch.path() / "kept",
                                      .begin = rehearsal_begin,
                                      .faults = std::move(wishes)}));
    if (when == When::later) return;
    controller::cli::QuietOnlooker onlooker(printer);
    must(rehearsal->run(onlooker));
  }
  static Message<schema::Lab> read(const Edit& edit = {}) {
    auto text = sample("../../examples/z640/lab.toml");
    if (edit) edit(text);
    auto reading = lab::parse_lab(text, "lab.toml");
    for (const auto& mistake : reading.mistakes) UNSCOPED_INFO(lab::to_string(mistake));
    REQUIRE(reading.lab);
    return std::move(*reading.lab);
  }
  const RehearsedPhase& phase(const std::string& name) const {
    for (const auto& phase : rehearsal->phases())
      if (phase.name == name) return phase;
    FAIL("no phase " << name);
    std::abort();
  }
  std::string told() const {
    std::string text;
    for (const auto& trouble : rehearsal->troubles())
      text += fmt::format("{}: {}\n", trouble.where, trouble.what);
    return text;
  }
  /// Each attempt at a step, in their order.
  std::vector<Bar> attempts(const std::string& step) const {
    std::vector<Bar> found;
    auto course = rehearsal->course();
    for (auto& bar : course.bars)
      if (bar.step == step) found.push_back(std::move(bar));
    if (found.empty()) FAIL("nothing was ordered for " << step);
    return found;
  }
  /// Of the last one.
  Millis length(const std::string& step) const {
    const auto last = attempts(step).back();
    return last.ended - last.began;
  }
};

}  // namespace relab::rehearsal
