#pragma once

/// JSON as tools print it: loosely typed, with keys that come and go. Every reader here takes what
/// it finds and never throws.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::agent {

using Json = nlohmann::json;

/// Fault::damaged, naming `what`, if the text is no JSON document.
Result<Json> parse_json(std::string_view text, std::string_view what);

/// The member, or null: of anything that is no object, too.
const Json& member(const Json& object, std::string_view key);

/// A string as it is, a number or boolean in its JSON form, "" for anything else.
std::string text_of(const Json& value);
inline std::string text_of(const Json& object, std::string_view key) {
  return text_of(member(object, key));
}

/// A number, or a string that is one; nothing for anything else, negative numbers included.
std::optional<std::uint64_t> number_of(const Json& value);
inline std::optional<std::uint64_t> number_of(const Json& object, std::string_view key) {
  return number_of(member(object, key));
}

/// true, non-zero numbers, and the texts "1", "true", "yes", "on".
bool truth_of(const Json& value);
inline bool truth_of(const Json& object, std::string_view key) {
  return truth_of(member(object, key));
}

}  // namespace relab::agent
