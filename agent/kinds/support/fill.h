#pragma once

/// Lists of facts out of plain rows.

#include <capnp/list.h>
#include <string>
#include <vector>

#include "common/wire/message.h"

namespace relab::agent {

/// Sizes for `initX`: lists of facts are far below 2^29 elements.
template <typename Rows>
unsigned size_of(const Rows& rows) {
  return static_cast<unsigned>(rows.size());
}

/// The list has as many elements as there are texts.
inline void set_texts(capnp::List<capnp::Text>::Builder list,
                      const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

inline std::vector<std::string> texts_of(capnp::List<capnp::Text>::Reader list) {
  std::vector<std::string> texts;
  for (const auto text : list) texts.push_back(str(text));
  return texts;
}

/// Calls `set(element, row)` for each row; the list has as many elements as there are rows.
template <typename List, typename Rows, typename Set>
void fill(List list, const Rows& rows, const Set& set) {
  unsigned i = 0;
  for (const auto& row : rows) set(list[i++], row);
}

}  // namespace relab::agent
