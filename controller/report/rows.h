#pragma once

/// A list of structs as a table: its columns, and the lists within its rows.

#include <string>
#include <vector>

#include "controller/report/fields.h"
#include "controller/report/key.h"
#include "controller/report/style.h"
#include "controller/report/table.h"

namespace relab::controller {

/// Rows under common columns. Columns that are blank in every row are left out.
class RowSet {
 public:
  explicit RowSet(const Rows& rows);

  std::size_t size() const { return cells_.size(); }
  /// What the row is called among the others: its name, path, ..., or "#2" where nothing tells.
  const std::string& title(std::size_t row) const { return titles_[row]; }
  const std::vector<ListField>& lists(std::size_t row) const { return lists_[row]; }
  const std::vector<std::string>& names() const { return names_; }
  /// One for each name.
  const std::vector<Shown>& cells(std::size_t row) const { return cells_[row]; }

  /// As one table if there is room for it in the style's width; what is the same in every row is
  /// said once in a line before it where the table is wide. Otherwise each row as a paragraph.
  std::string print(const Style& style) const;

 private:
  using Columns = std::vector<std::size_t>;
  void add(std::vector<Named> scalars);
  void drop_blank_columns();
  bool is_same_in_all(std::size_t column) const;
  Table table(const Columns& columns) const;
  std::string common_line(const Columns& columns, const Style& style) const;
  std::string paragraphs(const Columns& columns, const Style& style) const;

  std::vector<std::string> names_;
  std::vector<std::vector<Shown>> cells_;
  std::vector<std::string> titles_;
  std::vector<std::vector<ListField>> lists_;
};

}  // namespace relab::controller
