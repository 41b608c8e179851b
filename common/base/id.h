#pragma once

/// Identifiers: 128-bit UUIDs of version 7 (RFC 9562), each kind a type of its own.

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace relab {

using IdBytes = std::array<std::uint8_t, 16>;

/// Of this millisecond, with 74 random bits.
IdBytes make_uuid7(Instant now);
/// "019a3f0c-7c1e-7abc-9def-0123456789ab".
std::string uuid_text(const IdBytes& bytes);
Result<IdBytes> parse_uuid(std::string_view text);

template <typename Tag>
struct Id {
  IdBytes bytes{};

  static Id make(Instant now) { return {make_uuid7(now)}; }
  /// Fault::damaged if there are not exactly 16 bytes.
  static Result<Id> from(ByteView bytes) {
    if (bytes.size() != 16) return fail(Fault::damaged, "an identifier that has not 16 bytes");
    Id id;
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    return id;
  }
  ByteView view() const { return bytes; }
  std::string text() const { return uuid_text(bytes); }
  /// The random tail, short enough for a line of a log.
  std::string brief() const { return text().substr(24); }

  auto operator<=>(const Id&) const = default;
};

using TaskId = Id<struct TaskIdTag>;
using RunId = Id<struct RunIdTag>;

}  // namespace relab
