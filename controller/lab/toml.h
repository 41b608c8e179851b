#pragma once

/// TOML text to a tree, with a bound on everything that the text's author chooses.

#include <string_view>
#include <variant>

#include "controller/lab/tree.h"

namespace relab::lab {

/// The most bytes that a lab file may have.
inline constexpr std::size_t file_size_max = std::size_t{4} << 20U;

/// The document, or the first place where the text is no TOML. `name` is the file's, for the
/// mistake.
std::variant<Node, Mistake> parse_toml(std::string_view text, std::string_view name);

}  // namespace relab::lab
