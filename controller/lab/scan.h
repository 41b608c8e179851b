#pragma once

/// A look over a TOML text for what toml++ 3.3 does not survive: dots that nest tables deeper than
/// its destructors can recurse, table headers without a key, on which it asserts, and letters
/// beyond ASCII outside of quotes, which it classifies by undefined behaviour.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relab::lab {

/// The most dots of one key; the schema needs three.
inline constexpr std::size_t dots_max = 16;

struct Snag {
  /// In bytes from the start of the text.
  std::size_t at;
  std::string what;
};

/// The first such place. Strings, comments and brackets are followed as TOML defines them, so that
/// all is seen that a parser sees before the first syntax error.
std::optional<Snag> find_snag(std::string_view text);

}  // namespace relab::lab
