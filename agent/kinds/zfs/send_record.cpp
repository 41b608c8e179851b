#include "agent/kinds/zfs/send_record.h"

#include <algorithm>

namespace relab::agent::zfs {

namespace {

struct Layout {
  std::string_view name;
  std::size_t to_guid_at;
  std::uint64_t payload_size_max;
};

/// ZFS itself takes lists of 256 MiB, blocks of 16 MiB, dnodes of 16 KiB, and puts 112 bytes into a
/// block pointer.
constexpr std::uint64_t list_size_max = std::uint64_t{256} << 20U;
constexpr std::uint64_t block_size_max = std::uint64_t{16} << 20U;
constexpr std::uint64_t dnode_size_max = std::uint64_t{16} << 10U;
constexpr std::uint64_t embedded_size_max = 112;

constexpr std::array<Layout, record_types> layouts = {{
    {"BEGIN", 40, list_size_max},
    {"OBJECT", 40, dnode_size_max},
    {"FREEOBJECTS", 24, 0},
    {"WRITE", 40, block_size_max},
    {"FREE", 32, 0},
    {"END", 40, 0},
    {"WRITE_BYREF", 32, 0},
    {"SPILL", 24, block_size_max},
    {"WRITE_EMBEDDED", 32, embedded_size_max},
    {"OBJECT_RANGE", 24, 0},
    {"REDACT", 32, 0},
}};

constexpr std::size_t name_at = 56;

const Layout& layout(RecordType type) { return layouts[static_cast<std::size_t>(type)]; }

constexpr std::uint64_t to_eights(std::uint64_t size) { return (size + 7) / 8 * 8; }

}  // namespace

std::string_view name(RecordType type) { return layout(type).name; }

std::optional<RecordType> SendRecord::type() const {
  if (type_number() >= record_types) return {};
  return RecordType{type_number()};
}

std::uint64_t SendRecord::payload_size() const {
  using enum RecordType;
  switch (*type()) {
    case begin:
      return size_field();
    case object: {
      // A raw stream has the whole of the bonus area, which is encrypted beyond its content, too.
      const auto raw = field<std::uint32_t>(36);
      return raw != 0 ? raw : to_eights(field<std::uint32_t>(28));
    }
    case write: {
      const auto compression = field<std::uint8_t>(50);
      return compression != 0 ? field<std::uint64_t>(96) : field<std::uint64_t>(32);
    }
    case spill: {
      const auto compressed = field<std::uint64_t>(40);
      return compressed != 0 ? compressed : field<std::uint64_t>(16);
    }
    case write_embedded:
      return to_eights(field<std::uint32_t>(52));
    case free_objects:
    case free:
    case end:
    case write_by_ref:
    case object_range:
    case redact:
      return 0;
  }
  return 0;
}

bool SendRecord::has_possible_size() const {
  const auto size = payload_size();
  const auto needs_some = type() == RecordType::write || type() == RecordType::spill;
  const auto stray = type() != RecordType::begin && size_field() != 0;
  return size <= layout(*type()).payload_size_max && size % sizeof(std::uint32_t) == 0 &&
         (size > 0 || !needs_some) && !stray;
}

std::uint64_t SendRecord::to_guid() const {
  return field<std::uint64_t>(layout(*type()).to_guid_at);
}

bool SendRecord::is_bare_end() const {
  const auto empty = [](auto bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{}; });
  };
  return type() == RecordType::end && empty(bytes_.subspan(4, 4)) &&
         empty(bytes_.subspan(8 + sizeof(Checksum)));
}

std::optional<std::string_view> SendRecord::to_name() const {
  const auto field = bytes_.subspan(name_at);
  const auto end = std::ranges::find(field, std::byte{});
  if (end == field.end()) return {};
  const std::string_view name(reinterpret_cast<const char*>(field.data()),
                              static_cast<std::size_t>(end - field.begin()));
  const auto is_odd = [](char letter) { return letter < ' ' || letter > '~'; };
  if (name.find('@') == std::string_view::npos || std::ranges::any_of(name, is_odd)) return {};
  return name;
}

}  // namespace relab::agent::zfs
