#pragma once

/// How long a rehearsed plan took, step by step, as a chart of bars: for a terminal, for Mermaid,
/// and as a picture.

#include <string>
#include <vector>

#include "common/base/time.h"
#include "controller/state/state.h"
#include "schema/lab.capnp.h"

namespace relab::rehearsal {

/// An attempt at a step, over the time that it took.
struct Bar {
  std::string phase;
  std::string track;
  std::string step;
  /// From 1.
  unsigned attempt = 1;
  std::string agent;
  Instant began;
  Instant ended;
  /// "succeeded", "failed" ...
  std::string outcome;
  /// It waited for somebody to do something.
  bool person = false;

  /// "0b/write"; of a later attempt, "0b/write (2)".
  std::string name() const;
};

struct Course {
  Instant began;
  Instant ended;
  /// In the order of the plan, those of one step in theirs; steps that were never ordered have
  /// none.
  std::vector<Bar> bars;
};

/// What the ledger of a rehearsal tells.
Course course_of(schema::Lab::Reader lab, const controller::State& state, Instant began);

/// One line for each step, with its begin and its length; `width` columns altogether.
std::string gantt_text(const Course& course, std::size_t width);
/// For a Markdown file: https://mermaid.js.org/syntax/gantt.html
std::string gantt_mermaid(const Course& course, std::string_view title);
/// https://www.w3.org/TR/SVG11/
std::string gantt_svg(const Course& course, std::string_view title);

}  // namespace relab::rehearsal
