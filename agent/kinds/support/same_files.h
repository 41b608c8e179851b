#pragma once

/// Two trees of files that should be the same.

#include <cstdint>
#include <string>

#include "agent/host/host.h"

namespace relab::agent {

/// What was found to be the same.
struct SameFiles {
  /// Files, folders and others, by name, kind, owner, mode, and, of files, size and time.
  std::uint64_t entries = 0;
  /// Whose bytes were compared, all of them: small ones that look like configuration.
  std::uint64_t config_files = 0;
  /// Drawn by lot out of the rest; their bytes were compared, or, of large ones, those of some
  /// places.
  std::uint64_t sampled = 0;
  std::uint64_t bytes = 0;
};

/// Of larger files that are drawn, the beginning, the end and places in between are compared:
/// the rest is vouched for by whoever made the copy.
inline constexpr std::uint64_t compared_whole_max = std::uint64_t{1} << 30U;
inline constexpr std::uint64_t compared_piece = std::uint64_t{4} << 20U;
inline constexpr int compared_pieces = 16;

/// Fault::damaged, with the first few differences, if `copy` is not what `origin` is. `.zfs` at the
/// top of either is passed over.
Result<SameFiles> compare_files(Host& host, const Path& origin, const Path& copy,
                                std::size_t sample, std::uint64_t seed);

}  // namespace relab::agent
