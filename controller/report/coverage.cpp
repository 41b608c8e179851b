#include "controller/report/coverage.h"

#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/report/markup.h"
#include "controller/report/words.h"

namespace relab::controller {

namespace {

using Gaps = capnp::List<schema::Gap>::Reader;

std::string item(const Style& style, const std::string& text) {
  return (style.form == Form::markdown ? "- " : "  ") + text + "\n";
}

std::string listed(const Style& style, Gaps gaps) {
  std::string text;
  for (const auto gap : gaps)
    text += item(style, fmt::format("{}: {}", harmless(style, view(gap.getPart())),
                                    harmless(style, view(gap.getWhy()))));
  return text + (style.form == Form::markdown ? "\n" : "");
}

}  // namespace

std::string render_coverage(schema::Coverage::Reader coverage, const Style& style) {
  std::string text;
  if (coverage.getAbsent().size() > 0)
    text += line(style, "absent: " + harmless(style, view(coverage.getAbsent())));
  if (const auto parts = coverage.getParts(); parts.size() > 0)
    text += line(style, "not on this machine:") + listed(style, parts);
  if (const auto problems = coverage.getProblems(); problems.size() > 0)
    text += line(style, alarming(style, fmt::format("NOT READ, {}: what follows is not complete",
                                                    counted(problems.size(), "problems")))) +
            listed(style, problems);
  return text;
}

std::string coverage_in_short(schema::Coverage::Reader coverage) {
  std::string text;
  if (const auto problems = coverage.getProblems().size(); problems > 0)
    text = counted(problems, "problems");
  if (coverage.getAbsent().size() == 0) return text;
  return fmt::format("{}{}absent: {}", text, text.empty() ? "" : ", ", view(coverage.getAbsent()));
}

}  // namespace relab::controller
