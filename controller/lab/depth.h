#pragma once

/// How deep a TOML text nests tables by dotted keys. toml++ bounds brackets but not dots, and its
/// destructors recurse once per level: a line of dots would overflow the stack.

#include <cstddef>
#include <optional>
#include <string_view>

namespace relab::lab {

/// The most dots of one key; the schema needs three.
inline constexpr std::size_t dots_max = 16;

/// The place of the first dot too many. It follows strings and comments as TOML defines them, so
/// that it sees every dot that a parser would see before the first syntax error.
std::optional<std::size_t> too_deep(std::string_view text);

}  // namespace relab::lab
