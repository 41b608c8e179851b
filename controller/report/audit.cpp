#include "controller/report/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "controller/report/coverage.h"
#include "controller/report/fields.h"
#include "controller/report/markup.h"
#include "controller/report/render.h"
#include "controller/report/table.h"
#include "controller/report/words.h"

namespace relab::controller {

namespace {

constexpr std::size_t counts_max = 4;

/// "2 pools, 14 vdevs and more": the lists that are not empty.
std::string counts_of(capnp::DynamicStruct::Reader facts) {
  std::string text;
  std::size_t counts = 0;
  for (const auto& list : contents_of(facts).lists) {
    if (list.rows.size() == 0) continue;
    if (++counts > counts_max) return text + " and more";
    text += (text.empty() ? "" : ", ") + counted(list.rows.size(), list.name);
  }
  return text;
}

std::string coverage_words(const SectionView& view) {
  if (!view.facts) return {};
  const auto coverage = coverage_of(*view.facts);
  return coverage ? coverage_in_short(*coverage) : "";
}

std::string found(const SectionView& view) {
  if (!view.facts) return view.failure.empty() ? "no facts" : "no facts: " + view.failure;
  const auto gaps = coverage_words(view);
  const auto counts = counts_of(*view.facts);
  if (gaps.empty()) return counts.empty() ? "nothing" : counts;
  return counts.empty() ? gaps : gaps + ", " + counts;
}

std::string result(const SectionView& view) {
  return is_whole(view) ? view.outcome : view.outcome + " (!)";
}

std::string taken(const SectionView& view, Instant now) {
  if (!view.taken_at) return "never";
  const auto age = now - *view.taken_at;
  return age < Millis(0) ? iso8601(*view.taken_at) + " (in the future)"
                         : fmt::format("{} ({} ago)", iso8601(*view.taken_at), human(age));
}

std::string overview(const std::vector<SectionView>& sections, const Style& style, Instant now) {
  Table table({"section", "agent", "result", "found", "taken at"});
  for (const auto& view : sections)
    table.add({{view.section}, {view.agent}, {result(view)}, {found(view)}, {taken(view, now)}});
  return table.print(style);
}

bool is_absent(const SectionView& view) {
  const auto coverage = view.facts ? coverage_of(*view.facts) : std::nullopt;
  return coverage && coverage->getAbsent().size() > 0;
}

/// Whether the audit can be relied on, in a sentence.
std::string verdict(const std::vector<SectionView>& sections, const Style& style) {
  const auto whole = std::ranges::count_if(sections, is_whole);
  const auto gaps = sections.size() - static_cast<std::size_t>(whole);
  const auto all = counted(sections.size(), "sections");
  if (gaps > 0)
    return line(style,
                alarming(style, fmt::format("{} of {} NOT READ WHOLE, marked (!)", gaps, all)));
  const auto absent = std::ranges::count_if(sections, is_absent);
  return line(style, absent == 0 ? fmt::format("all {} read whole", all)
                                 : fmt::format("all {} read whole, {} of them absent from their "
                                               "machines",
                                               all, absent));
}

std::string blank_line(const Style& style) { return style.form == Form::text ? "\n" : ""; }

std::string body(const SectionView& view, const Style& style) {
  std::string text;
  if (!view.failure.empty())
    text += line(style, alarming(style, harmless(style, view.outcome + ": " + view.failure)));
  if (!view.facts) return text + line(style, alarming(style, "no facts"));
  auto inner = style;
  ++inner.heading;
  return text + render(*view.facts, inner);
}

std::string title_of(const SectionView& view) {
  return fmt::format("{} on {}", view.section, view.agent);
}

std::string section(const SectionView& view, const Style& style) {
  if (style.form == Form::markdown)
    return "\n" + heading(style, 0, title_of(view)) + body(view, style);
  return fmt::format("\n{}\n{}",
                     bold(style, fmt::format("=== {} ===", harmless(style, title_of(view)))),
                     body(view, style));
}

}  // namespace

std::optional<capnp::DynamicStruct::Reader> findings_of(schema::Facts::Reader facts) {
  const capnp::DynamicStruct::Reader any = facts;
  KJ_IF_MAYBE (member, any.which()) {
    if (!reflect::is_unset(*member)) return any.get(*member).as<capnp::DynamicStruct>();
  }
  return {};
}

bool is_whole(const SectionView& view) {
  if (!view.facts || view.outcome != "succeeded" || !view.failure.empty()) return false;
  const auto coverage = coverage_of(*view.facts);
  return !coverage || coverage->getProblems().size() == 0;
}

std::string render_audit(const std::vector<SectionView>& sections, const Style& style,
                         Instant now) {
  if (sections.empty()) return line(style, alarming(style, "no section of the audit was taken"));
  auto text = verdict(sections, style) + blank_line(style) + overview(sections, style, now);
  for (const auto& view : sections) text += section(view, style);
  return text;
}

}  // namespace relab::controller
