#pragma once

/// Durations and sizes as people write them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relab::lab {

/// Seconds of "90s", "15m", "24h", "7d", or bytes of "500GB" (decimal), "4GiB" (binary). Nothing if
/// the unit of the schema is neither, or the text is no such thing, or too large for 63 bits.
std::optional<std::int64_t> parse_quantity(std::string_view text, std::string_view unit);

/// An ECMAScript pattern of what `parse_quantity` takes; empty for other units.
std::string quantity_pattern(std::string_view unit);

/// What a field with this unit wants: "a size such as \"4GiB\"", or "a whole number".
std::string wanted(std::string_view unit);

/// A number in words: "1.0 GiB", "1 h 0 min", "64".
std::string in_unit(std::int64_t value, std::string_view unit);

}  // namespace relab::lab
