#pragma once

/// A table of texts, aligned for terminals and files or as GitHub-flavoured Markdown.

#include <string>
#include <vector>

#include "controller/report/style.h"

namespace relab::controller {

/// Texts of other programs are taken as they are: the table makes them harmless.
class Table {
 public:
  struct Cell {
    std::string text;
    /// Numbers are never cut, and a column of numbers is aligned to the right.
    bool number = false;
  };
  using Row = std::vector<Cell>;

  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

  /// Needs a cell for each title; an empty text is a cell without a value.
  void add(Row row);

  /// Whether all columns have room in this width, with texts cut but still to be recognised.
  bool fits(std::size_t width) const;

  /// Text: a line of titles, then a line for each row, cut to the terminal's width if there is one.
  /// Ends with a line feed.
  std::string print(const Style& style) const;

 private:
  struct Column {
    std::size_t width;
    bool numbers;
  };
  std::vector<Column> columns() const;
  std::string print_text(const Style& style) const;
  std::string print_markdown() const;

  std::vector<std::string> titles_;
  std::vector<Row> rows_;
};

}  // namespace relab::controller
