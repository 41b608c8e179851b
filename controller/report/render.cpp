#include "controller/report/render.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/wire/message.h"
#include "controller/report/coverage.h"
#include "controller/report/escape.h"
#include "controller/report/fields.h"
#include "controller/report/markup.h"
#include "controller/report/rows.h"

namespace relab::controller {

namespace {

class Page {
 public:
  explicit Page(const Style& style) : style_(style) {}

  void coverage(schema::Coverage::Reader coverage) {
    paragraph(render_coverage(coverage, style_));
    absent_ = coverage.getAbsent().size() > 0;
    complete_ = coverage.getProblems().size() == 0;
  }
  void block(const Contents& contents, unsigned depth);
  void empty_lists();
  std::string finish();

 private:
  void paragraph(const std::string& text);
  std::string scalars(const std::vector<Named>& scalars) const;
  void nested(const StructField& field, unsigned depth);
  void rest(const Contents& contents, unsigned depth);
  void list(const ListField& field, const std::string& title, unsigned depth);
  void headed(unsigned depth, const std::string& title, const std::string& text);

  const Style& style_;
  std::string text_;
  std::vector<std::string> empty_;
  bool absent_ = false;
  bool complete_ = true;
};

void Page::paragraph(const std::string& text) {
  if (text.empty()) return;
  const auto separated = text_.empty() || text_.ends_with("\n\n");
  text_ += (separated ? "" : "\n") + text;
}

void Page::headed(unsigned depth, const std::string& title, const std::string& text) {
  paragraph(heading(style_, depth, title) + text);
}

std::string Page::scalars(const std::vector<Named>& scalars) const {
  // An absent section says nothing by the numbers and answers that nobody gave.
  const auto said = [this](const Shown& shown) {
    return !shown.blank && !(absent_ && (shown.number || shown.text == "no"));
  };
  std::size_t width = 0;
  for (const auto& [name, shown] : scalars)
    if (said(shown)) width = std::max(width, width_of(name));
  std::string text;
  for (const auto& [name, shown] : scalars)
    if (said(shown)) text += entry(style_, name, shown.text, width);
  return text;
}

void Page::list(const ListField& field, const std::string& title, unsigned depth) {
  const RowSet rows(rows_of(field.rows));
  headed(depth, fmt::format("{} ({})", title, rows.size()), rows.print(style_));
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (const auto& inner : rows.lists(row))
      if (inner.rows.size() > 0)
        list(inner, fmt::format("{} of {}", inner.name, rows.title(row)), depth + 1);
}

void Page::block(const Contents& contents, unsigned depth) {
  paragraph(scalars(contents.scalars));
  rest(contents, depth);
}

void Page::nested(const StructField& field, unsigned depth) {
  const auto contents = contents_of(field.value);
  const auto text = scalars(contents.scalars);
  if (!text.empty()) headed(depth, field.name, text);
  rest(contents, depth + 1);
}

void Page::rest(const Contents& contents, unsigned depth) {
  for (const auto& field : contents.structs) nested(field, depth);
  for (const auto& field : contents.lists) {
    if (field.rows.size() == 0) {
      empty_.push_back(field.name);
    } else {
      list(field, field.name, depth);
    }
  }
}

void Page::empty_lists() {
  if (absent_ || empty_.empty()) return;
  const auto names = harmless(style_, fmt::format("{}", fmt::join(empty_, ", ")));
  paragraph(line(style_, (complete_ ? "none: " : "none, or not read: ") + names));
}

std::string Page::finish() {
  if (text_.empty()) return line(style_, "nothing was found, and nothing was missing");
  while (text_.ends_with("\n\n")) text_.pop_back();
  return std::move(text_);
}

}  // namespace

std::string render(capnp::DynamicStruct::Reader facts, const Style& style) {
  Page page(style);
  if (const auto coverage = coverage_of(facts)) page.coverage(*coverage);
  page.block(contents_of(facts), 0);
  page.empty_lists();
  return page.finish();
}

}  // namespace relab::controller
