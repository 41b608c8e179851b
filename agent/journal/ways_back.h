#pragma once

/// Ways back from changes, in files of their own beside the journal: they outlive one that is
/// damaged.

#include <filesystem>
#include <vector>

#include "agent/journal/journal.h"

namespace relab::agent {

class WaysBack {
 public:
  explicit WaysBack(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Durable when it returns. Of the row, what leads back is kept: its ids, order, `before` and
  /// boot.
  Result<void> keep(const JournalRow& row) const;
  /// Does nothing if there is none.
  void forget(const TaskId& id) const;
  /// All that are kept, as rows of tasks that run. A file that cannot be read is put aside, under
  /// another name, for a person to look at.
  Result<std::vector<JournalRow>> all() const;

 private:
  std::filesystem::path file(const TaskId& id) const;

  std::filesystem::path folder_;
};

/// Gives a damaged file another name, which says when.
void put_aside(const std::filesystem::path& file);

}  // namespace relab::agent
