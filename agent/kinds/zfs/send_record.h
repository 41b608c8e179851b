#pragma once

/// One record of a ZFS send stream, as it lies there: 312 bytes, little-endian.
///
/// The first 4 bytes are its type, the next 4 the size of the payload behind a BEGIN record, 0 in
/// all others: the size of their payload follows from fields of their own. The last 32 bytes are a
/// checksum, but not in a BEGIN record. OpenZFS declares this as `dmu_replay_record_t` in
/// include/sys/zfs_ioctl.h; it is the same in 2.1, 2.3 and 2.4.

#include <cstring>
#include <optional>
#include <string_view>

#include "agent/kinds/zfs/fletcher4.h"

namespace relab::agent::zfs {

inline constexpr std::size_t record_size = 312;

enum class RecordType : std::uint32_t {
  begin,
  object,
  free_objects,
  write,
  free,
  end,
  write_by_ref,
  spill,
  write_embedded,
  object_range,
  redact,
};
inline constexpr std::size_t record_types = 11;

/// "WRITE_EMBEDDED"
std::string_view name(RecordType type);

/// What a BEGIN record says of itself.
enum class StreamKind : std::uint8_t { neither = 0, substream = 1, compound = 2, both = 3 };

/// Looks at bytes that somebody else keeps.
class SendRecord {
 public:
  static constexpr std::uint64_t right_magic = 0x2F5bacbac;

  explicit SendRecord(std::span<const std::byte, record_size> bytes) : bytes_(bytes) {}

  std::uint32_t type_number() const { return field<std::uint32_t>(0); }
  /// Nothing: there is no such type.
  std::optional<RecordType> type() const;

  // Of every type but BEGIN.
  Checksum checksum() const { return field<Checksum>(record_size - sizeof(Checksum)); }
  /// Everything before the checksum, which is what is summed up in it.
  std::span<const std::byte> before_checksum() const {
    return bytes_.first(record_size - sizeof(Checksum));
  }
  std::span<const std::byte> behind() const { return bytes_.last(sizeof(Checksum)); }

  // Of a known type.
  std::uint64_t payload_size() const;
  /// That some ZFS could have written a payload of this size, in whole words.
  bool has_possible_size() const;
  /// The GUID of the snapshot that is sent; 0 in what belongs to a package as a whole.
  std::uint64_t to_guid() const;

  // Of WRITE.
  std::uint64_t object() const { return field<std::uint64_t>(8); }
  std::uint64_t offset() const { return field<std::uint64_t>(24); }

  // Of END.
  Checksum end_checksum() const { return field<Checksum>(8); }
  /// That there is nothing but the type, and perhaps the checksum of what it ends.
  bool is_bare_end() const;
  bool is_empty_end() const { return is_bare_end() && end_checksum() == Checksum{}; }

  // Of BEGIN.
  std::uint64_t magic() const { return field<std::uint64_t>(8); }
  StreamKind kind() const { return StreamKind{static_cast<std::uint8_t>(version_info() & 3U)}; }
  std::uint64_t features() const { return version_info() >> 2U; }
  /// Seconds since 1970.
  std::uint64_t creation() const { return field<std::uint64_t>(24); }
  /// 2: a filesystem, 3: a volume.
  std::uint32_t dataset_type() const { return field<std::uint32_t>(32); }
  std::uint64_t from_guid() const { return field<std::uint64_t>(48); }
  /// "tank/vm@daily"; nothing if no snapshot can have that name.
  std::optional<std::string_view> to_name() const;

 private:
  template <typename T>
  T field(std::size_t at) const {
    T value{};
    std::memcpy(&value, bytes_.subspan(at, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::uint32_t size_field() const { return field<std::uint32_t>(4); }
  std::uint64_t version_info() const { return field<std::uint64_t>(16); }

  std::span<const std::byte, record_size> bytes_;
};

}  // namespace relab::agent::zfs
