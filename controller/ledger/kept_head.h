#pragma once

/// The newest head of a lab's ledger, kept apart from it, beside the controller's keys: a ledger
/// whose end was cut off, or that was replaced or removed, is noticed before anything is ordered by
/// it.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "controller/ledger/head.h"

namespace relab::controller {

class KeptHead {
 public:
  explicit KeptHead(std::filesystem::path file) : file_(std::move(file)) {}

  /// Replaced at once or not at all.
  Result<void> keep(ByteView checkpoint) const;
  /// As it is kept; nothing where none is. To be read before the ledger, which others may continue
  /// meanwhile.
  Result<std::optional<std::string>> read() const;
  /// Fault::damaged or ::conflict say what the ledger is instead.
  Result<void> compare(std::string_view kept, const Ledger& ledger, const HeadOwner& owner) const;
  /// What to say when a head is kept and its ledger is gone.
  Error gone(const std::filesystem::path& ledger) const;

 private:
  std::string way_on() const;

  std::filesystem::path file_;
};

}  // namespace relab::controller
