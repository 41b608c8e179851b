#include "controller/report/table.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>

#include "common/base/result.h"
#include "controller/report/escape.h"
#include "controller/report/markup.h"

namespace relab::controller {

namespace {

constexpr std::size_t gap = 2;
/// Texts that are cut shorter than this say too little.
constexpr std::size_t cell_width_min = 16;

std::string padded(std::string text, std::size_t width, bool to_the_right) {
  const auto length = width_of(text);
  const std::string space(width > length ? width - length : 0, ' ');
  return to_the_right ? space + text : text + space;
}

std::string without_trailing_space(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// The greatest width of a text cell with which all columns have room; 0 if there is none.
template <typename Columns>
std::size_t text_width_max(const Columns& columns, std::size_t width) {
  const auto taken = [&columns](std::size_t limit) {
    auto sum = gap * (columns.size() - 1);
    for (const auto& column : columns)
      sum += column.numbers ? column.width : std::min(column.width, limit);
    return sum;
  };
  auto widest = std::size_t{0};
  for (const auto& column : columns) widest = std::max(widest, column.width);
  if (taken(widest) <= width) return std::max<std::size_t>(widest, 1);
  auto limit = std::min(widest, width);
  while (limit > 0 && taken(limit) > width) --limit;
  return limit;
}

}  // namespace

void Table::add(Row row) {
  RELAB_ASSERT(row.size() == titles_.size());
  rows_.push_back(std::move(row));
}

std::vector<Table::Column> Table::columns() const {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    Column column{.width = width_of(visible(titles_[i])), .numbers = !rows_.empty()};
    for (const auto& row : rows_) {
      column.width = std::max(column.width, width_of(visible(row[i].text)));
      column.numbers = column.numbers && (row[i].number || row[i].text.empty());
    }
    columns.push_back(column);
  }
  return columns;
}

bool Table::fits(std::size_t width) const {
  if (titles_.empty()) return true;
  const auto all = columns();
  const auto limit = text_width_max(all, width);
  const auto whole = std::ranges::all_of(
      all, [limit](const Column& column) { return column.numbers || column.width <= limit; });
  return limit >= cell_width_min || (limit > 0 && whole);
}

std::string Table::print(const Style& style) const {
  if (titles_.empty()) return {};
  return style.form == Form::markdown ? print_markdown() : print_text(style);
}

std::string Table::print_text(const Style& style) const {
  const auto all = columns();
  const auto limit = style.width == 0 ? std::numeric_limits<std::size_t>::max()
                                      : std::max(text_width_max(all, style.width), std::size_t{4});
  const auto line = [&all, limit](const auto& text_of) {
    std::string cells;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto width = all[i].numbers ? all[i].width : std::min(all[i].width, limit);
      cells += std::string(i == 0 ? 0 : gap, ' ') +
               padded(cut(visible(text_of(i)), width), width, all[i].numbers);
    }
    return without_trailing_space(cells);
  };
  auto text = bold(style, line([this](std::size_t i) { return titles_[i]; })) + "\n";
  for (const auto& row : rows_) text += line([&row](std::size_t i) { return row[i].text; }) + "\n";
  return text;
}

std::string Table::print_markdown() const {
  std::string titles = "|";
  std::string rule = "|";
  const auto all = columns();
  for (std::size_t i = 0; i < all.size(); ++i) {
    titles += fmt::format(" {} |", markdown_text(titles_[i]));
    rule += all[i].numbers ? " ---: |" : " --- |";
  }
  auto text = titles + "\n" + rule + "\n";
  for (const auto& row : rows_) {
    text += "|";
    for (const auto& cell : row) text += fmt::format(" {} |", markdown_text(cell.text));
    text += "\n";
  }
  return text;
}

}  // namespace relab::controller
