#pragma once

/// Writes ZFS send streams record by record, with checksums that are right; agent/kinds/zfs/
/// send_record.h tells how they lie there. It shares no code with what reads them.

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace relab::agent::sim {

class StreamWriter {
 public:
  static constexpr std::uint64_t resuming = 1U << 20U;
  static constexpr std::uint64_t compressed = 1U << 22U;
  static constexpr std::uint64_t raw = 1U << 24U;

  /// What a BEGIN record says.
  struct Begin {
    std::string to_name;
    std::uint64_t to_guid = 0;
    std::uint64_t from_guid = 0;
    /// Seconds since 1970.
    std::uint64_t creation = 0;
    std::uint64_t features = 0;
    bool is_volume = false;
  };

  /// The beginning of a package, with its END.
  void package(const std::string& to_name);
  /// The empty END that is the last record of a package.
  void end_package();
  void begin(const Begin& begin);
  /// The object that the blocks behind it belong to.
  void object();
  /// So many bytes of content, in blocks; made of a number, always in the same way.
  void blocks(std::uint64_t bytes, std::uint64_t number);
  void end();

  std::string finish() && { return std::move(bytes_); }

 private:
  using Sums = std::array<std::uint64_t, 4>;
  class Record;

  void begin_record(Record record, const Begin& begin, std::uint64_t kind);
  /// With its checksum.
  void seal(Record record);
  void append(std::string_view words);

  std::string bytes_;
  /// Of everything since the last END.
  Sums sums_{};
  Begin begun_;
};

}  // namespace relab::agent::sim
