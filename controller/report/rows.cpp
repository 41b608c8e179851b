#include "controller/report/rows.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/report/escape.h"
#include "controller/report/markup.h"

namespace relab::controller {

namespace {

/// From this many columns on, a table is easier to read without those that always say the same.
constexpr std::size_t wide_columns = 12;
/// A single row with more columns than this is a paragraph.
constexpr std::size_t single_row_columns = 6;
constexpr std::size_t rows_for_common = 3;

const Shown nothing = {.text = {}, .number = false, .blank = true};

std::vector<std::string> titles_of(const Rows& rows) {
  const auto label = label_of({rows});
  std::vector<std::string> titles;
  for (const auto& row : rows) {
    auto title = value_of(label, row);
    titles.push_back(title.empty() ? fmt::format("#{}", titles.size() + 1) : std::move(title));
  }
  return titles;
}

/// Every value that is told as an entry of a list.
std::string entries(const std::vector<Named>& values, const Style& style) {
  std::size_t width = 0;
  for (const auto& [name, shown] : values)
    if (!shown.blank) width = std::max(width, width_of(name));
  std::string text;
  for (const auto& [name, shown] : values)
    if (!shown.blank)
      text += (style.form == Form::text ? "  " : "") + entry(style, name, shown.text, width);
  return text + (style.form == Form::markdown ? "\n" : "");
}

}  // namespace

RowSet::RowSet(const Rows& rows) : titles_(titles_of(rows)) {
  for (const auto& row : rows) {
    auto contents = flattened(row);
    add(std::move(contents.scalars));
    lists_.push_back(std::move(contents.lists));
  }
  // Rows of a union have columns that rows before them lack.
  for (auto& cells : cells_) cells.resize(names_.size(), nothing);
  drop_blank_columns();
}

void RowSet::add(std::vector<Named> scalars) {
  std::vector<Shown> cells(names_.size(), nothing);
  for (auto& scalar : scalars) {
    const auto found = std::ranges::find(names_, scalar.name);
    const auto column = static_cast<std::size_t>(found - names_.begin());
    if (found == names_.end()) {
      names_.push_back(scalar.name);
      cells.push_back(nothing);
    }
    cells[column] = std::move(scalar.shown);
  }
  cells_.push_back(std::move(cells));
}

void RowSet::drop_blank_columns() {
  for (auto column = names_.size(); column-- > 0;) {
    const auto blank = [column](const std::vector<Shown>& cells) { return cells[column].blank; };
    if (!std::ranges::all_of(cells_, blank)) continue;
    const auto offset = static_cast<std::ptrdiff_t>(column);
    names_.erase(names_.begin() + offset);
    for (auto& cells : cells_) cells.erase(cells.begin() + offset);
  }
}

bool RowSet::is_same_in_all(std::size_t column) const {
  return std::ranges::all_of(cells_, [this, column](const std::vector<Shown>& cells) {
    return cells[column].text == cells_.front()[column].text;
  });
}

Table RowSet::table(const Columns& columns) const {
  std::vector<std::string> names;
  for (const auto column : columns) names.push_back(names_[column]);
  Table table(std::move(names));
  for (const auto& cells : cells_) {
    Table::Row row;
    for (const auto column : columns)
      row.push_back({.text = cells[column].text, .number = cells[column].number});
    table.add(std::move(row));
  }
  return table;
}

std::string RowSet::common_line(const Columns& columns, const Style& style) const {
  std::string text;
  for (const auto column : columns)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", harmless(style, names_[column]),
                        harmless(style, cells_.front()[column].text));
  return text.empty() ? text : line(style, fmt::format("all {}: {}", size(), text));
}

std::string RowSet::paragraphs(const Columns& columns, const Style& style) const {
  std::string text;
  for (std::size_t row = 0; row < size(); ++row) {
    std::vector<Named> values;
    for (const auto column : columns) values.push_back({names_[column], cells_[row][column]});
    if (size() > 1) text += line(style, bold(style, harmless(style, titles_[row])));
    text += entries(values, style);
  }
  return text;
}

std::string RowSet::print(const Style& style) const {
  if (cells_.empty() || names_.empty()) return {};
  Columns all;
  Columns common;
  Columns varying;
  for (std::size_t column = 0; column < names_.size(); ++column) {
    all.push_back(column);
    // The first column is what the row is about, whatever it says.
    const auto same = size() >= rows_for_common && column > 0 && is_same_in_all(column);
    (same ? common : varying).push_back(column);
  }
  if (size() == 1 && all.size() > single_row_columns) return paragraphs(all, style);
  const auto has_room = [&style](const Table& candidate) {
    return style.form == Form::markdown || style.width == 0 || candidate.fits(style.width);
  };
  if (const auto whole = table(all); all.size() <= wide_columns && has_room(whole))
    return whole.print(style);
  const auto slim = table(varying);
  return common_line(common, style) +
         (has_room(slim) ? slim.print(style) : paragraphs(varying, style));
}

}  // namespace relab::controller
