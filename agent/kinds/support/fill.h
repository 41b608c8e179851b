#pragma once

/// Lists of facts out of plain rows.

#include <cstddef>

namespace relab::agent {

/// Sizes for `initX`: lists of facts are far below 2^29 elements.
template <typename Rows>
unsigned size_of(const Rows& rows) {
  return static_cast<unsigned>(rows.size());
}

/// Calls `set(element, row)` for each row; the list has as many elements as there are rows.
template <typename List, typename Rows, typename Set>
void fill(List list, const Rows& rows, const Set& set) {
  unsigned i = 0;
  for (const auto& row : rows) set(list[i++], row);
}

}  // namespace relab::agent
