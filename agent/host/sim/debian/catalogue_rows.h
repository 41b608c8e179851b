#pragma once

/// The rows of the catalogue. Versions of bookworm are those of its archive, those of trixie as far
/// as they were looked up; others are near enough: nothing depends on the digits.

#include <cstdint>
#include <span>
#include <string_view>

namespace relab::agent::sim {

struct CatalogueRow {
  std::string_view name;
  /// With the component, where it is in no other: "debian-non-free".
  std::string_view publisher;
  /// Empty: the suite does not have it.
  std::string_view bookworm;
  std::string_view trixie;
  std::uint32_t kib = 0;
  std::string_view needs = {};
  /// What it brings, in words: "start:UNIT" enables and starts it, "unit:UNIT" does not,
  /// "user:NAME", and paths. "conflicts:NAME" is what has to go for it.
  std::string_view brings = {};
};

/// What every fresh container has.
std::span<const CatalogueRow> base_rows();
/// What can be had beside that.
std::span<const CatalogueRow> more_rows();

}  // namespace relab::agent::sim
