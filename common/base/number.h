#pragma once

/// Numbers out of text, strictly: the whole text must be one number that fits.

#include <charconv>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab {

template <typename Number>
Result<Number> parse_number(std::string_view text, int base = 10) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value, base);
  if (code == std::errc::result_out_of_range)
    return fail(Fault::invalid, "'" + std::string(text) + "' is out of range");
  if (code != std::errc{} || stop != end)
    return fail(Fault::invalid, "'" + std::string(text) + "' is not a number");
  return value;
}

}  // namespace relab
